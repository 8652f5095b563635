"""LlamaIndex: ask a query engine about a few documents, streamed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent
from llama_index_instrumentation import get_dispatcher

from llamaindex_localmix import LocalMix, LocalMixEmbedding


class LastAnswer(BaseEventHandler):
    """Keep what the model reported of its last answer: query engines do not hand it on."""

    raw: dict[str, Any] = {}

    def handle(self, event: BaseEvent, **_: Any) -> None:
        if isinstance(event, LLMChatEndEvent) and event.response:
            self.raw = event.response.raw or {}


LAST_ANSWER = LastAnswer()
get_dispatcher().add_event_handler(LAST_ANSWER)


def answer(
    question: str, folder: Path, model: str | None = None, embedding_model: str | None = None
) -> Iterator[str]:
    """Stream the answer; afterwards `LAST_ANSWER.raw` holds usage, timings and route."""
    index = VectorStoreIndex.from_documents(
        [Document(text=path.read_text().strip()) for path in sorted(folder.glob("*.txt"))],
        embed_model=LocalMixEmbedding(model=embedding_model),
    )
    engine = index.as_query_engine(
        llm=LocalMix(model=model, temperature=0), similarity_top_k=2, streaming=True
    )
    response = engine.query(question)
    assert isinstance(response, StreamingResponse)
    yield from map(str, response.response_gen)


if __name__ == "__main__":
    for text in answer("How tall is the lighthouse?", Path(__file__).parent / "documents"):
        print(text, end="", flush=True)
    print()
