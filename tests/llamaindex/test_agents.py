"""Agents from end to end, with every message on the wire of both kinds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.workflow import Context
from pydantic import VERSION, BaseModel

from llamaindex_localmix import LocalMix
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUESTION = "What is the weather in Paris and Tokyo?"
PARIS: Any = ("id1", "get_weather", {"location": "Paris"})
TOKYO: Any = ("id2", "get_weather", {"location": "Tokyo"})


def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return f"Sunny in {location}." if location == "Paris" else ""


def run(agent: Any, *, on: Any = None, **options: Any) -> tuple[AgentOutput, list[Any], Any]:
    """Run an agent; give its output, its events and its context."""

    async def main() -> tuple[AgentOutput, list[Any], Any]:
        context = on or Context(agent)
        handler = agent.run(options.pop("user_msg", QUESTION), ctx=context, **options)
        events = [event async for event in handler.stream_events()]
        return await handler, events, context

    return asyncio.run(main())


async def _history(context: Any) -> list[ChatMessage]:
    memory = await context.store.get("memory")
    history: list[ChatMessage] = await memory.aget_all()
    return history


def roles(body: dict[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_function_agent(script: Any, kind: str, streaming: bool) -> None:
    """Peer defects 8 to 10: ids, the second of two calls, and the names of results were lost."""
    turns = Turn("I look.", thought="Hm.", calls=(PARIS, TOKYO)), Turn("Sunny in Paris.")
    server = script(*turns)
    agent = FunctionAgent(
        tools=[get_weather],
        llm=LocalMix(base_url=server.url),
        system_prompt="Be brief.",
        streaming=streaming,
    )
    output, events, context = run(agent)
    assert str(output) == "Sunny in Paris."
    called = [(call.tool_id, call.tool_kwargs["location"]) for call in output.tool_calls]
    assert sorted(called) == [("id1", "Paris"), ("id2", "Tokyo")]  # they run side by side
    first, second = sent(server)
    assert roles(first) == ["system", "user"]
    assert roles(second) == ["system", "user", "assistant", "tool", "tool"]
    said, paris, tokyo = second["messages"][2:]
    assert said["content"] == "I look."
    assert [call["id"] for call in said["tool_calls"]] == ["id1", "id2"]
    name = "tool_name" if kind == "ollama" else "name"
    results = [(each["tool_call_id"], each[name], each["content"]) for each in (paris, tokyo)]
    # An empty result is sent as empty.
    assert sorted(results) == [
        ("id1", "get_weather", "Sunny in Paris."),
        ("id2", "get_weather", ""),
    ]
    if streaming:
        steps = [event for event in events if isinstance(event, AgentStream)]
        assert "".join(step.thinking_delta or "" for step in steps) == "Hm."
        assert "".join(step.delta for step in steps) == "I look.Sunny in Paris."
    history = asyncio.run(_history(context))
    json.dumps([message.model_dump() for message in history])  # it can be stored


def test_a_first_choice_of_a_tool(script: Any, kind: str) -> None:
    """Core gives the name of a tool."""
    forced = json.dumps({"name": "get_weather", "parameters": {"location": "Paris"}})
    first = Turn(forced) if kind == "ollama" else Turn(calls=(PARIS,))
    server = script(first, Turn("Sunny."))
    agent = FunctionAgent(
        tools=[get_weather],
        llm=LocalMix(base_url=server.url),
        initial_tool_choice="get_weather",
    )
    output, *_ = run(agent)
    assert str(output) == "Sunny."
    assert [call.tool_name for call in output.tool_calls] == ["get_weather"]
    if kind == "lmstudio":
        assert [body.get("tool_choice") for body in sent(server)] == ["required", None]


def test_calls_one_after_another(script: Any) -> None:
    server = script(Turn(calls=(PARIS, TOKYO)), Turn(calls=(TOKYO,)), Turn("Sunny."))
    agent = FunctionAgent(
        tools=[get_weather],
        llm=LocalMix(base_url=server.url),
        allow_parallel_tool_calls=False,
    )
    output, *_ = run(agent)
    assert [call.tool_id for call in output.tool_calls] == ["id1", "id2"]


def test_two_system_messages_become_one(script: Any) -> None:
    """Memory writes one, and the agent another; strict templates refuse the second."""
    server = script(Turn("Hi."))
    agent = FunctionAgent(
        tools=[get_weather], llm=LocalMix(base_url=server.url), system_prompt="Be brief."
    )
    history = [ChatMessage(role=MessageRole.SYSTEM, content="You are Tiny.")]
    run(agent, user_msg="Hello", chat_history=history)
    (body,) = sent(server)
    assert roles(body) == ["system", "user"]
    assert body["messages"][0]["content"] == "Be brief.\n\nYou are Tiny."


def test_the_last_word_of_an_agent_that_must_stop(script: Any) -> None:
    """Core ends the history with a system message then."""
    server = script(Turn(calls=(PARIS,)), Turn("I stop."))
    agent = FunctionAgent(
        tools=[get_weather],
        llm=LocalMix(base_url=server.url),
        early_stopping_method="generate",
    )
    output, *_ = run(agent, max_iterations=1)
    assert str(output) == "I stop."
    assert roles(sent(server)[-1])[-1] == "user"
    assert "system" not in roles(sent(server)[-1])


def test_an_object_at_the_end(script: Any) -> None:
    class Weather(BaseModel):
        city: str
        is_sunny: bool

    server = script(Turn("Sunny."), Turn('{"city": "Paris", "is_sunny": true}'))
    agent = FunctionAgent(
        tools=[get_weather], llm=LocalMix(base_url=server.url), output_cls=Weather
    )
    output, *_ = run(agent)
    assert output.structured_response == {"city": "Paris", "is_sunny": True}


@pytest.mark.skipif(
    tuple(map(int, VERSION.split(".")[:2])) >= (2, 14),
    reason="llama-index-core 0.14.25 cannot store a chat with pydantic 2.14",
)
def test_an_agent_goes_on_where_it_was(script: Any) -> None:
    server = script(Turn(calls=(PARIS,)), Turn("Sunny."), Turn("You are welcome."))
    agent = FunctionAgent(tools=[get_weather], llm=LocalMix(base_url=server.url))
    *_, context = run(agent)
    stored = json.loads(json.dumps(context.to_dict()))
    output, *_ = run(agent, on=Context.from_dict(agent, stored), user_msg="Thanks!")
    assert str(output) == "You are welcome."
    assert roles(sent(server)[-1]) == ["user", "assistant", "tool", "assistant", "user"]


def test_a_react_agent(script: Any) -> None:
    """It reads the text alone: thoughts that leak into it break it."""
    act = 'Thought: I look.\nAction: get_weather\nAction Input: {"location": "Paris"}'
    answer = "Thought: I can answer without using any more tools.\nAnswer: It is sunny."
    server = script(Turn(act, thought="Hm."), Turn(answer, thought="Hm."))
    agent = ReActAgent(tools=[get_weather], llm=LocalMix(base_url=server.url))
    output, *_ = run(agent)
    assert str(output) == "It is sunny."
    assert "Observation: Sunny in Paris." in json.dumps(sent(server)[1]["messages"])
    assert all("tools" not in body for body in sent(server))


def test_an_agent_that_acts_by_code(script: Any) -> None:
    """It adds up the deltas itself, so they must be exact."""
    code = "print(6 * 7)"
    server = script(Turn(f"I compute. <execute>\n{code}\n</execute>"), Turn("It is 42."))
    seen: list[str] = []

    async def execute(code: str) -> dict[str, str]:
        seen.append(code.strip())
        return {"output": "42"}

    agent = CodeActAgent(code_execute_fn=execute, llm=LocalMix(base_url=server.url))
    output, *_ = run(agent)
    assert str(output) == "It is 42."
    assert seen == [code]


def test_a_workflow_hands_over(script: Any) -> None:
    hand_over: Any = ("id0", "handoff", {"to_agent": "weather", "reason": "It knows."})
    server = script(Turn(calls=(hand_over,)), Turn(calls=(PARIS,)), Turn("Sunny."))
    llm = LocalMix(base_url=server.url)
    front = FunctionAgent(
        name="front",
        description="Greets.",
        llm=llm,
        system_prompt="You are the front desk.",
        can_handoff_to=["weather"],
    )
    weather = FunctionAgent(
        name="weather",
        description="Knows the weather.",
        llm=llm,
        system_prompt="You know the weather.",
        tools=[get_weather],
    )
    output, *_ = run(AgentWorkflow(agents=[front, weather], root_agent="front"))
    assert str(output) == "Sunny."
    assert output.current_agent_name == "weather"
    systems = [body["messages"][0]["content"] for body in sent(server)]
    assert systems == ["You are the front desk.", *["You know the weather."] * 2]


@pytest.mark.parametrize(("calls_tools", "kind_of_agent"), [(True, "Function"), (False, "ReAct")])
def test_the_agent_that_a_model_is_good_for(calls_tools: bool, kind_of_agent: str) -> None:
    llm = LocalMix(is_function_calling_model=calls_tools)
    workflow = AgentWorkflow.from_tools_or_functions([get_weather], llm=llm)
    (agent,) = workflow.agents.values()
    assert type(agent).__name__ == f"{kind_of_agent}Agent"
