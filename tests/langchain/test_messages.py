"""LangChain's messages to ours."""

from __future__ import annotations

import base64
import logging
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
)
from langchain_core.messages import ToolCall as LcToolCall
from langchain_core.messages.tool import tool_call_chunk

from langchain_localmix._messages import to_messages
from localmix import Image, Message, ToolCall
from localmix.adapting.blocks import Policy
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
            HumanMessage(["One.", {"type": "text", "text": "Two."}]),
            Message(role="user", content="One.\nTwo."),
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


@pytest.mark.parametrize(
    "chunk",
    [
        (HumanMessageChunk, "Hi", Message(role="user", content="Hi")),
        (SystemMessageChunk, "Hi", Message(role="system", content="Hi")),
        (AIMessageChunk, "Hi", Message(role="assistant", content="Hi")),
    ],
)
def test_chunks_are_messages(chunk: Any) -> None:
    """As `RunnableWithMessageHistory` leaves them after a stream (langchain 14511, 24660)."""
    kind, text, message = chunk
    assert to_messages([kind(content=text)]) == [message]
    assert to_messages([kind(content=text) + kind(content="!")])[0].text == "Hi!"


def test_a_chunk_brings_its_calls() -> None:
    pieces = [
        AIMessageChunk(
            content="", tool_call_chunks=[tool_call_chunk(name="f", args='{"x"', id="a", index=0)]
        ),
        AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args=": 1}", index=0)]),
    ]
    assert to_messages([pieces[0] + pieces[1]])[0].tool_calls == (CALL,)


TEXT = base64.b64encode(b"a,b\n1,2").decode()


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "json", "json": {"id": 1}}, '{"id": 1}'),
        ({"json": {"id": 1}}, '{"id": 1}'),
        ({"text": "bare"}, "bare"),
        ({"type": "text-plain", "text": "plain", "mime_type": "text/plain"}, "plain"),
        ({"type": "text-plain", "base64": TEXT, "mime_type": "text/plain"}, "a,b\n1,2"),
        ({"type": "file", "base64": TEXT, "mime_type": "text/csv"}, "a,b\n1,2"),
        ({"type": "file", "base64": TEXT, "filename": "table.csv"}, "a,b\n1,2"),
        ({"type": "file", "base64": TEXT}, "a,b\n1,2"),
        (
            {"type": "file", "source_type": "base64", "data": TEXT, "mime_type": "text/csv"},
            "a,b\n1,2",
        ),
        (
            {"type": "file", "file": {"file_data": f"data:text/csv;base64,{TEXT}"}},
            "a,b\n1,2",
        ),
        ({"type": "file", "url": "data:text/plain,a%20b"}, "a b"),
        (
            {"type": "document", "source": {"type": "text", "data": "said"}, "title": "x"},
            "said",
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "said"}]},
            },
            "said",
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "text/csv", "data": TEXT},
            },
            "a,b\n1,2",
        ),
        (
            {
                "type": "search_result",
                "source": "https://x",
                "title": "Weather",
                "content": [{"type": "text", "text": "sunny"}],
            },
            "Weather\nsunny",
        ),
        ({"type": "custom_tool_call_output", "output": "done"}, "done"),
        ({"type": "non_standard", "value": {"type": "json", "json": [1]}}, "[1]"),
    ],
)
def test_what_is_text_or_json_goes_as_text(block: Any, text: str) -> None:
    said: Any = [HumanMessage([block]), ToolMessage([block], tool_call_id="a")]
    assert [message.content for message in to_messages(said)] == [text, text]


