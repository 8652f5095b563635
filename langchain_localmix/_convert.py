"""LangChain's types to ours and back; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    ToolMessage,
)
from langchain_core.messages import InvalidToolCall as LcInvalidToolCall
from langchain_core.messages import ToolCall as LcToolCall
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from localmix import ChatResult, Delta, Image, Message, Tool, ToolCall, Usage
from localmix.errors import ConfigError
from localmix.metrics import metrics_of
from localmix.types import Role
from localmix.wire import jsontext

PROVIDER = "localmix"
# LangChain merges blocks of equal index; tool calls must be out of reach of text and reasoning,
# which it numbers from 0.
TOOL_CALL_INDEX = 1000

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
# What a model said beside its text stands in other fields of the message, or was for people.
_NOT_SENT = {
    "reasoning",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_call",
    "tool_call_chunk",
    "invalid_tool_call",
    "server_tool_call",
    "server_tool_result",
    "refusal",
    "non_standard",
}


def to_messages(messages: Sequence[BaseMessage]) -> list[Message]:
    """Read LangChain's messages.

    Raises:
        ConfigError: A message holds what no local server takes.
    """
    return [_to_message(message) for message in messages]


def to_tools(tools: Sequence[dict[str, Any]]) -> list[Tool]:
    """Read tools in OpenAI's form, as `bind_tools` binds them."""
    functions = [tool["function"] for tool in tools]
    return [
        Tool(
            name=function["name"],
            description=function.get("description") or "",
            parameters=function.get("parameters") or {"type": "object", "properties": {}},
        )
        for function in functions
    ]


def to_tool_choice(choice: Any) -> str:
    """Read a tool choice in any form that LangChain knows."""
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    known = {None: "auto", True: "required", False: "none", "any": "required"}
    return str(known.get(choice, choice))


def to_response_format(response_format: Any) -> Any:
    """Read a response format in OpenAI's form, or a JSON schema."""
    if not isinstance(response_format, dict):
        return response_format
    if response_format.get("type") == "json_schema":
        return response_format["json_schema"]["schema"]
    return "json" if response_format.get("type") == "json_object" else response_format


def from_result(result: ChatResult) -> AIMessage:
    """Write a whole answer as a message."""
    calls, invalid = _from_tool_calls(result.tool_calls)
    return AIMessage(
        content=result.content,
        additional_kwargs=_reasoning(result.reasoning),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=_from_usage(result.usage),
        response_metadata=_metadata(result),
    )


def from_delta(delta: Delta) -> AIMessageChunk:
    """Write one step of an answer as a chunk; only the last carries metadata."""
    is_last = delta.finish_reason is not None
    return AIMessageChunk(
        content=delta.content,
        additional_kwargs=_reasoning(delta.reasoning),
        tool_call_chunks=[
            tool_call_chunk(
                name=piece.name or None,
                args=piece.arguments,
                id=piece.id or None,
                index=TOOL_CALL_INDEX + piece.index,
            )
            for piece in delta.tool_calls
        ],
        usage_metadata=_from_usage(delta.usage),
        response_metadata=_metadata(delta) if is_last else {},
        chunk_position="last" if is_last else None,
    )


def _to_message(message: BaseMessage) -> Message:
    name = message.role if isinstance(message, ChatMessage) else message.type
    role = _ROLES.get(name)
    if role is None:
        raise ConfigError(f"Messages of the role {name!r} cannot be sent to a model.")
    return Message(
        role=role,
        content=_to_content(message.content),
        reasoning=str(message.additional_kwargs.get("reasoning_content") or ""),
        tool_calls=_to_tool_calls(message) if isinstance(message, AIMessage) else (),
        **_to_result_of(message),
    )


def _to_result_of(message: BaseMessage) -> dict[str, str]:
    if isinstance(message, ToolMessage):
        return {"tool_call_id": message.tool_call_id, "tool_name": message.name or ""}
    if isinstance(message, FunctionMessage):
        return {"tool_call_id": message.name, "tool_name": message.name}
    return {}


def _to_content(content: str | list[str | dict[str, Any]]) -> str | tuple[str | Image, ...]:
    if isinstance(content, str):
        return content
    parts = tuple(part for block in content if (part := _to_part(block)) is not None)
    if any(isinstance(part, Image) for part in parts):
        return parts
    return "".join(str(part) for part in parts)


def _to_part(block: str | dict[str, Any]) -> str | Image | None:
    if isinstance(block, str):
        return block
    kind = block.get("type")
    if kind in _NOT_SENT:
        return None
    if kind in ("text", "text-plain"):
        return str(block.get("text") or "")
    if kind == "image_url":
        image = block["image_url"]
        return Image.from_url(image["url"] if isinstance(image, dict) else image)
    if kind == "image" and block.get("base64"):
        media_type = block.get("mime_type") or "image/png"
        return Image.from_url(f"data:{media_type};base64,{block['base64']}")
    if kind == "image" and block.get("url"):
        return Image.from_url(block["url"])
    raise ConfigError(
        f"A content block of type {kind!r} cannot be sent to a local model.",
        hint="Send text, or images as bytes.",
    )


def _to_tool_calls(message: AIMessage) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=call["id"] or "", name=call["name"], arguments=jsontext.text(call["args"]))
        for call in message.tool_calls
    )


def _from_tool_calls(
    calls: tuple[ToolCall, ...],
) -> tuple[list[LcToolCall], list[LcInvalidToolCall]]:
    valid: list[LcToolCall] = []
    invalid: list[LcInvalidToolCall] = []
    for call in calls:
        try:
            args = call.parsed()
        except ConfigError as error:
            invalid.append(
                LcInvalidToolCall(
                    type="invalid_tool_call",
                    name=call.name,
                    args=call.arguments,
                    id=call.id,
                    error=error.message,
                )
            )
            continue
        valid.append(LcToolCall(type="tool_call", name=call.name, args=args, id=call.id))
    return valid, invalid


def _reasoning(reasoning: str) -> dict[str, str]:
    return {"reasoning_content": reasoning} if reasoning else {}


def _from_usage(usage: Usage | None) -> UsageMetadata | None:
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    if usage.cached_tokens is not None:
        metadata["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return metadata


def _metadata(answer: ChatResult | Delta) -> dict[str, Any]:
    return {"model_name": answer.model, "model_provider": PROVIDER, **metrics_of(answer)}
