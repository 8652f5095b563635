"""LangChain's messages to ours and back."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages import ToolCall as LcToolCall

from langchain_localmix._convert import (
    from_delta,
    from_result,
    to_response_format,
    to_tool_choice,
)
from langchain_localmix._messages import to_messages
from localmix import ChatResult, Delta, Image, Message, ToolCall, Usage
from localmix.errors import ConfigError
from localmix.types import ToolCallDelta

PNG = "data:image/png;base64,cG5n"
PICTURE = (Image(data=b"png"),)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SystemMessage("Be brief."), Message(role="system", content="Be brief.")),
        (HumanMessage("Hello"), Message(role="user", content="Hello")),
        (ChatMessage(content="Hello", role="developer"), Message(role="system", content="Hello")),
        (
            HumanMessage(["Hel", {"type": "text", "text": "lo"}]),
            Message(role="user", content="Hello"),
        ),
        (
            HumanMessage([{"type": "image_url", "image_url": {"url": PNG}}]),
            Message(role="user", content=PICTURE),
        ),
        (
            HumanMessage([{"type": "image_url", "image_url": PNG}]),
            Message(role="user", content=PICTURE),
        ),
        (
            HumanMessage([{"type": "image", "base64": "cG5n", "mime_type": "image/png"}]),
            Message(role="user", content=PICTURE),
        ),
        (
            HumanMessage([{"type": "image", "url": PNG}]),
            Message(role="user", content=PICTURE),
        ),
        (
            AIMessage(
                [
                    {"type": "thinking", "thinking": "no"},
                    {"type": "text", "text": "I call."},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                ],
                tool_calls=[LcToolCall(name="f", args={"x": "ü"}, id="a")],
                additional_kwargs={"reasoning_content": "Well."},
            ),
            Message(
                role="assistant",
                content="I call.",
                reasoning="Well.",
                tool_calls=(ToolCall(id="a", name="f", arguments='{"x": "ü"}'),),
            ),
        ),
        (
            ToolMessage("sunny", tool_call_id="a", name="f"),
            Message(role="tool", content="sunny", tool_call_id="a", tool_name="f"),
        ),
        (
            FunctionMessage(content="sunny", name="f"),
            Message(role="tool", content="sunny", tool_call_id="f", tool_name="f"),
        ),
    ],
)
def test_to_messages(given: BaseMessage, message: Message) -> None:
    assert to_messages([given]) == [message]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (ChatMessage(content="x", role="robot"), "role 'robot'"),
        (HumanMessage([{"type": "image_url", "image_url": "/etc/passwd"}]), "not '/etc/passwd'"),
        (HumanMessage([{"type": "image", "url": "https://x/a.png"}]), "not 'https://x"),
        (HumanMessage([{"type": "audio", "base64": "x"}]), "type 'audio'"),
        (HumanMessage([{"type": "image", "base64": "!"}]), "base64 cannot be read"),
    ],
)
def test_what_no_server_takes_is_refused(given: BaseMessage, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        to_messages([given])


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