def test_a_result_of_several_parts_keeps_them_apart() -> None:
    """As MCP servers answer (mcp-toolbox 503, mcpadapt 67)."""
    parts: Any = [{"type": "text", "text": '{"id": 1}'}, {"type": "text", "text": '{"id": 2}'}]
    picture = {"type": "image", "base64": "cG5n", "mime_type": "image/png"}
    (message,) = to_messages([ToolMessage([*parts, picture, *parts], tool_call_id="a")])
    rows = '{"id": 1}\n{"id": 2}'
    assert message.content == (rows, *PICTURE, rows)
    assert message.text == f"{rows}\n{rows}"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "audio", "base64": "cG5n", "mime_type": "audio/wav"},
        {"type": "input_audio", "input_audio": {"data": "cG5n", "format": "wav"}},
        {"type": "video", "base64": "cG5n"},
        {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf"},
        {"type": "file", "file_id": "x"},
        {"type": "file", "base64": base64.b64encode(b"\x00\xff").decode()},
        {"type": "image", "url": "https://x/a.png"},
        {"type": "hologram"},
    ],
)
def test_what_cannot_be_sent_may_be_left_out(block: Any, caplog: pytest.LogCaptureFixture) -> None:
    said = [HumanMessage([{"type": "text", "text": "Hello"}, block])]
    with pytest.raises(ConfigError):
        to_messages(said)
    with caplog.at_level(logging.WARNING):
        assert to_messages(said, Policy(unsupported="drop"))[0].content == "Hello"
    assert f"{block['type']!r} was left out" in caplog.text


def test_base64_may_have_line_ends() -> None:
    block = {"type": "image", "base64": "cG\n5\r\nn", "mime_type": "image/png"}
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG\n5n"}}
    said: Any = [HumanMessage([block]), HumanMessage([url])]
    assert [message.content for message in to_messages(said)] == [PICTURE, PICTURE]


@pytest.mark.parametrize("media_type", ["text/html", "image/", "image/p n g"])
def test_an_odd_media_type_is_our_error(media_type: str) -> None:
    block: Any = {"type": "image", "base64": "cG5n", "mime_type": media_type}
    with pytest.raises(ConfigError, match="media_type"):
        to_messages([HumanMessage([block])])


def test_names_of_those_who_speak() -> None:
    said = [HumanMessage("Hi", name="ann"), AIMessage("Hi", name="bot")]
    assert [message.name for message in to_messages(said)] == ["ann", "bot"]


def test_a_late_system_message_becomes_what_strict_templates_take() -> None:
    said = [HumanMessage("Hi"), SystemMessage("Be brief.")]
    assert [message.role for message in to_messages(said)] == ["user", "user"]
    kept = to_messages(said, Policy(late_system="system"))
    assert [message.role for message in kept] == ["user", "system"]


def test_a_result_without_an_id_answers_the_open_call() -> None:
    call = LcToolCall(name="f", args={}, id="a")
    for name in ("", "f"):
        said = [AIMessage("", tool_calls=[call]), ToolMessage("7", tool_call_id="", name=name)]
        assert to_messages(said)[1].tool_call_id == "a"
    spoken = [AIMessage("", tool_calls=[call]), ChatMessage(role="tool", content="7")]
    assert to_messages(spoken)[1].tool_call_id == "a"
    with pytest.raises(ConfigError, match="tool_call_id"):
        to_messages([ToolMessage("7", tool_call_id="")])
    with pytest.raises(ConfigError, match="tool_call_id"):
        to_messages([ChatMessage(role="tool", content="7")])


def test_system_messages_at_the_head_become_one() -> None:
    said = [SystemMessage("Be brief."), SystemMessage("Be kind."), HumanMessage("Hello")]
    assert to_messages(said)[0] == Message(role="system", content="Be brief.\n\nBe kind.")
    assert len(to_messages(said)) == 2


KINDS = (  # noqa: SIM905
    "text text-plain input_text json image image_url input_image file document search_result"
    " non_standard tool_result tool_use tool_call thinking reasoning audio custom_tool_call_output"
).split()
KEYS = (  # noqa: SIM905
    "text json url base64 data source image_url file mime_type media_type content value input args"
    " tool_use_id name id output filename reasoning title"
).split()
WORDS = st.sampled_from(["", "a", "cG5n", PNG, "image/png", "text/csv", "https://x/a.png", "text"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*KEYS, "type"]), inner, max_size=3)
    ),
    max_leaves=4,
)
BLOCKS = st.builds(
    lambda kind, rest: {"type": kind, **rest},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
)


@pytest.mark.slow
@given(block=BLOCKS, role=st.sampled_from([HumanMessage, AIMessage, ToolMessage, SystemMessage]))
def test_a_block_of_any_shape_is_sent_or_an_error_of_ours(block: Any, role: Any) -> None:
    about = {"tool_call_id": "a"} if role is ToolMessage else {}
    with suppress(ConfigError):
        messages = to_messages([role(content=[block], **about)])
        assert all(isinstance(message, Message) for message in messages)
