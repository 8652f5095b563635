"""Agents on models that would rather chat: the answer is structured all the same, and soon."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, ndjson, whole

ANSWER = {"country": "France", "capital": "Paris"}
PROSE = "I would say that it is Paris."


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


class Capital(BaseModel):
    """A country and its capital."""

    country: str
    capital: str


def ollama() -> LoopbackServer:
    """Be an Ollama with a model that writes JSON only where a grammar holds it to it."""

    def reply(exchange: Exchange) -> None:
        schema = exchange.json.get("format") or {}
        content = PROSE
        if "capital" in schema.get("properties", {}):
            content = json.dumps(ANSWER)
        elif schema:  # held to a call
            content = json.dumps({"name": "Capital", "parameters": ANSWER})
        done = {**stand_ins.OLLAMA_DONE, "message": {"content": content}}
        stand_ins.either_way(ndjson(done), whole(done))(exchange)

    return stand_ins.ollama(POST__api_chat=reply)


def lmstudio() -> LoopbackServer:
    """Be an LM Studio with such a model."""

    def reply(exchange: Exchange) -> None:
        asked = exchange.json
        message: dict[str, Any] = {"content": PROSE}
        if asked.get("response_format"):
            message = {"content": json.dumps(ANSWER)}
        elif asked.get("tool_choice") == "required":
            function = {"name": "Capital", "arguments": json.dumps(ANSWER)}
            message = {"tool_calls": [{"id": "1", "type": "function", "function": function}]}
        choice = {"message": message, "finish_reason": "stop"}
        whole({"model": "tiny", "choices": [choice]})(exchange)

    return stand_ins.lmstudio(POST__v1_chat_completions=reply)


@pytest.mark.parametrize("kind", [ollama, lmstudio])
@pytest.mark.parametrize("tools", [[], [get_weather]], ids=["no tools", "tools"])
@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy, lambda schema: schema])
def test_prose_becomes_a_structured_response(
    start: Any, kind: Any, tools: Any, strategy: Any
) -> None:
    server = start(kind())
    model = ChatLocalMix(base_url=server.url)
    agent: Any = create_agent(model, tools, response_format=strategy(Capital))
    asked = {"messages": [HumanMessage("What is the capital of France?")]}
    for state in (agent.invoke(asked), asyncio.run(agent.ainvoke(asked))):
        assert state["structured_response"] == Capital(**ANSWER)
    chats = [each for each in server.requests if "/chat" in each.path]
    assert len(chats) == (4 if tools and strategy is not ToolStrategy else 2)


def test_a_turn_that_asks_twice_counts_twice(start: Any) -> None:
    server = start(ollama())
    bound = ChatLocalMix(base_url=server.url).bind_tools([get_weather], response_format=Capital)
    streamed: Any = None
    for chunk in bound.stream("What is the capital of France?"):
        streamed = chunk if streamed is None else streamed + chunk
    message: Any
    for message in (bound.invoke("What is the capital of France?"), streamed):
        assert json.loads(message.text) == ANSWER
        assert message.usage_metadata["input_tokens"] == 2 * 19
        assert message.usage_metadata["output_tokens"] == 2 * 26
        route = message.response_metadata["route"]
        assert [earlier["server"] for earlier in route["earlier"]] == [server.url]
