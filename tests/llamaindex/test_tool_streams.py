"""Tool calls in the shapes that servers stream them in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from llamaindex_localmix import LocalMix
from tests import stand_ins
from tests.llamaindex.test_tools import TIME
from tests.loopback import Reply, events, ndjson
from tests.stand_ins import OLLAMA_DONE, OPENAI_USAGE, ollama_says, openai_says

HELLO = [ChatMessage(content="hello")]
Call = tuple[str, dict[str, Any]]
F1: Call = ("f", {"x": 1})
F2: Call = ("f", {"x": 2})


def ollama_call(name: str = "f", **about: Any) -> dict[str, Any]:
    arguments = about.pop("arguments", {"x": 1})
    return {**about, "function": {"name": name, "arguments": arguments}}


def openai_call(index: int | None, arguments: str, name: str | None = "f", **about: Any) -> Any:
    place = {} if index is None else {"index": index}
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {**place, **about, "function": function}


TWO = [ollama_call(id="a"), ollama_call(id="b", arguments={"x": 2})]
OLLAMA: dict[str, tuple[list[Any], list[Call], str]] = {
    "two in one frame": ([ollama_says(tool_calls=TWO)], [F1, F2], ""),
    "two frames, one index": (  # ollama 7881, 15457
        [
            ollama_says(tool_calls=[ollama_call(id="a")]),
            ollama_says(tool_calls=[ollama_call(id="b", arguments={"x": 2})]),
        ],
        [F1, F2],
        "",
    ),
    "the same call twice": (  # peer defect 9: one of them was dropped
        [ollama_says(tool_calls=[ollama_call(id="a"), ollama_call(id="b")])],
        [F1, F1],
        "",
    ),
    "without ids": ([ollama_says(tool_calls=[ollama_call(), ollama_call()])], [F1, F1], ""),
    "null for content": (  # peer defect 20: the frame was skipped
        [ollama_says(content=None, tool_calls=[ollama_call(id="a")])],
        [F1],
        "",
    ),
    "a text before": (
        [ollama_says(content="I call."), ollama_says(tool_calls=[ollama_call(id="a")])],
        [F1],
        "I call.",
    ),
    "no arguments": ([ollama_says(tool_calls=[ollama_call(arguments={})])], [("f", {})], ""),
}
OPENAI: dict[str, tuple[list[Any], list[Call], str]] = {
    "two in one frame": (  # peer defect 21: only the first was read
        [
            openai_says(
                tool_calls=[
                    openai_call(0, '{"x": 1}', id="a"),
                    openai_call(1, '{"x": 2}', id="b"),
                ]
            )
        ],
        [F1, F2],
        "",
    ),
    "one index for two": (  # peer defect 21: names and ids were joined
        [
            openai_says(tool_calls=[openai_call(0, '{"x": 1}', id="a")]),
            openai_says(tool_calls=[openai_call(0, '{"x": 2}', id="b")]),
        ],
        [F1, F2],
        "",
    ),
    "without index": (
        [
            openai_says(tool_calls=[openai_call(None, '{"x": 1}', id="a")]),
            openai_says(tool_calls=[openai_call(None, '{"x": 2}', id="b")]),
        ],
        [F1, F2],
        "",
    ),
    "in pieces": (
        [
            openai_says(tool_calls=[openai_call(0, "", id="a", type="function")]),
            openai_says(tool_calls=[openai_call(0, '{"x"', name=None)]),
            openai_says(tool_calls=[openai_call(0, ": 1}", name=None)]),
        ],
        [F1],
        "",
    ),
    "pieces of two by turns": (
        [
            openai_says(tool_calls=[openai_call(0, '{"x"', id="a")]),
            openai_says(tool_calls=[openai_call(1, '{"x"', id="b")]),
            openai_says(tool_calls=[openai_call(0, ": 1}", name=None)]),
            openai_says(tool_calls=[openai_call(1, ": 2}", name=None)]),
        ],
        [F1, F2],
        "",
    ),
    "the same call twice": (
        [
            openai_says(tool_calls=[openai_call(0, '{"x": 1}', id="a")]),
            openai_says(tool_calls=[openai_call(1, '{"x": 1}', id="b")]),
        ],
        [F1, F1],
        "",
    ),
    "null and empty words around": (  # core 19643: an empty role crashed
        [
            openai_says(role="", content=None, tool_calls=None),
            openai_says(content="I call.", reasoning_content=None),
            openai_says(content=None, tool_calls=[openai_call(0, '{"x": 1}', id="a")]),
            openai_says(role="assistant", content=""),
        ],
        [F1],
        "I call.",
    ),
    "no arguments": ([openai_says(tool_calls=[openai_call(0, "", id="a")])], [("f", {})], ""),
}


def steps_of(url: str) -> list[list[ChatResponse]]:
    """Stream an answer in both colours."""
    llm = LocalMix(base_url=url)

    async def main() -> list[ChatResponse]:
        steps = await llm.astream_chat_with_tools(
            [TIME], chat_history=HELLO, allow_parallel_tool_calls=True
        )
        return [step async for step in steps]

    sync = llm.stream_chat_with_tools([TIME], chat_history=HELLO, allow_parallel_tool_calls=True)
    return [list(sync), asyncio.run(main())]


def check(url: str, calls: list[Call], text: str) -> None:
    llm = LocalMix()
    for steps in steps_of(url):
        for step in steps:  # agents ask each of them
            llm.get_tool_calls_from_response(step, error_on_no_tool_call=False)
        last = steps[-1]
        selections = llm.get_tool_calls_from_response(last)
        assert [(each.tool_name, each.tool_kwargs) for each in selections] == calls
        assert len({each.tool_id for each in selections}) == len(calls)
        assert all(each.tool_id for each in selections)
        plain = last.message.additional_kwargs["tool_calls"]
        assert [call["id"] for call in plain] == [each.tool_id for each in selections]
        assert (last.message.content or "") == text
        assert last.raw
        assert last.raw["usage"]["total_tokens"] == 45


@pytest.mark.parametrize(("frames", "calls", "text"), OLLAMA.values(), ids=OLLAMA.keys())
def test_from_ollama(start: Any, frames: list[Any], calls: list[Call], text: str) -> None:
    reply: Reply = ndjson(*frames, OLLAMA_DONE)
    check(start(stand_ins.ollama("tiny", POST__api_chat=reply)).url, calls, text)


@pytest.mark.parametrize(("frames", "calls", "text"), OPENAI.values(), ids=OPENAI.keys())
def test_from_lm_studio(start: Any, frames: list[Any], calls: list[Call], text: str) -> None:
    reply: Reply = events(*frames, openai_says("tool_calls"), OPENAI_USAGE, b"[DONE]")
    server = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
    server.routes["POST /v1/chat/completions"] = reply
    check(server.url, calls, text)
