"""Programs that people write with LlamaIndex, turn by turn on the wire of both kinds."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Literal, cast

import pytest
from llama_index.core import Document, PropertyGraphIndex, SummaryIndex, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import (
    AnswerRelevancyEvaluator,
    BatchEvalRunner,
    ContextRelevancyEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.extractors import (
    DocumentContextExtractor,
    KeywordExtractor,
    QuestionsAnsweredExtractor,
    SummaryExtractor,
    TitleExtractor,
)
from llama_index.core.indices.property_graph import (
    DynamicLLMPathExtractor,
    SchemaLLMPathExtractor,
    SimpleLLMPathExtractor,
)
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import LLMRerank, StructuredLLMRerank
from llama_index.core.program import MultiModalLLMCompletionProgram
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import (
    ImageNode,
    NodeRelationship,
    NodeWithScore,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.storage.docstore import SimpleDocumentStore
from pydantic import BaseModel

from llamaindex_localmix import LocalMix
from tests import stand_ins
from tests.llamaindex.scripted import Turn, sent
from tests.loopback import whole

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = ("The lighthouse is old.", "The bridge is red.")
NODES = [TextNode(text=text, id_=str(number)) for number, text in enumerate(TEXTS)]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


def words(server: Any) -> list[str]:
    """Give all that was asked in each turn."""
    return [" ".join(m["content"] for m in body["messages"]) for body in sent(server)]


def test_citations(script: Any) -> None:
    server = script(Turn("It is red [2]."), Turn("It is red [2]."))
    llm = LocalMix(base_url=server.url)
    index = VectorStoreIndex(nodes=NODES, embed_model=MockEmbedding(4))
    engine = CitationQueryEngine.from_args(index, llm=llm, similarity_top_k=2)
    response = engine.query("What color is the bridge?")
    assert str(response) == "It is red [2]."
    assert [node.text[:8] for node in response.source_nodes] == ["Source 1", "Source 2"]
    asyncio.run(engine.aquery("What color is the bridge?"))
    for asked in words(server):
        assert "Source 1:\n" in asked
        assert all(text in asked for text in TEXTS)


# Graphs


def graph_of(extractor: Any) -> list[str]:
    """Build a graph of one text; list what stands in it."""
    index = PropertyGraphIndex(
        nodes=[TextNode(text="Mira designed the bridge.")],
        kg_extractors=[extractor],
        embed_model=MockEmbedding(4),
        embed_kg_nodes=False,
    )
    found = index.property_graph_store.get_triplets(entity_names=["Mira"])
    return [f"{one.name} {link.label} {other.name}" for one, link, other in cast("Any", found)]


def test_a_graph_by_words(script: Any) -> None:
    server = script(Turn("(Mira, designed, bridge)"))
    extractor = SimpleLLMPathExtractor(llm=LocalMix(base_url=server.url), num_workers=1)
    assert graph_of(extractor) == ["Mira Designed Bridge"]


def test_a_graph_by_a_schema(script: Any, kind: str) -> None:
    """The server is held to the schema; its references are written out for local grammars."""
    triplet = {
        "subject": {"type": "PERSON", "name": "Mira"},
        "relation": {"type": "DESIGNED"},
        "object": {"type": "THING", "name": "bridge"},
    }
    server = script(Turn(json.dumps({"triplets": [triplet]})))
    extractor = SchemaLLMPathExtractor(
        llm=LocalMix(base_url=server.url),
        possible_entities=Literal["PERSON", "THING"],  # type: ignore[arg-type]
        possible_relations=Literal["DESIGNED"],  # type: ignore[arg-type]
        kg_validation_schema=[("PERSON", "DESIGNED", "THING")],
        num_workers=1,
    )
    assert graph_of(extractor) == ["Mira DESIGNED bridge"]
    (body,) = sent(server)
    schema = body["format"] if kind == "ollama" else body["response_format"]["json_schema"]
    assert '"PERSON", "THING"' in json.dumps(schema)


def test_a_graph_as_it_comes(script: Any) -> None:
    found = {"head": "Mira", "head_type": "P", "relation": "DESIGNED", "tail": "bridge"}
    server = script(Turn(json.dumps([found | {"tail_type": "T"}])))
    extractor = DynamicLLMPathExtractor(llm=LocalMix(base_url=server.url), num_workers=1)
    assert graph_of(extractor) == ["Mira DESIGNED bridge"]


# Judges


def test_judges_in_a_batch(script: Any) -> None:
    server = script(*[Turn("YES")] * 4)
    llm = LocalMix(base_url=server.url)
    runner = BatchEvalRunner(
        {"faithful": FaithfulnessEvaluator(llm=llm), "relevant": RelevancyEvaluator(llm=llm)},
        workers=2,
    )
    judged = asyncio.run(
        runner.aevaluate_response_strs(
            queries=["How old?", "What color?"],
            response_strs=["Old.", "Red."],
            contexts_list=[[text] for text in TEXTS],
        )
    )
    assert {name: [each.passing for each in results] for name, results in judged.items()} == {
        "faithful": [True, True],
        "relevant": [True, True],
    }
    assert len(sent(server)) == 4


def test_judges_of_all_sorts(script: Any) -> None:
    guided = json.dumps({"passing": True, "feedback": "Brief."})
    server = script(
        Turn(f"```json\n{guided}\n```"),
        Turn("It is so.\n\n[RESULT] 2"),
        Turn("It helps.\n\n[RESULT] 4"),
        Turn("The first is better. [[A]]"),
        Turn("The first is better. [[B]]"),
    )
    llm = LocalMix(base_url=server.url)
    asked: Any = {"query": "How old is the lighthouse?", "response": "Old."}
    guideline = GuidelineEvaluator(llm=llm, guidelines="Be brief.")
    assert guideline.evaluate(**asked, contexts=[TEXTS[0]]).passing
    assert AnswerRelevancyEvaluator(llm=llm).evaluate(**asked).score == 1.0
    relevant = ContextRelevancyEvaluator(llm=llm).evaluate(**asked, contexts=[TEXTS[0]])
    assert relevant.score == 1.0
    pairwise = PairwiseComparisonEvaluator(llm=llm)
    assert pairwise.evaluate(**asked, second_response="New.").score == 1.0


# Nodes


@pytest.mark.slow
@pytest.mark.parametrize("workers", [None, 2])
def test_what_is_extracted_of_each_text(script: Any, workers: int | None) -> None:
    """Extractors ask for all nodes at once, in a loop or in processes of their own."""
    server = script(*[Turn("Words.")] * 10)
    llm = LocalMix(base_url=server.url)
    pipeline = IngestionPipeline(
        transformations=[
            TitleExtractor(llm=llm, nodes=1),
            SummaryExtractor(llm=llm),
            KeywordExtractor(llm=llm),
            QuestionsAnsweredExtractor(llm=llm),
        ],
        disable_cache=True,
    )
    nodes = pipeline.run(nodes=[node.model_copy(deep=True) for node in NODES], num_workers=workers)
    assert [node.get_content() for node in nodes] == list(TEXTS)
    for node in nodes:
        assert set(node.metadata.values()) == {"Words."}
        assert len(node.metadata) == 4


def test_a_text_is_told_of_its_document(script: Any) -> None:
    """The extractor says a header of Anthropic's to every model, and swallows errors."""
    server = script(Turn("It is of a lighthouse."))
    store = SimpleDocumentStore()
    store.add_documents([Document(text=TEXTS[0], id_="a")])
    node = TextNode(
        text=TEXTS[0], relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id="a")}
    )
    extractor = DocumentContextExtractor(
        docstore=store, llm=LocalMix(base_url=server.url), max_context_length=1000
    )
    (told,) = extractor([node])
    assert told.metadata == {"context": "It is of a lighthouse."}


