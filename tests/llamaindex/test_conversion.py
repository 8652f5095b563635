"""LlamaIndex's messages to ours and back."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from llamaindex_localmix._convert import from_result, to_completion, to_messages
from localmix import ChatResult, Delta, Image, Message, ToolCall, Usage
from localmix.errors import ConfigError

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89"
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ChatMessage(role=MessageRole.DEVELOPER, content="Be brief."),
            Message(role="system", content="Be brief."),
        ),
        (
            ChatMessage(
                role=MessageRole.USER, blocks=[TextBlock(text="Hel"), TextBlock(text="lo")]
            ),
            Message(role="user", content="Hello"),
        ),
        (
            ChatMessage(
                role=MessageRole.USER,
                blocks=[TextBlock(text="What?"), ImageBlock(image=PNG, image_mimetype="image/png")],
            ),
            Message(role="user", content=("What?", Image(data=PNG))),
        ),
        (
            ChatMessage(
                role=MessageRole.ASSISTANT,
                blocks=[
                    ThinkingBlock(content="Well."),
                    TextBlock(text="I call."),
                    ToolCallBlock(tool_call_id="a", tool_name="f", tool_kwargs={"x": 1}),
                    ToolCallBlock(tool_call_id="b", tool_name="f", tool_kwargs='{"x": 2}'),
                    CachePoint(cache_control=CacheControl(type="ephemeral")),
                ],
            ),
            Message(
                role="assistant",
                content="I call.",
                reasoning="Well.",
                tool_calls=(
                    ToolCall(id="a", name="f", arguments='{"x": 1}'),
                    ToolCall(id="b", name="f", arguments='{"x": 2}'),
                ),
            ),
        ),
        (
            ChatMessage(role=MessageRole.TOOL, blocks=[], additional_kwargs={"tool_call_id": "a"}),
            Message(role="tool", content="", tool_call_id="a"),
        ),
    ],
)
def test_to_messages(given: ChatMessage, message: Message) -> None:
    assert to_messages([given]) == [message]


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (ImageBlock(url="http://127.0.0.1/a.png"), "bytes, not a path or an address"),
        (AudioBlock(audio=b"x"), "type 'audio'"),
    ],
)
def test_what_no_server_takes_is_refused(block: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        to_messages([ChatMessage(role=MessageRole.USER, blocks=[block])])


ANSWER = ChatResult(
    content="I call.",
    reasoning="Well.",
    tool_calls=(ToolCall(id="a", name="f", arguments='{"x": 1}'),),
    finish_reason="tool_calls",
    model="tiny",
    usage=Usage(3, 4),
)


def test_from_result() -> None:
    response = from_result(ANSWER)
    thinking, text, call = response.message.blocks
    assert isinstance(thinking, ThinkingBlock)
    assert thinking.content == "Well."
    assert isinstance(text, TextBlock)
    assert text.text == "I call."
    assert isinstance(call, ToolCallBlock)
    assert (call.tool_call_id, call.tool_name, call.tool_kwargs) == ("a", "f", '{"x": 1}')
    # Core's own streaming programs look only at the plain dictionaries.
    assert response.message.additional_kwargs["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    ]
    assert response.raw is not None
    assert response.raw["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
    }
    assert response.delta is None


def test_a_step_of_a_stream() -> None:
    step = from_result(ChatResult(content="I", reasoning="Well."), Delta(reasoning="."))
    assert step.delta == ""
    assert step.additional_kwargs == {"thinking_delta": "."}
    assert step.raw == {}
    assert to_completion(from_result(ANSWER)).text == "I call."
