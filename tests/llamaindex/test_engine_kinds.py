"""Every kind of engine that core has: what the model says in each turn, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core import (
    Document,
    DocumentSummaryIndex,
    KeywordTableIndex,
    PropertyGraphIndex,
    Settings,
    SQLDatabase,
    VectorStoreIndex,
)
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import RelevancyEvaluator
from llama_index.core.indices.property_graph import SimpleLLMPathExtractor
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.indices.query.query_transform.base import StepDecomposeQueryTransform
from llama_index.core.postprocessor.rankGPT_rerank import RankGPTRerank
from llama_index.core.query_engine import (
    MultiStepQueryEngine,
    NLSQLTableQueryEngine,
    RetrieverQueryEngine,
    RetryQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.retrievers import QueryFusionRetriever, VectorIndexAutoRetriever
from llama_index.core.vector_stores import MetadataInfo, VectorStoreInfo
from pydantic import BaseModel
from sqlalchemy import StaticPool, create_engine, text

from llamaindex_localmix import LocalMix
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DOCUMENTS = [Document(text="The lighthouse is old."), Document(text="The bridge is red.")]
KINDS: dict[Callable[[Any], Any], tuple[str, ...]] = {}
CLOSE: list[Callable[[], None]] = []  # what the engines of a test hold open


def says(*turns: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Enter an engine in the table, with what the model says; the last is the answer."""

    def enter(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        KINDS[make] = turns
        return make

    return enter


class Color(BaseModel):
    name: str


def vectors(**options: Any) -> Any:
    return VectorStoreIndex.from_documents(DOCUMENTS).as_query_engine(**options)


@says("KEYWORDS: lighthouse", "KEYWORDS: bridge, red", "KEYWORDS: bridge", "Red.")
def keywords(llm: LocalMix) -> Any:
    return KeywordTableIndex.from_documents(DOCUMENTS).as_query_engine()


@says("A lighthouse.", "A bridge.", "Red.")
def summaries(llm: LocalMix) -> Any:
    return DocumentSummaryIndex.from_documents(DOCUMENTS).as_query_engine()


@says("The bridge is likely red.", "Red.")
def a_made_up_document(llm: LocalMix) -> Any:
    return TransformQueryEngine(vectors(), HyDEQueryTransform(include_original=True))


@says("What bridge?", "The red one.", "None", "Red.")
def several_steps(llm: LocalMix) -> Any:
    return MultiStepQueryEngine(vectors(), StepDecomposeQueryTransform(llm=llm))


@says("What bridge?\nWhat color?", "Red.")
def fused_questions(llm: LocalMix) -> Any:
    retriever = VectorStoreIndex.from_documents(DOCUMENTS).as_retriever()
    return RetrieverQueryEngine.from_args(QueryFusionRetriever([retriever], num_queries=3))


@says(json.dumps({"query": "bridge", "filters": [], "top_k": 1}), "Red.")
def filters_by_the_model(llm: LocalMix) -> Any:
    about = VectorStoreInfo(
        content_info="Places.",
        metadata_info=[MetadataInfo(name="kind", type="str", description="What it is.")],
    )
    index = VectorStoreIndex.from_documents(DOCUMENTS)
    return RetrieverQueryEngine.from_args(VectorIndexAutoRetriever(index, about))


@says("SELECT color FROM bridges", "Red.")
def a_database(llm: LocalMix) -> Any:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    CLOSE.append(engine.dispose)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bridges (color TEXT)"))
        connection.execute(text("INSERT INTO bridges VALUES ('red')"))
    return NLSQLTableQueryEngine(SQLDatabase(engine), tables=["bridges"])


@says("(Lighthouse, is, old)", "(Bridge, is, red)", "bridge^color", "Red.")
def a_graph(llm: LocalMix) -> Any:
    extractor = SimpleLLMPathExtractor(llm=llm, num_workers=1)
    index = PropertyGraphIndex.from_documents(
        DOCUMENTS, kg_extractors=[extractor], embed_kg_nodes=False
    )
    return index.as_query_engine()


@says("Red.", "YES")
def answers_that_are_judged(llm: LocalMix) -> Any:
    return RetryQueryEngine(vectors(), RelevancyEvaluator())


@says(json.dumps({"answer": "Red.", "query_satisfied": True}))
def answers_that_are_filtered(llm: LocalMix) -> Any:
    return vectors(
        structured_answer_filtering=True, response_mode="compact_accumulate", similarity_top_k=1
    )


@says("[2] > [1]", "Red.")
def a_ranking(llm: LocalMix) -> Any:
    return vectors(node_postprocessors=[RankGPTRerank(llm=llm, top_n=1)])


@says(json.dumps({"name": "Red."}))
def an_object(llm: LocalMix) -> Any:
    return vectors(output_cls=Color, response_mode="compact")


@pytest.fixture
def _mock_vectors() -> Iterator[None]:
    Settings.embed_model = MockEmbedding(4)
    yield
    while CLOSE:
        CLOSE.pop()()
    Settings._llm = Settings._embed_model = Settings._prompt_helper = None
    Settings._callback_manager = None


@pytest.mark.usefixtures("_mock_vectors")
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_an_engine(script: Any, make: Callable[[Any], Any]) -> None:
    turns = KINDS[make]
    server = script(*map(Turn, turns))
    Settings.llm = LocalMix(base_url=server.url)
    response = make(Settings.llm).query("What color is the bridge?")
    assert "Red." in str(response)
    assert len(sent(server)) == len(turns)
