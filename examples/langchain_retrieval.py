"""LangChain: answer a question over a few documents, streamed."""

from collections.abc import Iterator
from pathlib import Path

from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings

PROMPT = ChatPromptTemplate.from_template(
    "Answer the question using only the context.\n\nContext:\n{context}\n\nQuestion: {question}"
)


def answer(
    question: str, folder: Path, model: str | None = None, embedding_model: str | None = None
) -> Iterator[AIMessage]:
    """Stream the answer; the last chunk carries usage, timings and route."""
    store = InMemoryVectorStore.from_texts(
        [path.read_text().strip() for path in sorted(folder.glob("*.txt"))],
        LocalMixEmbeddings(model=embedding_model),
    )
    context = store.as_retriever(search_kwargs={"k": 3}) | (
        lambda found: "\n\n".join(document.page_content for document in found)
    )
    chain = (
        {"context": context, "question": RunnablePassthrough()}
        | PROMPT
        | ChatLocalMix(model=model, temperature=0)
    )
    yield from chain.stream(question)


if __name__ == "__main__":
    for chunk in answer("Who designed the red bridge?", Path(__file__).parent / "documents"):
        print(chunk.text, end="", flush=True)
    print()
