"""Tools of a real MCP server, which runs as a process of its own and speaks over stdio."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
from llama_index.core.tools import FunctionTool
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

from llamaindex_localmix import LocalMix
from tests.llamaindex.conversations import WEATHER, Kit
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

PARIS: Any = ("id1", "get_weather", {"location": "Paris"})


async def tools() -> list[FunctionTool]:
    client = BasicMCPClient(sys.executable, args=["-m", "tests.mcp_server"])
    return list(await McpToolSpec(client).to_tool_list_async())


async def results(agent: FunctionAgent) -> tuple[str, list[ToolCallResult]]:
    """Ask for the weather; give the answer, and what the tools gave."""
    handler = agent.run(WEATHER)
    events = [event async for event in handler.stream_events()]
    return str(await handler), [each for each in events if isinstance(each, ToolCallResult)]


def test_an_agent_calls_the_tools_of_a_server(engine_alone: None) -> None:
    """Live: a small model reads the schemas that the server wrote, and calls the right one."""

    async def main() -> list[ToolCallResult]:
        return (await results(FunctionAgent(tools=await tools(), llm=Kit.on(()).llm)))[1]

    (called, *_) = asyncio.run(main())
    assert (called.tool_name, called.tool_kwargs) == ("get_weather", {"location": "Paris"})
    assert not called.tool_output.is_error
    assert "It's sunny." in str(called.tool_output)


def test_what_a_server_says_of_its_tools_is_sent_as_it_stands(script: Any) -> None:
    server = script(Turn(calls=(PARIS,)), Turn("It is sunny."))

    async def main() -> str:
        agent = FunctionAgent(tools=await tools(), llm=LocalMix(base_url=server.url))
        return (await results(agent))[0]

    assert asyncio.run(main()) == "It is sunny."
    first, second = sent(server)
    weather, clock = (tool["function"] for tool in first["tools"])
    assert (weather["name"], clock["name"]) == ("get_weather", "get_time")
    assert weather["description"] == "Get the weather at a location."
    assert weather["parameters"]["required"] == ["location"]
    assert weather["parameters"]["properties"]["location"]["type"] == "string"
    assert clock["parameters"]["properties"] == {}
    result = second["messages"][-1]
    assert (result["role"], result["tool_call_id"]) == ("tool", "id1")
    assert "It's sunny." in json.dumps(result["content"])
