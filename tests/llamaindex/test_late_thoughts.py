"""A thought whose end comes late is no part of the last response, nor of what the deltas say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ThinkingBlock

from llamaindex_localmix import LocalMix
from tests.late_thoughts import ANSWER, AS_WRITTEN, KINDS, NOBODY_KNOWS, PLAIN, THINKER, THOUGHT

ASKED = [ChatMessage("1+1?")]
Way = Callable[[LocalMix], list[ChatResponse]]


async def _astreamed(llm: LocalMix) -> list[ChatResponse]:
    return [step async for step in await llm.astream_chat(ASKED)]


WAYS: dict[str, Way] = {
    "sync": lambda llm: list(llm.stream_chat(ASKED)),
    "async": lambda llm: asyncio.run(_astreamed(llm)),
}
pytestmark = [
    pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__),
    pytest.mark.parametrize("way", WAYS.values(), ids=WAYS),
]


def test_a_thinker_by_its_name(start: Any, kind: Any, way: Way) -> None:
    steps = way(LocalMix(model=THINKER, base_url=start(kind(THINKER)).url))
    assert _added(steps) == (ANSWER, THOUGHT)
    assert _last(steps) == (ANSWER, THOUGHT)


def test_a_model_of_which_nobody_knows_it(start: Any, kind: Any, way: Way) -> None:
    llm = LocalMix(model=NOBODY_KNOWS, base_url=start(kind(NOBODY_KNOWS)).url)
    first, second = way(llm), way(llm)
    assert _added(first) == (AS_WRITTEN, "")  # it had gone out: the end of the thought says so
    assert _last(first) == (ANSWER, THOUGHT)
    assert _added(second) == _last(second) == (ANSWER, THOUGHT)


def test_an_answer_without_a_thought(start: Any, kind: Any, way: Way) -> None:
    steps = way(LocalMix(model=THINKER, base_url=start(kind(THINKER, PLAIN)).url))
    assert _added(steps) == _last(steps) == (ANSWER, "")


def test_nothing_waits_where_no_thought_is_wanted(start: Any, kind: Any, way: Way) -> None:
    steps = way(LocalMix(model=THINKER, base_url=start(kind(THINKER, PLAIN)).url, think=False))
    assert [step.delta for step in steps if step.delta] == list(PLAIN)


def _added(steps: list[ChatResponse]) -> tuple[str, str]:
    thoughts = (step.additional_kwargs.get("thinking_delta") or "" for step in steps)
    return "".join(step.delta or "" for step in steps), "".join(thoughts)


def _last(steps: list[ChatResponse]) -> tuple[str, str]:
    message = steps[-1].message
    blocks = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    return message.content or "", "".join(block.content or "" for block in blocks)
