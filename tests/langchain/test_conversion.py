"""LangChain's messages to ours and back."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import ToolCall as LcToolCall

from langchain_localmix._convert import (
    from_delta,
    from_result,
    to_response_format,
)
from localmix import ChatResult, Delta, ToolCall, Usage
from localmix.types import ToolCallDelta
from localmix.types.tools import to_tool_choice


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        (False, "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("f", "f"),
        ({"type": "function", "function": {"name": "f"}}, "f"),
    ],
)
def test_tool_choice(given: Any, choice: str) -> None:
    assert to_tool_choice(given) == choice


@pytest.mark.parametrize(
    ("given", "response_format"),
    [
        (None, None),
        ("json", "json"),
        ({"type": "json_object"}, "json"),
        ({"type": "object"}, {"type": "object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            {"type": "object"},
        ),
    ],
)
def test_response_format(given: Any, response_format: Any) -> None:
    assert to_response_format(given) == response_format


def test_from_result() -> None:
    message = from_result(
        ChatResult(
            content="I call.",
            reasoning="Well.",
            tool_calls=(
                ToolCall(id="a", name="f", arguments='{"x": "1"}'),
                ToolCall(id="b", name="f", arguments='{"x": '),
            ),
            finish_reason="length",
            model="tiny",
            usage=Usage(3, 4, reasoning_tokens=2, cached_tokens=1),
        )
    )
    assert message.content == "I call."
    assert message.additional_kwargs == {"reasoning_content": "Well."}
    assert message.tool_calls == [LcToolCall(type="tool_call", name="f", args={"x": "1"}, id="a")]
    assert message.invalid_tool_calls[0]["args"] == '{"x": '
    assert message.usage_metadata == {
        "input_tokens": 3,
        "output_tokens": 4,
        "total_tokens": 7,
        "input_token_details": {"cache_read": 1},
        "output_token_details": {"reasoning": 2},
    }
    assert message.response_metadata["model_name"] == "tiny"
    assert message.response_metadata["finish_reason"] == "length"


def test_only_the_last_chunk_carries_metadata_and_tool_calls_have_far_indices() -> None:
    (first,) = from_delta(Delta(content="I call."))
    (second,) = from_delta(Delta(tool_calls=(ToolCallDelta(0, "a", "f", '{"x": 1}'),)))
    (last,) = from_delta(Delta(finish_reason="tool_calls", model="tiny", usage=Usage(3, 4)))

    assert first.response_metadata == {}
    assert second.tool_call_chunks[0]["index"] == 1000
    merged = first + second + last
    assert merged.content == "I call."
    assert merged.tool_calls[0]["args"] == {"x": 1}
    assert merged.response_metadata["model_provider"] == "localmix"
    assert merged.chunk_position == "last"


def test_one_kind_of_thing_in_a_chunk() -> None:
    """A piece of a call next to text would be taken for a whole call."""
    call = ToolCallDelta(0, "a", "f", '{"x"')
    parts = from_delta(Delta(reasoning="Well.", content="I call.", tool_calls=(call,)))
    assert [(part.content, bool(part.tool_call_chunks)) for part in parts] == [
        ("", False),
        ("I call.", False),
        ("", True),
    ]
    assert parts[0].additional_kwargs == {"reasoning_content": "Well."}
    last = Delta(reasoning="Well.", content="Yes.", finish_reason="stop", model="tiny")
    thought, said = from_delta(last)
    assert (thought.chunk_position, thought.response_metadata) == (None, {})
    assert (said.content, said.chunk_position) == ("Yes.", "last")
    (thought, called) = from_delta(Delta(reasoning="Well.", tool_calls=(call,)))
    assert (bool(thought.tool_call_chunks), bool(called.tool_call_chunks)) == (False, True)
