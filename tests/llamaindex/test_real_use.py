"""Real uses on real models: the embedded engine, and the LM Studio stand-in with one behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.evaluation import RelevancyEvaluator
from llama_index.core.ingestion import DocstoreStrategy, IngestionCache, IngestionPipeline
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.schema import TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.tools import QueryEngineTool
from llama_index.core.vector_stores import SimpleVectorStore

from llamaindex_localmix import LocalMixEmbedding
from localmix.errors import LocalMixError
from tests.llamaindex.conversations import (
    BRIDGE,
    CONVERSATIONS,
    FRANCE,
    MIRA,
    PARIS,
    TEXTS,
    Conversation,
    Kit,
)
from tests.lmstudio import LMStudio
from tests.lmstudio.server import EMBED

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(params=["engine", "lmstudio"])
def kit(request: pytest.FixtureRequest, engine_alone: None, start: Any) -> Kit:
    """Give both models on a real engine, of our own or behind LM Studio's face."""
    if request.param == "engine":
        return Kit.on(())
    return Kit.on((start(LMStudio()).url,), EMBED)


@pytest.fixture
def on_the_engine(engine_alone: None) -> Kit:
    """Give both models on the embedded engine."""
    return Kit.on(())


@pytest.mark.parametrize("play", CONVERSATIONS.values(), ids=CONVERSATIONS.keys())
def test_a_real_use(kit: Kit, play: Conversation) -> None:
    play(kit)


@pytest.fixture
def _settings(on_the_engine: Kit) -> Iterator[None]:
    """Let LlamaIndex use ours wherever it needs a model, and forget it afterwards."""
    Settings.llm, Settings.embed_model = on_the_engine.llm, on_the_engine.embed_model
    yield
    Settings._llm = Settings._embed_model = Settings._prompt_helper = None
    Settings._callback_manager = None


@pytest.mark.usefixtures("_settings")
def test_settings_for_the_whole_program() -> None:
    index = VectorStoreIndex.from_documents([Document(text=text) for text in TEXTS])
    assert str(index.as_query_engine(similarity_top_k=1).query(BRIDGE)) == MIRA
    chat_engine = index.as_chat_engine(similarity_top_k=1, memory=ChatMemoryBuffer.from_defaults())
    assert chat_engine.chat(BRIDGE).response
    evaluated = RelevancyEvaluator().evaluate(BRIDGE, MIRA, [TEXTS[0]])
    assert evaluated.score in (0.0, 1.0)


@pytest.mark.usefixtures("_settings")
def test_the_window_of_the_model_is_what_prompts_are_cut_to() -> None:
    assert Settings.llm.metadata.context_window == 2048
    long = " ".join(f"{number} lamps stand by the river." for number in range(400))
    documents = [Document(text=long), Document(text=TEXTS[0])]
    splitter = SentenceSplitter(chunk_size=100, chunk_overlap=0)
    index = VectorStoreIndex.from_documents(documents, transformations=[splitter])
    engine = index.as_query_engine(similarity_top_k=2, response_mode="compact")
    assert str(engine.query(BRIDGE))


def test_tokens_are_counted_by_the_server(on_the_engine: Kit) -> None:
    counter = TokenCountingHandler(tokenizer=on_the_engine.llm.tokenizer)
    on_the_engine.llm.callback_manager = CallbackManager([counter])
    on_the_engine.llm.complete(FRANCE)
    list(on_the_engine.llm.stream_complete(FRANCE))
    first, second = counter.llm_token_counts
    assert first.prompt_token_count == second.prompt_token_count > 5
    assert first.completion_token_count == second.completion_token_count > 5


@pytest.mark.slow
def test_a_pipeline_with_several_workers(on_the_engine: Kit) -> None:
    """Each worker is a process that gets the model by pickle.

    The texts are cut before: with pydantic 2.14 the splitters of llama-index-core 0.14.25 cannot
    be unpickled, and its pool of workers then waits for ever.
    """
    model = on_the_engine.embed_model
    nodes = [TextNode(text=text) for text in TEXTS * 3]
    pipeline = IngestionPipeline(transformations=[model], disable_cache=True)
    embedded = pipeline.run(nodes=nodes, num_workers=2)
    expected = model.get_text_embedding_batch([node.get_content() for node in nodes])
    assert [node.get_content() for node in embedded] == [node.get_content() for node in nodes]
    for node, vector in zip(embedded, expected, strict=True):
        assert node.embedding == pytest.approx(vector, abs=1e-4)


