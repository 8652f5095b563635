"""LlamaIndex's messages to ours."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Literal

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import ValidationError

from llamaindex_localmix._tools import calls_in, to_tool_call
from localmix import Image, Message, ToolCall
from localmix.adapting.messages import settled
from localmix.errors import ConfigError, config_error
from localmix.types import Role

_log = logging.getLogger("localmix")
_ROLES: dict[MessageRole, Role] = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}
# What the model thought and called stands in other fields; a cache point says nothing to it.
_NOT_CONTENT = (ThinkingBlock, ToolCallBlock, CachePoint)
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml")
Late = Literal["user", "system"]
Unsupported = Literal["error", "drop"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Say what may be read, and what becomes of what no local model takes.

    Attributes:
        read_files: Whether a block may name a file of this machine.
        fetch_urls: Whether a block may name an address; LlamaIndex fetches it.
        unsupported: Whether audio, video and documents that are no text are an error, or left out
            with a warning in the log.
        late_system: The role of system messages that come after the first turn.
    """

    read_files: bool = False
    fetch_urls: bool = False
    unsupported: Unsupported = "error"
    late_system: Late = "user"


def to_messages(messages: Sequence[ChatMessage], policy: Policy = Policy()) -> list[Message]:
    """Read LlamaIndex's messages; this blocks if `must_read` says so.

    Raises:
        ConfigError: A message holds what no local server takes, or what must not be read.
    """
    said = []
    open_calls: list[ToolCall] = []  # for the results of integrations that do not name the call
    for message in messages:
        calls = [to_tool_call(call, place) for place, call in enumerate(calls_in(message))]
        open_calls += calls
        try:
            said.append(_to_message(message, calls, open_calls, policy))
        except ValidationError as error:
            raise config_error(Message, error) from error
    return settled(said, policy.late_system)


def must_read(messages: Iterable[ChatMessage]) -> bool:
    """Tell whether a block names a file or an address, so that reading it may take a while."""
    return any(
        _address(block) and not _is_inline(block)
        for message in messages
        for block in _flat(message.blocks)
    )


def _to_message(
    message: ChatMessage, calls: list[ToolCall], open_calls: list[ToolCall], policy: Policy
) -> Message:
    role = _ROLES[message.role]
    parts = [part for block in _flat(message.blocks) for part in _to_parts(block, policy)]
    thoughts = [block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)]
    return Message(
        role=role,
        content=tuple(parts)
        if any(isinstance(part, Image) for part in parts)
        else "".join(map(str, parts)),
        reasoning="".join(thoughts),
        tool_calls=tuple(calls) if role == "assistant" else (),
        tool_call_id=_answered(message, open_calls) if role == "tool" else "",
        tool_name=str(message.additional_kwargs.get("name") or "") if role == "tool" else "",
    )


def _answered(message: ChatMessage, open_calls: list[ToolCall]) -> str:
    """Find the call that a result answers: the one it names, else the first without a result."""
    named = message.additional_kwargs.get("tool_call_id")
    for place, call in enumerate(open_calls):
        if named in (None, "", call.id):
            return open_calls.pop(place).id
    return str(named or "")


def _flat(blocks: Iterable[ContentBlock]) -> Iterator[ContentBlock]:
    """Put the content of citations in their place."""
    for block in blocks:
        if isinstance(block, CitableBlock):
            yield from _flat(block.content)
        elif isinstance(block, CitationBlock):
            yield block.cited_content
        else:
            yield block


def _to_parts(block: ContentBlock, policy: Policy) -> list[str | Image]:
    if isinstance(block, TextBlock):
        return [block.text]
    if isinstance(block, _NOT_CONTENT):
        return []
    if isinstance(block, ImageBlock):
        data = _read(block, policy)
        return [Image(data=data, media_type=block.image_mimetype or "image/png")]
    if isinstance(block, DocumentBlock) and _is_text(block):
        return [_read(block, policy).decode("utf-8", "replace")]
    if policy.unsupported == "drop":
        _log.warning("A block of type %r was left out: no local model takes it.", block.block_type)
        return []
    raise ConfigError(
        f"A block of type {block.block_type!r} cannot be sent to a local model.",
        hint='Send text or images, or leave such blocks out with unsupported_blocks="drop".',
    )


def _is_text(block: DocumentBlock) -> bool:
    kind = block.document_mimetype or guess_type(_address(block))[0] or ""
    return kind.startswith(_TEXT_TYPES)


def _read(block: ImageBlock | DocumentBlock, policy: Policy) -> bytes:
    """Give the bytes of a block; a message may come from anywhere, so an address needs leave."""
    address = _address(block)
    allowed = policy.read_files if block.path else policy.fetch_urls
    if address and not allowed and not _is_inline(block):
        option = "allow_files" if block.path else "allow_urls"
        raise ConfigError(
            f"A block names {address[:60]!r}, which must not be read.",
            hint=f"Give the bytes themselves, or say {option}=True if you know what it names.",
        )
    try:
        if isinstance(block, ImageBlock):
            return bytes(block.resolve_image().read())
        return bytes(block.resolve_document().read())
    except (OSError, ValueError) as error:  # also what the fetching library raises
        raise ConfigError(
            f"A block of type {block.block_type!r} cannot be read: {error}.",
            hint="Give its bytes.",
        ) from error


def _address(block: ContentBlock) -> str:
    """Give the path or address that stands for the content; empty where the bytes are there."""
    if not isinstance(block, ImageBlock | DocumentBlock):
        return ""
    held = block.image if isinstance(block, ImageBlock) else block.data
    return "" if held is not None else str(block.path or block.url or "")


def _is_inline(block: ContentBlock) -> bool:
    return _address(block).startswith("data:")
