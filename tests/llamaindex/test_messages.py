"""LlamaIndex's messages to ours."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from llamaindex_localmix._messages import Policy, must_read, to_messages
from localmix import Image, Message, ToolCall
from localmix.errors import ConfigError
from tests.loopback import LoopbackServer, whole

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89"
)
USER, ASSISTANT, SYSTEM = MessageRole.USER, MessageRole.ASSISTANT, MessageRole.SYSTEM
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}


def result(text: str, **kwargs: Any) -> ChatMessage:
    return ChatMessage(role=MessageRole.TOOL, content=text, additional_kwargs=kwargs)


def user(*blocks: Any) -> ChatMessage:
    return ChatMessage(role=USER, blocks=list(blocks))


@pytest.mark.parametrize(
    ("role", "ours"),
    [
        (MessageRole.DEVELOPER, "system"),
        (MessageRole.CHATBOT, "assistant"),
        (MessageRole.MODEL, "assistant"),
    ],
)
def test_every_role_has_one_that_servers_know(role: MessageRole, ours: Any) -> None:
    (message,) = to_messages([ChatMessage(role=role, content="Hello")])
    assert message == Message(role=ours, content="Hello")


def test_texts_that_stand_next_to_each_other_stay_apart() -> None:
    """openclaw 115743."""
    (message,) = to_messages([user(TextBlock(text='{"id": 1}'), TextBlock(text='{"id": 2}'))])
    assert message == Message(role="user", content='{"id": 1}\n{"id": 2}')


def test_system_messages_stand_where_templates_take_them() -> None:
    """Memory and agents write two at the head; an agent that must stop, one at the end."""
    said = [
        ChatMessage(role=SYSTEM, content="One."),
        ChatMessage(role=MessageRole.DEVELOPER, content="Two."),
        ChatMessage(role=USER, content="Hello"),
        ChatMessage(role=SYSTEM, content="Stop."),
    ]
    head = Message(role="system", content="One.\n\nTwo.")
    hello = Message(role="user", content="Hello")
    assert to_messages(said) == [head, hello, Message(role="user", content="Stop.")]
    kept = to_messages(said, Policy(late_system="system"))
    assert kept == [head, hello, Message(role="system", content="Stop.")]


def test_an_assistant_turn_keeps_thoughts_and_calls_apart() -> None:
    blocks = [
        ThinkingBlock(content="Well."),
        ThinkingBlock(),
        TextBlock(text="I call."),
        ToolCallBlock(tool_call_id="a", tool_name="f", tool_kwargs={"x": 1}),
        ToolCallBlock(tool_call_id="b", tool_name="f", tool_kwargs='{"x": 2}'),
        CachePoint(cache_control=CacheControl(type="ephemeral")),
    ]
    assert to_messages([ChatMessage(role=ASSISTANT, blocks=blocks)]) == [
        Message(
            role="assistant",
            content="I call.",
            reasoning="Well.",
            tool_calls=(
                ToolCall(id="a", name="f", arguments='{"x": 1}'),
                ToolCall(id="b", name="f", arguments='{"x": 2}'),
            ),
        )
    ]


@pytest.mark.parametrize("kwargs", [{}, {"name": "f"}, {"tool_call_id": "a"}])
def test_a_result_finds_its_call(kwargs: dict[str, str]) -> None:
    """Older integrations wrote results without the id of the call."""
    turn = ChatMessage(role=ASSISTANT, content="", additional_kwargs={"tool_calls": [CALL]})
    said = to_messages([user(TextBlock(text="Hi")), turn, result("7", **kwargs)])
    assert said[1].tool_calls == (ToolCall(id="a", name="f", arguments='{"x": 1}'),)
    assert (said[2].tool_call_id, said[2].content) == ("a", "7")


def test_results_without_ids_answer_calls_in_their_order() -> None:
    blocks = [ToolCallBlock(tool_name="f"), ToolCallBlock(tool_name="g")]
    said = to_messages([ChatMessage(role=ASSISTANT, blocks=blocks), result("1"), result("2")])
    assert [call.id for call in said[0].tool_calls] == ["call_0", "call_1"]
    assert [message.tool_call_id for message in said[1:]] == ["call_0", "call_1"]


def test_results_with_ids_may_come_in_any_order() -> None:
    blocks = [ToolCallBlock(tool_call_id=id_, tool_name="f") for id_ in ("a", "b")]
    turn = ChatMessage(role=ASSISTANT, blocks=blocks)
    said = to_messages([turn, result("2", tool_call_id="b"), result("1")])
    assert [message.tool_call_id for message in said[1:]] == ["b", "a"]


def test_a_result_that_answers_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="tool_call_id"):
        to_messages([result("7")])


def test_an_empty_result_is_sent_as_empty() -> None:
    empty = ChatMessage(role=MessageRole.TOOL, blocks=[], additional_kwargs={"tool_call_id": "a"})
    assert to_messages([empty]) == [Message(role="tool", content="", tool_call_id="a")]


def test_a_direct_answer_of_a_tool_is_an_ordinary_turn() -> None:
    """With `return_direct`, FunctionAgent writes an assistant message that names the call."""
    direct = ChatMessage(role=ASSISTANT, content="7", additional_kwargs={"tool_call_id": "a"})
    assert to_messages([direct]) == [Message(role="assistant", content="7")]


# Images, documents and the rest


def test_an_image_as_bytes() -> None:
    (message,) = to_messages([user(TextBlock(text="What?"), ImageBlock(image=PNG))])
    assert message == Message(role="user", content=("What?", Image(data=PNG)))


@pytest.mark.parametrize("field", ["image", "url"])
def test_an_image_in_base64_with_line_ends(field: str) -> None:
    """Python's own `encodebytes` writes them, and so do mail programs."""
    text = base64.encodebytes(PNG * 3).decode()
    given: Any = {"image": text.encode(), "url": f"data:image/png;base64,{text}"}[field]
    (message,) = to_messages([user(ImageBlock(**{field: given}))])
    assert message.content == (Image(data=PNG * 3, media_type="image/png"),)


