"""What a program keeps: memory blocks, and a `Context` that is put away and taken up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import (
    ChatSummaryMemoryBuffer,
    FactExtractionMemoryBlock,
    InsertMethod,
    Memory,
    StaticMemoryBlock,
    VectorMemoryBlock,
)
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryResult
from llama_index.core.workflow import Context, JsonPickleSerializer, JsonSerializer
from pydantic import VERSION, Field

from llamaindex_localmix import LocalMix
from tests.llamaindex.conversations import BRIDGE, TEXTS, Kit
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LONG = "The red bridge was designed by Mira Okafor and finished in 1987. " * 20


def say(role: str, text: str) -> ChatMessage:
    return ChatMessage(role=role, content=text)


@pytest.mark.parametrize("method", InsertMethod)
def test_blocks_of_a_memory_reach_the_model(script: Any, method: InsertMethod) -> None:
    """What is flushed goes to the block that keeps facts; what it kept stands in the next turn."""
    facts = Turn("<facts><fact>The bridge is red.</fact></facts>")
    server = script(facts, Turn("Red."))
    llm = LocalMix(base_url=server.url)
    memory = Memory.from_defaults(
        token_limit=200,
        chat_history_token_ratio=0.5,
        token_flush_size=100,
        tokenizer_fn=llm.tokenizer,
        insert_method=method,
        memory_blocks=[
            StaticMemoryBlock(name="who", static_content="The user is Ada.", priority=0),
            FactExtractionMemoryBlock(name="facts", llm=llm, priority=1),
        ],
    )

    async def main() -> str:
        await memory.aput_messages([say("user", LONG), say("assistant", "I see.")])
        agent = FunctionAgent(llm=llm, system_prompt="Be brief.", tools=[])
        answer = str(await agent.run("What color is the bridge?", memory=memory))
        store: Any = memory.sql_store
        await store._async_engine.dispose()  # core leaves it open
        return answer

    assert asyncio.run(main()) == "Red."
    extracted, asked = sent(server)
    assert extracted["messages"][0]["content"] == LONG
    roles = [message["role"] for message in asked["messages"]]
    assert roles.count("system") == 1  # that of the agent and that of the memory
    assert roles[-1] == "user"
    kept = asked["messages"][0 if method is InsertMethod.SYSTEM else -1]["content"]
    assert "The user is Ada." in kept
    assert "<fact>The bridge is red.</fact>" in kept


class Texts(SimpleVectorStore):
    """Core's own store, which also keeps the texts, as those in databases do."""

    stores_text: bool = True
    kept: dict[str, BaseNode] = Field(default_factory=dict)

    def add(self, nodes: Sequence[BaseNode], **options: Any) -> list[str]:
        self.kept |= {node.node_id: node for node in nodes}
        return super().add(list(nodes), **options)

    def query(self, query: VectorStoreQuery, **options: Any) -> VectorStoreQueryResult:
        found = super().query(query, **options)
        found.nodes = [self.kept[id_] for id_ in found.ids or ()]
        return found


def test_a_memory_that_is_searched(engine_alone: None) -> None:
    """Live: what was flushed is embedded, and found again by what is asked."""
    block = VectorMemoryBlock(
        vector_store=Texts(),
        embed_model=Kit.on(()).embed_model,
        similarity_top_k=1,
        retrieval_context_window=1,
    )

    async def main() -> str:
        for text in TEXTS:
            await block.aput([say("user", text)])
        return str(await block.aget([say("user", BRIDGE)]))

    found = asyncio.run(main())
    assert TEXTS[0] in found
    assert TEXTS[1] not in found


def test_a_memory_that_sums_up(script: Any) -> None:
    server = script(Turn("They spoke of a bridge."))
    llm = LocalMix(base_url=server.url)
    memory = ChatSummaryMemoryBuffer.from_defaults(
        chat_history=[say("user", LONG), say("assistant", "I see."), say("user", "Who?")],
        llm=llm,
        token_limit=50,
        tokenizer_fn=llm.tokenizer,
    )
    first, last = memory.get()
    assert first.content == "They spoke of a bridge."
    assert last.content == "Who?"
    (body,) = sent(server)
    assert LONG.strip() in body["messages"][-1]["content"]


def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return f"Sunny in {location}."


PARIS: Any = ("id1", "get_weather", {"location": "Paris"})
HAND_OVER: Any = ("id0", "handoff", {"to_agent": "weather", "reason": "It knows."})


def desk(llm: LocalMix) -> AgentWorkflow:
    """Make a workflow of two agents that hand over to each other."""
    front = FunctionAgent(name="front", description="Greets.", llm=llm, can_handoff_to=["weather"])
    weather = FunctionAgent(
        name="weather",
        description="Knows the weather.",
        llm=llm,
        tools=[get_weather],
        can_handoff_to=["front"],
    )
    return AgentWorkflow(agents=[front, weather], root_agent="front", initial_state={"n": 1})


NO_CHAT_STORE = pytest.mark.skipif(
    tuple(map(int, VERSION.split(".")[:2])) >= (2, 14),
    reason="llama-index-core 0.14.25 cannot store a chat with pydantic 2.14",
)


@pytest.mark.parametrize(
    "serializer",
    [pytest.param(JsonSerializer(), marks=NO_CHAT_STORE), JsonPickleSerializer()],
    ids=type,
)
def test_a_workflow_goes_on_in_another_process(script: Any, serializer: Any) -> None:
    """Its `Context` is text meanwhile: thoughts, calls and results of both agents are in it."""
    server = script(
        Turn(calls=(HAND_OVER,), thought="Hm."),
        Turn("I look.", calls=(PARIS,), thought="Hm."),
        Turn("Sunny."),
        Turn("You are welcome."),
    )

    async def ask(text: str, question: str) -> tuple[str, str, str]:
        workflow = desk(LocalMix(base_url=server.url))
        stored = json.loads(text) if text else None
        context = Context.from_dict(workflow, stored, serializer) if stored else Context(workflow)
        output: Any = await workflow.run(question, ctx=context)
        return json.dumps(context.to_dict(serializer)), str(output), output.current_agent_name

    stored, *first = asyncio.run(ask("", "What is the weather in Paris?"))
    assert first == ["Sunny.", "weather"]
    _, *second = asyncio.run(ask(stored, "Thanks!"))
    assert second == ["You are welcome.", "weather"]
    last = sent(server)[-1]["messages"]
    assert [message["role"] for message in last] == [
        *("user", "assistant", "tool", "assistant", "tool", "assistant", "user"),
    ]
    assert last[-2]["content"] == "Sunny."
    called = [call["id"] for message in last for call in message.get("tool_calls", ())]
    answered = [message["tool_call_id"] for message in last if message["role"] == "tool"]
    assert called == answered == ["id0", "id1"]
