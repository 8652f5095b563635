"""LangChain's messages to ours; no I/O.

Histories come from anywhere: from other providers' models, from agents, from version 1 of the
message format and from before. What a model said beside its text stands in other fields or was for
people, and is passed over; what a person said and no local server takes is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    ToolMessage,
)

from localmix import Image, Message, ToolCall
from localmix.adapting.messages import settled
from localmix.errors import ConfigError
from localmix.types import Role
from localmix.wire import jsontext

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TEXTS = ("text", "text-plain", "input_text", "output_text")
_IMAGES = ("image", "image_url", "input_image")
_THOUGHTS = {"reasoning": "reasoning", "thinking": "thinking"}  # where each kind of block has it
_CALLS = {"tool_use": "input", "tool_call": "args"}
_RESULT = "tool_result"

Content = str | tuple[str | Image, ...]
Block = str | dict[str, Any]


def to_messages(messages: Sequence[BaseMessage]) -> list[Message]:
    """Read LangChain's messages; system messages that follow each other at the head become one.

    Raises:
        ConfigError: A message holds what no local server takes.
    """
    said = [part for message in messages for part in _to_messages(message)]
    return settled(said, late_system="system")


def _to_messages(message: BaseMessage) -> list[Message]:
    name = message.role if isinstance(message, ChatMessage) else message.type
    role = _ROLES.get(name)
    if role is None:
        raise ConfigError(f"Messages of the role {name!r} cannot be sent to a model.")
    blocks = [message.content] if isinstance(message.content, str) else message.content
    if role == "assistant":
        return [_from_model(message, blocks)]
    if role == "tool":
        return [_result(message, blocks)]
    results = [_anthropic_result(block) for block in _of_types(blocks, [_RESULT])]
    rest = [block for block in blocks if _type_of(block) != _RESULT]
    content = _content(_to_part(block) for block in rest)
    return [*results, *([Message(role=role, content=content)] if rest or not results else [])]


def _from_model(message: BaseMessage, blocks: Sequence[Block]) -> Message:
    texts = [block if isinstance(block, str) else str(block["text"]) for block in _texts(blocks)]
    thoughts = message.additional_kwargs.get("reasoning_content") or "".join(
        str(block.get(_THOUGHTS[block["type"]]) or "") for block in _of_types(blocks, _THOUGHTS)
    )
    return Message(
        role="assistant",
        content="".join(texts),
        reasoning=str(thoughts),
        tool_calls=_calls(message, blocks),
    )


def _calls(message: BaseMessage, blocks: Sequence[Block]) -> tuple[ToolCall, ...]:
    """Read the calls; broken ones are left out, for no server takes them back."""
    calls: Sequence[Any] = message.tool_calls if isinstance(message, AIMessage) else ()
    if not calls:
        calls = [
            {**block, "args": block.get(_CALLS[block["type"]])}
            for block in _of_types(blocks, _CALLS)
        ]
    return tuple(
        ToolCall(
            id=call.get("id") or "", name=call["name"], arguments=jsontext.text(call["args"] or {})
        )
        for call in calls
    )


def _result(message: BaseMessage, blocks: Sequence[Block]) -> Message:
    name = message.name or ""
    call_id = message.tool_call_id if isinstance(message, ToolMessage) else ""
    content = _content(_to_part(block) for block in blocks)
    if isinstance(message, ToolMessage) and message.status == "error":
        content = _marked_as_error(content)
    if isinstance(message, FunctionMessage):
        call_id = name  # calls had no ids then
    return Message(role="tool", content=content, tool_call_id=call_id, tool_name=name)


def _anthropic_result(block: dict[str, Any]) -> Message:
    said = block.get("content") or ""
    parts: list[Block] = [said] if isinstance(said, str) else said
    content = _content(_to_part(part) for part in parts)
    if block.get("is_error"):
        content = _marked_as_error(content)
    return Message(role="tool", content=content, tool_call_id=block["tool_use_id"])


def _marked_as_error(content: Content) -> Content:
    """Tell the model, which sees nothing of a status, that a tool failed."""
    parts = (content,) if isinstance(content, str) else content
    first = parts[0] if parts else ""
    if isinstance(first, str) and first.lstrip().casefold().startswith("error"):
        return content
    return f"Error: {content}" if isinstance(content, str) else ("Error: ", *parts)


def _content(parts: Iterable[str | Image]) -> Content:
    said = tuple(parts)
    if any(isinstance(part, Image) for part in said):
        return said
    return "".join(map(str, said))


def _to_part(block: Block) -> str | Image:
    if isinstance(block, str):
        return block
    kind = block.get("type")
    if kind in _TEXTS:
        return str(block.get("text") or "")
    if kind in _IMAGES:
        return _to_image(block)
    raise ConfigError(
        f"A content block of type {kind!r} cannot be sent to a local model.",
        hint="Send text, or images as bytes.",
    )


def _to_image(block: dict[str, Any]) -> Image:
    """Read an image as LangChain (both versions), OpenAI (both APIs) or Anthropic write it."""
    source = block.get("source") or block
    url = block.get("image_url") or source.get("url")
    if isinstance(url, dict):
        url = url.get("url")
    if url:
        return Image.from_url(str(url))
    media_type = source.get("mime_type") or source.get("media_type") or "image/png"
    data = source.get("base64") or source.get("data")
    if not data:
        raise ConfigError(
            "An image block holds neither data nor a data: URI.",
            hint='Write {"type": "image", "base64": ..., "mime_type": "image/png"}.',
        )
    return Image.from_url(f"data:{media_type};base64,{data}")


def _texts(blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if isinstance(block, str) or _type_of(block) in _TEXTS]


def _of_types(blocks: Sequence[Block], kinds: Iterable[str]) -> list[dict[str, Any]]:
    return [block for block in blocks if isinstance(block, dict) and _type_of(block) in kinds]


def _type_of(block: Block) -> str:
    return "text" if isinstance(block, str) else str(block.get("type"))