def test_an_image_inside_an_address() -> None:
    block = ImageBlock(url=f"data:image/png;base64,{Image(data=PNG).base64}")
    assert not must_read([user(block)])
    assert to_messages([user(block)])[0].images == (Image(data=PNG),)


@pytest.mark.parametrize("kind", [ImageBlock, DocumentBlock])
def test_a_path_is_read_only_with_leave(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / ("a.png" if kind is ImageBlock else "a.txt")
    path.write_bytes(PNG if kind is ImageBlock else b"Hello")
    message = user(kind(path=path))
    assert must_read([message])
    with pytest.raises(ConfigError, match="allow_files=True"):
        to_messages([message], Policy(fetch_urls=True))
    (read,) = to_messages([message], Policy(read_files=True))
    assert read.images == (Image(data=PNG),) if kind is ImageBlock else read.text == "Hello"


def test_an_address_is_fetched_only_with_leave(start: Any) -> None:
    server = start(LoopbackServer({"GET /a.png": whole(PNG, content_type="image/png")}))
    message = user(ImageBlock(url=f"{server.url}/a.png"))
    assert must_read([message])
    with pytest.raises(ConfigError, match="allow_urls=True"):
        to_messages([message], Policy(read_files=True))
    assert server.requests == []
    assert to_messages([message], Policy(fetch_urls=True))[0].images == (Image(data=PNG),)


def test_an_address_that_gives_nothing(start: Any) -> None:
    server = start(LoopbackServer())
    message = user(ImageBlock(url=f"{server.url}/a.png"))
    with pytest.raises(ConfigError, match="'image' cannot be read: 404"):
        to_messages([message], Policy(fetch_urls=True))


@pytest.mark.parametrize("block", [ImageBlock(), ImageBlock(image=b"x", image_mimetype="text/x")])
def test_an_image_that_is_none(block: ImageBlock) -> None:
    with pytest.raises(ConfigError):
        to_messages([user(block)])


@pytest.mark.parametrize("mimetype", ["text/markdown", "application/json"])
def test_a_document_that_is_text_is_sent_as_text(mimetype: str) -> None:
    block = DocumentBlock(data=b"Hello, reader!", document_mimetype=mimetype)
    assert to_messages([user(block)])[0].text == "Hello, reader!"


def test_a_result_of_several_blocks_is_one_text() -> None:
    """Tools of MCP servers give texts, JSON and documents side by side."""
    document = DocumentBlock(data=b"# Red", document_mimetype="text/markdown")
    blocks = [TextBlock(text='{"id": 1}'), TextBlock(text='{"id": 2}'), document]
    asked = ChatMessage(role=ASSISTANT, content="", additional_kwargs={"tool_calls": [CALL]})
    answered = ChatMessage(
        role=MessageRole.TOOL, blocks=blocks, additional_kwargs={"tool_call_id": "a"}
    )
    *_, message = to_messages([asked, answered])
    assert message.content == '{"id": 1}\n{"id": 2}\n# Red'


def test_a_name_says_who_speaks() -> None:
    said = ChatMessage(role=USER, content="Hello", additional_kwargs={"name": "ada"})
    (message,) = to_messages([said])
    assert (message.name, message.content) == ("ada", "Hello")


@pytest.mark.parametrize("late", ["user", "system"])
def test_a_late_system_message_is_said_as_the_user_wants(late: Any) -> None:
    said = [ChatMessage("Hello"), ChatMessage(role=SYSTEM, content="Stop now.")]
    *_, last = to_messages(said, Policy(late_system=late))
    assert (last.role, last.content) == (late, "Stop now.")


def test_citations_are_sent_as_what_they_hold() -> None:
    citable = CitableBlock(
        title="t", source="s", content=[TextBlock(text="One. "), ImageBlock(image=PNG)]
    )
    citation = CitationBlock(
        cited_content=TextBlock(text="Two."), source="s", title="t", additional_location_info={}
    )
    (message,) = to_messages([user(citable, citation)])
    assert message.content == ("One. ", Image(data=PNG), "Two.")


@pytest.mark.parametrize(
    "block",
    [AudioBlock(audio=b"x"), VideoBlock(video=b"x"), DocumentBlock(data=b"%PDF-1.7 x")],
    ids=lambda block: block.block_type,
)
def test_what_no_local_model_takes(block: Any, caplog: pytest.LogCaptureFixture) -> None:
    message = user(TextBlock(text="Hello"), block)
    with pytest.raises(ConfigError, match=f"type '{block.block_type}' cannot be sent"):
        to_messages([message])
    with caplog.at_level(logging.WARNING):
        assert to_messages([message], Policy(unsupported="drop"))[0].text == "Hello"
    assert f"{block.block_type!r} was left out" in caplog.text
