"""Engines that ask more than once: what each turn was, on the wire of both kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core import Document, PromptTemplate, SummaryIndex, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import CorrectnessEvaluator, FaithfulnessEvaluator
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool

from llamaindex_localmix import LocalMix
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = ("The lighthouse is old.", "The bridge is red.")
DOCUMENTS = [Document(text=text) for text in TEXTS]


def said(server: Any) -> list[str]:
    """Give all that was asked in each turn."""
    return [" ".join(m["content"] for m in body["messages"]) for body in sent(server)]


def summary_engine(llm: LocalMix, **options: Any) -> Any:
    return SummaryIndex.from_documents(DOCUMENTS).as_query_engine(llm=llm, **options)


def test_an_answer_is_refined(script: Any) -> None:
    server = script(Turn("Old."), Turn("Old and red."))
    prompt = PromptTemplate("Text: {context_str} Question: {query_str}")
    engine = summary_engine(
        LocalMix(base_url=server.url, system_prompt="Be brief."),
        response_mode="refine",
        text_qa_template=prompt,
        refine_template=PromptTemplate("Text: {context_msg} So far: {existing_answer}"),
    )
    assert str(engine.query("What is there?")) == "Old and red."
    first, second = said(server)
    assert first == "Be brief. Text: The lighthouse is old. Question: What is there?"
    assert second == "Be brief. Text: The bridge is red. So far: Old."


@pytest.mark.parametrize("use_async", [False, True])
def test_a_tree_is_summarized(script: Any, use_async: bool) -> None:
    """With `use_async` LlamaIndex runs a loop of its own for the branches."""
    server = script(Turn("Old and red."))
    engine = summary_engine(
        LocalMix(base_url=server.url), response_mode="tree_summarize", use_async=use_async
    )
    assert str(engine.query("What is there?")) == "Old and red."
    assert all(text in said(server)[0] for text in TEXTS)


def tools_of(llm: LocalMix) -> list[QueryEngineTool]:
    return [
        QueryEngineTool.from_defaults(
            SummaryIndex.from_documents([document]).as_query_engine(llm=llm),
            name=f"place{number}",
            description=f"Knows of place {number}.",
        )
        for number, document in enumerate(DOCUMENTS)
    ]


def test_a_router_chooses_by_a_tool(script: Any, kind: str) -> None:
    choice = {"index": 2, "reason": "It asks for the bridge."}
    call: Any = ("id1", "SingleSelection", choice)
    forced = json.dumps({"name": "SingleSelection", "parameters": choice})
    server = script(Turn(forced) if kind == "ollama" else Turn(calls=(call,)), Turn("Red."))
    llm = LocalMix(base_url=server.url)
    selector = PydanticSingleSelector.from_defaults(llm=llm)  # type: ignore[arg-type]
    engine = RouterQueryEngine(selector, tools_of(llm), llm=llm)
    assert str(engine.query("What color is the bridge?")) == "Red."
    assert "The bridge is red." in said(server)[1]


def test_a_router_chooses_in_words(script: Any) -> None:
    """Core takes this way where metadata says that the model calls no tools."""
    server = script(Turn('[{"choice": 1, "reason": "Light."}]'), Turn("Old."))
    llm = LocalMix(base_url=server.url, is_function_calling_model=False)
    engine = RouterQueryEngine.from_defaults(tools_of(llm), llm=llm)
    assert isinstance(engine._selector, LLMSingleSelector)
    assert str(engine.query("How old is the lighthouse?")) == "Old."
    assert "tools" not in sent(server)[0]


def test_a_question_is_split(script: Any) -> None:
    questions = [
        {"sub_question": "How old is the lighthouse?", "tool_name": "place0"},
        {"sub_question": "What color is the bridge?", "tool_name": "place1"},
    ]
    written = "```json\n" + json.dumps({"items": questions}) + "\n```"
    server = script(Turn(written), Turn("Old."), Turn("Red."), Turn("Old, and red."))
    llm = LocalMix(base_url=server.url)
    engine = SubQuestionQueryEngine.from_defaults(
        query_engine_tools=tools_of(llm),
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        llm=llm,
        use_async=False,
        verbose=False,
    )
    assert str(engine.query("What of the lighthouse and the bridge?")) == "Old, and red."
    assert "Old." in said(server)[3]
    assert "Red." in said(server)[3]


def test_a_chat_is_condensed_into_one_question(script: Any) -> None:
    server = script(Turn("Old."), Turn("What color is the bridge?"), Turn("Red."))
    llm = LocalMix(base_url=server.url)
    index = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=MockEmbedding(4))
    engine = CondensePlusContextChatEngine.from_defaults(
        retriever=index.as_retriever(),
        llm=llm,
        memory=ChatMemoryBuffer.from_defaults(llm=llm),
    )
    assert engine.chat("How old is the lighthouse?").response == "Old."
    assert engine.chat("And the bridge?").response == "Red."
    last = sent(server)[-1]["messages"]
    assert [message["role"] for message in last] == ["system", "user", "assistant", "user"]
    assert TEXTS[1] in last[0]["content"]


def test_chat_engines_know_a_call_that_is_streamed(script: Any) -> None:
    """They look for it in the plain list of the message."""
    from llama_index.core.chat_engine.types import is_function

    call: Any = ("id1", "f", {})
    server = script(Turn(calls=(call,)))
    *_, last = LocalMix(base_url=server.url).stream_chat([ChatMessage(content="hello")])
    assert is_function(last.message)
    assert last.message.role == MessageRole.ASSISTANT


def test_evaluators(script: Any) -> None:
    server = script(Turn("YES"), Turn("4.5\nGood."))
    llm = LocalMix(base_url=server.url)
    faithful = FaithfulnessEvaluator(llm=llm).evaluate(response="Old.", contexts=[TEXTS[0]])
    assert faithful.passing
    correct = CorrectnessEvaluator(llm=llm).evaluate(
        query="How old?", response="Old.", reference="Old."
    )
    assert (correct.score, correct.passing) == (4.5, True)
