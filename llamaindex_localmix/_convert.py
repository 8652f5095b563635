"""LlamaIndex's types to ours and back; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.tools import BaseTool

from localmix import ChatResult, Delta, Image, Message, Tool, ToolCall, Usage
from localmix.errors import ConfigError
from localmix.metrics import metrics_of
from localmix.types import Role
from localmix.wire import jsontext

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


def to_messages(messages: Sequence[ChatMessage]) -> list[Message]:
    """Read LlamaIndex's messages.

    Raises:
        ConfigError: A message holds what no local server takes.
    """
    return [_to_message(message) for message in messages]


def to_tools(tools: Sequence[BaseTool]) -> list[Tool]:
    """Read LlamaIndex's tools."""
    return [
        Tool(
            name=tool.metadata.get_name(),
            description=tool.metadata.description,
            parameters=tool.metadata.get_parameters_dict(),
        )
        for tool in tools
    ]


def from_result(result: ChatResult, delta: Delta | None = None) -> ChatResponse:
    """Write what an answer is so far; `delta` is its last step, if it is streamed."""
    blocks: list[ContentBlock] = []
    if result.reasoning:
        blocks.append(ThinkingBlock(content=result.reasoning))
    blocks.append(TextBlock(text=result.content))
    blocks += [
        ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)
        for call in result.tool_calls
    ]
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)
    if result.tool_calls:
        # Core's own streaming programs and chat engines look only here.
        message.additional_kwargs["tool_calls"] = [_from_tool_call(c) for c in result.tool_calls]
    about = {} if delta is None else {"thinking_delta": delta.reasoning}
    return ChatResponse(
        message=message,
        delta=None if delta is None else delta.content,
        raw=_raw(result),
        additional_kwargs=about,
    )


def to_completion(response: ChatResponse) -> CompletionResponse:
    """Write a chat answer as the answer to a prompt."""
    return CompletionResponse(
        text=response.message.content or "",
        delta=response.delta,
        raw=response.raw,
        additional_kwargs=response.additional_kwargs,
    )


def _to_message(message: ChatMessage) -> Message:
    role = _ROLES[message.role]
    parts = [part for block in message.blocks if (part := _to_part(block)) is not None]
    thoughts = [block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)]
    return Message(
        role=role,
        content=tuple(parts)
        if any(isinstance(p, Image) for p in parts)
        else "".join(map(str, parts)),
        reasoning="".join(thoughts),
        tool_calls=tuple(_to_tool_call(b) for b in message.blocks if isinstance(b, ToolCallBlock)),
        tool_call_id=message.additional_kwargs.get("tool_call_id", "") if role == "tool" else "",
        tool_name=message.additional_kwargs.get("name", "") if role == "tool" else "",
    )


def _to_part(block: ContentBlock) -> str | Image | None:
    if isinstance(block, TextBlock):
        return block.text
    if isinstance(block, ImageBlock):
        return _to_image(block)
    if isinstance(block, ThinkingBlock | ToolCallBlock | CachePoint):
        return None
    raise ConfigError(
        f"A block of type {block.block_type!r} cannot be sent to a local model.",
        hint="Send text, or images as bytes.",
    )


def _to_image(block: ImageBlock) -> Image:
    if block.image is None:
        raise ConfigError(
            "An ImageBlock must hold the image's bytes, not a path or an address.",
            hint="Read the file or fetch the address yourself: ImageBlock(image=...).",
        )
    return Image(data=block.resolve_image().read(), media_type=block.image_mimetype or "image/png")


def _to_tool_call(block: ToolCallBlock) -> ToolCall:
    said = block.tool_kwargs
    arguments = said if isinstance(said, str) else jsontext.text(said)
    return ToolCall(id=block.tool_call_id or "", name=block.tool_name, arguments=arguments)


def _from_tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _raw(result: ChatResult) -> dict[str, Any]:
    """Tell usage, timings and route, once the answer is whole; plain JSON."""
    if result.finish_reason is None:
        return {}
    usage = {} if result.usage is None else {"usage": _from_usage(result.usage)}
    return {"model": result.model, **usage, **metrics_of(result)}


def _from_usage(usage: Usage) -> dict[str, int]:
    """Name the counts as LlamaIndex's `TokenCountingHandler` looks for them."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
