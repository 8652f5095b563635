"""LangChain's messages to ours."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages import ToolCall as LcToolCall

from langchain_localmix._messages import to_messages
from localmix import Image, Message, ToolCall
from localmix.errors import ConfigError

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
        (HumanMessage([{"type": "file", "base64": "x"}]), "type 'file'"),
        (HumanMessage([{"type": "image", "file_id": "x"}]), "neither data nor a data: URI"),
        (RemoveMessage(id="x"), "role 'remove'"),
        (HumanMessage([{"type": "image", "base64": "!"}]), "base64 cannot be read"),
    ],
)
def test_what_no_server_takes_is_refused(given: BaseMessage, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        to_messages([given])


CALL = ToolCall(id="a", name="f", arguments='{"x": 1}')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            [{"type": "reasoning", "reasoning": "Well."}, {"type": "text", "text": "Yes."}],
            Message(role="assistant", content="Yes.", reasoning="Well."),
        ),
        (
            [{"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}}],
            Message(role="assistant", tool_calls=(CALL,)),
        ),
        (
            [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}],
            Message(role="assistant", tool_calls=(CALL,)),
        ),
        (
            ["Hel", {"type": "text", "text": "lo"}, {"type": "non_standard", "value": {}}],
            Message(role="assistant", content="Hello"),
        ),
        (
            [{"type": "audio", "base64": "x"}, {"type": "server_tool_call", "name": "search"}],
            Message(role="assistant"),
        ),
        (
            [{"type": "output_text", "text": "Yes."}, {"type": "refusal", "refusal": "No."}],
            Message(role="assistant", content="Yes."),
        ),
    ],
)
def test_what_a_model_said_comes_back_in_any_form(content: Any, message: Message) -> None:
    assert to_messages([AIMessage(content)]) == [message]


def test_a_v1_message_keeps_its_calls_once() -> None:
    said = AIMessage(
        content_blocks=[{"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}}]
    )
    assert to_messages([said]) == [Message(role="assistant", tool_calls=(CALL,))]


def test_broken_calls_are_not_sent_back() -> None:
    broken: Any = {"name": "f", "args": "{", "id": "a", "error": "cut", "type": "invalid_tool_call"}
    assert to_messages([AIMessage("", invalid_tool_calls=[broken])]) == [Message(role="assistant")]


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("no such city", "Error: no such city"),
        ("Error: no such city", "Error: no such city"),
        ([{"type": "image", "base64": "cG5n", "mime_type": "image/png"}], ("Error: ", *PICTURE)),
        ([], "Error: "),
    ],
)
def test_the_model_is_told_that_a_tool_failed(content: Any, sent: Any) -> None:
    result = ToolMessage(content, tool_call_id="a", name="f", status="error")
    assert to_messages([result])[0].content == sent


def test_results_as_anthropic_writes_them() -> None:
    content: list[Any] = [
        {"type": "tool_result", "tool_use_id": "a", "content": "sunny"},
        {
            "type": "tool_result",
            "tool_use_id": "b",
            "content": [{"type": "text", "text": "no such city"}],
            "is_error": True,
        },
        {"type": "text", "text": "Well?"},
    ]
    assert to_messages([HumanMessage(content)]) == [
        Message(role="tool", content="sunny", tool_call_id="a"),
        Message(role="tool", content="Error: no such city", tool_call_id="b"),
        Message(role="user", content="Well?"),
    ]
    assert [message.role for message in to_messages([HumanMessage(content[:1])])] == ["tool"]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}},
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": "cG5n"},
        {"type": "input_image", "image_url": PNG},
    ],
)
def test_images_as_others_write_them(block: Any) -> None:
    assert to_messages([HumanMessage([block])]) == [Message(role="user", content=PICTURE)]


def test_system_messages_at_the_head_become_one() -> None:
    said = [SystemMessage("Be brief."), SystemMessage("Be kind."), HumanMessage("Hello")]
    assert to_messages(said)[0] == Message(role="system", content="Be brief.\n\nBe kind.")
    assert len(to_messages(said)) == 2
