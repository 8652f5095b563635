"""`astream_events` and its kin: what happens while a model thinks, speaks and calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.tools import tool

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.loopback import LoopbackServer, events, ndjson

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


CALLS: list[dict[str, Any]] = [
    {"id": str(place), "function": {"name": "get_weather", "arguments": {"location": city}}}
    for place, city in enumerate(["Paris", "Tokyo"])
]
OPENAI_CALLS: list[dict[str, Any]] = [
    {
        "index": place,
        "id": str(place),
        "type": "function",
        "function": {"name": "get_weather", "arguments": f'{{"location": "{city}"}}'},
    }
    for place, city in enumerate(["Paris", "Tokyo"])
]


def ollama() -> LoopbackServer:
    """Think, speak and call; some of its frames say nothing."""
    says = stand_ins.ollama_says
    return stand_ins.ollama(
        POST__api_chat=ndjson(
            *[says(thinking=word) for word in ("Let ", "", "me ", "think.")],
            *[says(content=word) for word in ("", "I ", "call.")],
            *[says(tool_calls=[call]) for call in CALLS],
            says(),
            stand_ins.OLLAMA_DONE,
        )
    )


def lmstudio() -> LoopbackServer:
    """Do the same in OpenAI's words."""
    says = stand_ins.openai_says
    return stand_ins.lmstudio(
        POST__v1_chat_completions=events(
            says(role="assistant", content=None),
            *[says(reasoning_content=word, content="") for word in ("Let ", "", "me ", "think.")],
            *[says(content=word, tool_calls=[]) for word in ("", "I ", "call.")],
            *[says(tool_calls=[call]) for call in OPENAI_CALLS],
            says("tool_calls"),
            stand_ins.OPENAI_USAGE,
            b"[DONE]",
        )
    )


@pytest.fixture(params=[ollama, lmstudio])
def url(request: pytest.FixtureRequest, start: Any) -> str:
    return str(start(request.param()).url)


def says_something(chunk: AIMessageChunk) -> bool:
    is_last = chunk.chunk_position == "last"
    return is_last or bool(chunk.content or chunk.additional_kwargs or chunk.tool_call_chunks)


@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_no_chunk_is_empty(url: str, output_version: str) -> None:
    model = ChatLocalMix(base_url=url, output_version=output_version).bind_tools([get_weather])
    chunks: list[Any] = [
        event["data"]["chunk"]
        async for event in model.astream_events("Hello", version="v2")
        if event["event"] == "on_chat_model_stream"
    ]
    assert all(map(says_something, chunks))
    assert [chunk.additional_kwargs.get("reasoning_content") for chunk in chunks[:4]] == [
        "Let ",
        "me ",
        "think.",
        None,
    ]
    assert "".join(chunk.text for chunk in chunks) == "I call."
    assert sum(chunk.chunk_position == "last" for chunk in chunks) == 1


@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_version_3_tells_of_each_block_once(url: str, output_version: str) -> None:
    model = ChatLocalMix(base_url=url, output_version=output_version).bind_tools([get_weather])
    told = [event async for event in await model.astream_events("Hello", version="v3")]
    finished = [event["content"] for event in told if event["event"] == "content-block-finish"]
    assert [block["type"] for block in finished] == ["reasoning", "text", "tool_call", "tool_call"]
    assert (finished[0]["reasoning"], finished[1]["text"]) == ("Let me think.", "I call.")
    assert [block["args"]["location"] for block in finished[2:]] == ["Paris", "Tokyo"]
    deltas = [event["delta"] for event in told if event["event"] == "content-block-delta"]
    assert all(value for delta in deltas for value in delta.values())
    assert told[-1]["event"] == "message-finish"
    assert told[-1]["usage"]["total_tokens"] == 45


def test_version_3_in_ordinary_code(url: str) -> None:
    model = ChatLocalMix(base_url=url)
    message: Any = model.stream_events("Hello", version="v3").output
    assert message.text == "I call."
    assert [call["args"]["location"] for call in message.tool_calls] == ["Paris", "Tokyo"]


async def test_a_chain_tells_of_the_model_within(url: str) -> None:
    chain = ChatLocalMix(base_url=url).with_config(tags=["mine"]) | StrOutputParser()
    kinds = [
        event["event"]
        async for event in chain.astream_events("Hello", version="v2", include_tags=["mine"])
    ]
    assert kinds[0] == "on_chat_model_start"
    assert kinds[-1] == "on_chat_model_end"


def test_a_stream_in_a_loop_and_outside_say_the_same(url: str) -> None:
    model = ChatLocalMix(base_url=url)

    async def streamed() -> list[Any]:
        return [chunk.content async for chunk in model.astream("Hello")]

    assert asyncio.run(streamed()) == [chunk.content for chunk in model.stream("Hello")]