def test_a_pipeline_with_a_cache(on_the_engine: Kit, tmp_path: Path) -> None:
    """The cache is keyed by what the model is; using it changes nothing of that."""
    kept = str(tmp_path / "cache.json")
    nodes = [TextNode(text=text, id_=text) for text in TEXTS]
    splitter = SentenceSplitter(chunk_size=64, chunk_overlap=0)
    pipeline = IngestionPipeline(transformations=[splitter, on_the_engine.embed_model])
    first = pipeline.run(nodes=nodes)
    pipeline.cache.persist(kept)

    class Refused(LocalMixEmbedding):
        """The same by its fields, but it must not be asked."""

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            raise AssertionError(f"{texts} were not found in the cache")

    again = IngestionPipeline(
        transformations=[splitter, Refused.from_dict(on_the_engine.embed_model.to_dict())],
        cache=IngestionCache.from_persist_path(kept),
    )
    found = again.run(nodes=nodes)
    assert [node.embedding for node in found] == [node.embedding for node in first]


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_pipeline_with_a_docstore(on_the_engine: Kit, colour: str) -> None:
    """What is known is not embedded again; what has changed is, and stands in for the old."""
    store = SimpleVectorStore()
    pipeline = IngestionPipeline(
        transformations=[on_the_engine.embed_model],
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
        vector_store=store,
    )

    def run(*texts: str) -> list[str]:
        documents = [Document(text=text, id_=str(n)) for n, text in enumerate(texts)]
        if colour == "sync":
            nodes = pipeline.run(documents=documents)
        else:
            nodes = asyncio.run(pipeline.arun(documents=documents))
        return [node.get_content() for node in nodes]

    assert run(*TEXTS) == list(TEXTS)
    assert run(*TEXTS) == []
    assert run("The red bridge is closed.", *TEXTS[1:]) == ["The red bridge is closed."]
    assert len(store.data.embedding_dict) == len(TEXTS)


def test_sources_are_cited(on_the_engine: Kit) -> None:
    """The model knows no citations; what counts is that the sources come with the answer."""
    engine = CitationQueryEngine.from_args(
        on_the_engine.index(), llm=on_the_engine.llm, similarity_top_k=2
    )
    response = engine.query(BRIDGE)
    assert str(response)
    assert response.source_nodes[0].get_content() == f"Source 1:\n{TEXTS[0]}\n"


@pytest.mark.slow
def test_a_question_is_split_by_a_schema(on_the_engine: Kit) -> None:
    """The server holds the model to the schema, so that even this one can be read."""
    tool = QueryEngineTool.from_defaults(on_the_engine.engine(), name="places", description="All.")
    question = {"sub_question": {"enum": [BRIDGE]}, "tool_name": {"enum": ["places"]}}
    items = {"type": "object", "properties": question, "required": list(question)}
    schema = {"items": {"type": "array", "items": items, "minItems": 1, "maxItems": 1}}
    form = {"type": "object", "properties": schema, "required": ["items"]}
    splitting = on_the_engine.llm.model_copy(update={"response_format": form})
    engine = SubQuestionQueryEngine.from_defaults(
        query_engine_tools=[tool],
        question_gen=LLMQuestionGenerator.from_defaults(llm=splitting),
        llm=on_the_engine.llm,
        verbose=False,
    )
    response = engine.query("Tell me of the bridge.")
    assert f"Sub question: {BRIDGE}\nResponse: {MIRA}" in response.source_nodes[0].get_content()


def test_an_index_that_is_filled_without_blocking(on_the_engine: Kit) -> None:
    async def main() -> str:
        documents = [Document(text=text) for text in TEXTS]
        index = VectorStoreIndex.from_documents(
            documents, embed_model=on_the_engine.embed_model, use_async=True
        )
        engine = index.as_query_engine(llm=on_the_engine.llm, similarity_top_k=1, use_async=True)
        return str(await engine.aquery(BRIDGE))

    assert asyncio.run(main()) == MIRA


def test_one_after_another_and_at_once(on_the_engine: Kit) -> None:
    async def main() -> list[Any]:
        return await asyncio.gather(*[on_the_engine.llm.acomplete(FRANCE) for _ in range(8)])

    for _ in range(2):
        assert {str(answer) for answer in asyncio.run(main())} == {PARIS}


def test_a_tool_that_must_be_called_is_called(kit: Kit) -> None:
    """To `Hello` the model says hello; it is held to the call, with no words before it."""
    place = {"place": {"enum": ["Paris", "Tokyo"]}}
    places = {"type": "object", "properties": place, "required": ["place"]}
    function = {"name": "get_weather", "description": "The weather.", "parameters": places}
    options: Any = {"tools": [{"type": "function", "function": function}], "tool_choice": True}
    response = kit.llm.chat([ChatMessage("Hello")], **options)
    (call,) = kit.llm.get_tool_calls_from_response(response)
    assert call.tool_name == "get_weather"
    assert call.tool_kwargs["place"] in ("Paris", "Tokyo")
    assert not response.message.content
    with pytest.raises(LocalMixError, match="max_tokens"):
        kit.llm.chat([ChatMessage("Hello")], **options, max_tokens=2)
