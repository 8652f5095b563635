"""One answer, and every way of asking for it: the message must be the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.loopback import LoopbackServer, events, ndjson, whole

CALLS = [
    {"type": "tool_call", "name": "get_weather", "args": {"location": city}, "id": f"call_{city}"}
    for city in ("Paris", "Tokyo")
]
NO_ARGUMENTS = [{"type": "tool_call", "name": "get_time", "args": {}, "id": "call_time"}]
JSON = '{"name": "Ann", "age": 7}'
# (content, reasoning, calls) of each answer.
Said = tuple[str, str, list[dict[str, Any]]]
ANSWERS: dict[str, Said] = {
    "text": ("It is sunny.", "", []),
    "reasoning and text": ("It is sunny.", "Well. They want to know.", []),
    "text and two calls": ("I look.", "", CALLS),
    "reasoning, text and two calls": ("I look.", "Well.", CALLS),
    "a call without arguments": ("", "", NO_ARGUMENTS),
    "structured": (JSON, "", []),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "structured": {"response_format": {"type": "object", "properties": {}}},
}


def ollama(said: Said) -> LoopbackServer:
    """Be an Ollama: calls come whole, one a frame."""
    content, reasoning, calls = said
    wire = [
        {"id": call["id"], "function": {"name": call["name"], "arguments": call["args"]}}
        for call in calls
    ]
    frames = [stand_ins.ollama_says(thinking=piece) for piece in _cut(reasoning)]
    frames += [stand_ins.ollama_says(content=piece) for piece in _cut(content)]
    frames += [stand_ins.ollama_says(tool_calls=[call]) for call in wire]
    message = {"content": content, "thinking": reasoning, "tool_calls": wire or None}
    replies = (
        ndjson(*frames, stand_ins.OLLAMA_DONE),
        whole({**stand_ins.OLLAMA_DONE, "message": message}),
    )
    return stand_ins.ollama(POST__api_chat=stand_ins.either_way(*replies))


def lmstudio(said: Said) -> LoopbackServer:
    """Be an LM Studio: the arguments of calls come in pieces."""
    content, reasoning, calls = said
    frames = [stand_ins.openai_says(reasoning_content=piece) for piece in _cut(reasoning)]
    frames += [stand_ins.openai_says(content=piece) for piece in _cut(content)]
    wire = []
    for index, call in enumerate(calls):
        city = call["args"].get("location")
        pieces = ['{"location"', f': "{city}"', "}"] if city else [""]
        function: dict[str, Any] = {"name": call["name"], "arguments": ""}
        first = {"index": index, "id": call["id"], "type": "function", "function": function}
        frames.append(stand_ins.openai_says(tool_calls=[first]))
        for piece in pieces:
            rest = {"index": index, "function": {"arguments": piece}}
            frames.append(stand_ins.openai_says(tool_calls=[rest]))
        wire.append({**first, "function": {**function, "arguments": "".join(pieces)}})
    finish = "tool_calls" if calls else "stop"
    message = {"content": content, "reasoning_content": reasoning, "tool_calls": wire}
    choice = {"message": message, "finish_reason": finish}
    usage = stand_ins.OPENAI_USAGE
    replies = (
        events(*frames, stand_ins.openai_says(finish), usage, b"[DONE]"),
        whole({"model": "tiny", "choices": [choice], "usage": usage["usage"]}),
    )
    return stand_ins.lmstudio(POST__v1_chat_completions=stand_ins.either_way(*replies))


def _cut(text: str) -> list[str]:
    return [text[start : start + 5] for start in range(0, len(text), 5)]


Way = Callable[[Any], AIMessage]


def _merged(chunks: list[Any]) -> AIMessage:
    assert [chunk.chunk_position for chunk in chunks][-1] == "last"
    assert sum(bool(chunk.usage_metadata) for chunk in chunks) == 1
    assert sum("route" in chunk.response_metadata for chunk in chunks) == 1
    message: AIMessage = reduce(add, chunks)
    return message


async def _astreamed(model: Any) -> AIMessage:
    return _merged([chunk async for chunk in model.astream("What is it like?")])


async def _v3(model: Any) -> AIMessage:
    stream = await model.astream_events("What is it like?", version="v3")
    message: AIMessage = await stream.output
    return message


async def _abatch(model: Any) -> AIMessage:
    (message,) = await model.abatch(["What is it like?"])
    return message  # type: ignore[no-any-return]


WAYS: dict[str, Way] = {
    "invoke": lambda model: model.invoke("What is it like?"),
    "batch": lambda model: model.batch(["What is it like?"])[0],
    "stream": lambda model: _merged(list(model.stream("What is it like?"))),
    "v3": lambda model: model.stream_events("What is it like?", version="v3").output,
    "streaming": lambda model: model.invoke("What is it like?", stream=True),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("What is it like?")),
    "abatch": lambda model: asyncio.run(_abatch(model)),
    "astream": lambda model: asyncio.run(_astreamed(model)),
    "av3": lambda model: asyncio.run(_v3(model)),
}
CASES = [
    pytest.param(kind, answer, way, version, id=f"{kind.__name__}-{answer}-{way}-{version}")
    for kind in (ollama, lmstudio)
    for answer in ANSWERS
    for way in WAYS
    for version in ("v0", "v1")
]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")  # version 3
@pytest.mark.parametrize(("kind", "answer", "way", "version"), CASES)
def test_the_same_message(start: Any, kind: Any, answer: str, way: str, version: str) -> None:
    content, reasoning, calls = ANSWERS[answer]
    server = start(kind(ANSWERS[answer]))
    model = ChatLocalMix(base_url=server.url, output_version=version)
    message = WAYS[way](model.bind(**OPTIONS.get(answer, {})))

    blocks = [{"type": "reasoning", "reasoning": reasoning}] if reasoning else []
    blocks += [{"type": "text", "text": content}] if content else []
    blocks += calls
    assert [_bare(block) for block in message.content_blocks] == blocks
    assert message.text == content
    assert message.tool_calls == calls
    assert message.invalid_tool_calls == []
    usage = message.usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (19, 26, 45)
    about = message.response_metadata
    assert about["finish_reason"] == ("tool_calls" if calls else "stop")
    assert (about["model_name"].split(":")[0], about["model_provider"]) == ("tiny", "localmix")
    assert about["route"]["server"] == server.url
    assert about["timings"]["total"] > 0
    if version == "v0" and "v3" not in way:
        assert message.content == content


def _bare(block: Any) -> dict[str, Any]:
    """Leave out numbers that only streams give to blocks."""
    return {key: value for key, value in block.items() if key not in ("index", "extras")}
