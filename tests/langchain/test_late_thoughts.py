"""A thought whose end comes late is no part of the content that the chunks add up to."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_localmix import ChatLocalMix
from tests.langchain.test_same_message import WAYS
from tests.late_thoughts import ANSWER, AS_WRITTEN, KINDS, NOBODY_KNOWS, PLAIN, THINKER, THOUGHT

STREAMED = ("stream", "astream", "streaming", "v3", "av3")
pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),  # version 3
    pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__),
]
ways = pytest.mark.parametrize("way", STREAMED)


@ways
def test_a_thinker_by_its_name(start: Any, kind: Any, way: str) -> None:
    message = WAYS[way](ChatLocalMix(model=THINKER, base_url=start(kind(THINKER)).url))
    assert message.text == ANSWER
    assert _thought(message) == THOUGHT


@ways
def test_a_model_that_has_done_it_before(start: Any, kind: Any, way: str) -> None:
    model = ChatLocalMix(model=NOBODY_KNOWS, base_url=start(kind(NOBODY_KNOWS)).url)
    assert WAYS["stream"](model).text == AS_WRITTEN  # it could not be expected: nothing is lost
    message = WAYS[way](model)
    assert message.text == ANSWER
    assert _thought(message) == THOUGHT


@ways
def test_an_answer_without_a_thought(start: Any, kind: Any, way: str) -> None:
    model = ChatLocalMix(model=THINKER, base_url=start(kind(THINKER, PLAIN)).url)
    message = WAYS[way](model)
    assert message.text == ANSWER
    assert _thought(message) == ""
    assert message.usage_metadata["total_tokens"] == 45  # type: ignore[index]


def test_nothing_waits_where_no_thought_is_wanted(start: Any, kind: Any) -> None:
    model = ChatLocalMix(model=THINKER, base_url=start(kind(THINKER, PLAIN)).url, reasoning=False)
    assert [chunk.text for chunk in model.stream("1+1?") if chunk.text] == list(PLAIN)


def _thought(message: Any) -> str:
    return "".join(
        block["reasoning"] for block in message.content_blocks if block["type"] == "reasoning"
    )
