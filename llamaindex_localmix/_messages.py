"""LlamaIndex's messages taken apart."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from llamaindex_localmix._tools import calls_in, to_tool_call
from localmix import Message
from localmix.adapting import blocks, messages
from localmix.adapting.blocks import Block, Media
from localmix.adapting.messages import Said
from localmix.errors import ConfigError

# What the model thought and called stands in other fields; a cache point says nothing to it.
_NOT_CONTENT = (ThinkingBlock, ToolCallBlock, CachePoint)


@dataclass(frozen=True, slots=True)
class Policy(blocks.Policy):
    """What may be read, and what becomes of messages.

    Attributes:
        read_files: Whether a block may name a file of this machine.
        fetch_urls: Whether a block may name an address; LlamaIndex fetches it.
    """

    read_files: bool = False
    fetch_urls: bool = False


def to_messages(said: Sequence[ChatMessage], policy: Policy = Policy()) -> list[Message]:
    """Read LlamaIndex's messages; this blocks if `must_read` says so.

    Raises:
        ConfigError: A message holds what no local server takes, or what must not be read.
    """
    return messages.to_messages((_said(message, policy) for message in said), policy)


def must_read(said: Iterable[ChatMessage]) -> bool:
    """Tell whether a block names a file or an address, so that reading it may take a while."""
    return any(
        _address(block) and not _is_inline(block)
        for message in said
        for block in _flat(message.blocks)
    )


def _said(message: ChatMessage, policy: Policy) -> Said:
    thoughts = [block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)]
    about = message.additional_kwargs
    return Said(
        message.role.value,
        [_to_block(each, policy) for each in _flat(message.blocks)],
        reasoning="".join(thoughts),
        calls=[to_tool_call(call) for call in calls_in(message)],
        call_id=str(about.get("tool_call_id") or ""),
        name=str(about.get("name") or ""),
    )


def _flat(content: Iterable[ContentBlock]) -> Iterator[ContentBlock]:
    """Put the content of citations in their place, and leave out what is none."""
    for block in content:
        if isinstance(block, CitableBlock):
            yield from _flat(block.content)
        elif isinstance(block, CitationBlock):
            yield block.cited_content
        elif not isinstance(block, _NOT_CONTENT):
            yield block


def _to_block(block: ContentBlock, policy: Policy) -> Block:
    if isinstance(block, TextBlock):
        return block.text
    if not isinstance(block, ImageBlock | DocumentBlock):
        return Media(block.block_type)
    is_image = isinstance(block, ImageBlock)
    media_type = block.image_mimetype if isinstance(block, ImageBlock) else block.document_mimetype
    return Media(
        block.block_type,
        partial(_read, block, policy),
        media_type=media_type or ("image/png" if is_image else ""),
        name=_address(block),
    )


def _read(block: ImageBlock | DocumentBlock, policy: Policy) -> bytes:
    """Give the bytes of a block; a message may come from anywhere, so an address needs leave."""
    address = _address(block)
    allowed = policy.read_files if block.path else policy.fetch_urls
    if address and not allowed and not _is_inline(block):
        option = "allow_files" if block.path else "allow_urls"
        raise ConfigError(
            f"A block names {address[:60]!r}, which must not be read.",
            hint=f"Pass the bytes themselves, or set {option}=True if you know what it names.",
        )
    try:
        if isinstance(block, ImageBlock):
            return _unwrapped(block.resolve_image().read())
        return bytes(block.resolve_document().read())
    except (OSError, ValueError) as error:  # also what the fetching library raises
        raise ConfigError(
            f"A block of type {block.block_type!r} cannot be read: {error}.",
            hint="Give its bytes.",
        ) from error


def _unwrapped(image: bytes) -> bytes:
    """Give an image's bytes: core takes base64 that has line ends for the bytes themselves."""
    try:
        return base64.b64decode(b"".join(image.split()), validate=True)
    except ValueError:
        return image


def _address(block: ContentBlock) -> str:
    """Give the path or address that stands for the content; empty where the bytes are there."""
    if not isinstance(block, ImageBlock | DocumentBlock):
        return ""
    held = block.image if isinstance(block, ImageBlock) else block.data
    return "" if held is not None else str(block.path or block.url or "")


def _is_inline(block: ContentBlock) -> bool:
    return _address(block).startswith("data:")