def test_texts_are_put_in_order(script: Any) -> None:
    ranked = {"documents": [{"document_number": 2, "relevance": 9}]}
    server = script(Turn("Doc: 2, Relevance: 9"), Turn(json.dumps(ranked)))
    llm = LocalMix(base_url=server.url)
    nodes = [NodeWithScore(node=node) for node in NODES]
    for postprocessor in (LLMRerank(llm=llm), StructuredLLMRerank(llm=llm)):
        best = postprocessor.postprocess_nodes(nodes, query_str="What color is the bridge?")
        assert [(each.text, each.score) for each in best] == [(TEXTS[1], 9.0)]


# Pictures


class Picture(BaseModel):
    title: str


@pytest.fixture
def seeing(script: Any, kind: str) -> Any:
    """Start a server of the kind whose model sees; Ollama's listing leaves that open."""

    def begin(*turns: Turn) -> Any:
        server = script(*turns)
        if kind == "lmstudio":
            entry = stand_ins._lmstudio_entry("tiny", is_loaded=True)
            entry["capabilities"]["vision"] = True
            server.routes["GET /api/v1/models"] = whole({"models": [entry]})
        return server

    return begin


def pictures(body: dict[str, Any]) -> list[bytes]:
    """List the pictures of the last message."""
    last = body["messages"][-1]
    data = last.get("images") or [
        part["image_url"]["url"].partition(",")[2]
        for part in last["content"]
        if part["type"] == "image_url"
    ]
    return [base64.b64decode(each) for each in data]


def test_an_object_of_a_picture(seeing: Any) -> None:
    server = seeing(Turn('{"title": "A bridge"}'))
    program = MultiModalLLMCompletionProgram.from_defaults(
        output_cls=Picture,
        prompt_template_str="What is it?",
        multi_modal_llm=LocalMix(base_url=server.url),
        image_documents=[ImageBlock(image=PNG)],
    )
    assert program() == Picture(title="A bridge")
    (body,) = sent(server)
    assert pictures(body) == [PNG]


def test_a_picture_in_a_conversation(seeing: Any) -> None:
    server = seeing(Turn("A bridge."), Turn("Red."))
    llm = LocalMix(base_url=server.url)
    blocks = [ImageBlock(image=PNG), TextBlock(text="What is it?")]
    memory = ChatMemoryBuffer.from_defaults(
        chat_history=[ChatMessage(role="user", blocks=blocks)], llm=llm
    )
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    engine.chat("And its color?")
    first, *_ = sent(server)[0]["messages"]
    assert pictures({"messages": [first]}) == [PNG]


def test_an_answer_from_pictures(seeing: Any) -> None:
    """With `multi_modal` the synthesizer writes the pictures of the nodes into the question."""
    server = seeing(Turn("A bridge."))
    index = SummaryIndex(nodes=[ImageNode(text="A picture.", image=base64.b64encode(PNG).decode())])
    engine = index.as_query_engine(llm=LocalMix(base_url=server.url), multimodal=True)
    assert str(engine.query("What is it?")) == "A bridge."
