"""Prompts and answers as OpenTelemetry's conventions write them, where the user wants them seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localmix.observing.conventions import Attributes
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Message,
    ToolCall,
)


def of_prompt(request: GenerationRequest | EmbedRequest) -> Attributes:
    """Give what is asked; texts to embed have no place in the conventions."""
    if isinstance(request, ChatRequest):
        messages = [_said(message) for message in request.messages]
    elif isinstance(request, CompletionRequest):
        messages = [{"role": "user", "parts": [_text(request.prompt)]}]
    else:
        return {}
    return {"gen_ai.input.messages": _written(messages)}


def of_answer(result: ChatResult | EmbedResult) -> Attributes:
    """Give what has been answered, as far as it had come."""
    if isinstance(result, EmbedResult):
        return {}
    answer = _said(result.message) | {"finish_reason": result.finish_reason or ""}
    return {"gen_ai.output.messages": _written([answer])}


def _said(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": list(_parts(message))}


def _parts(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        name = {"name": message.tool_name} if message.tool_name else {}
        yield {
            "type": "tool_call_response",
            "id": message.tool_call_id,
            "response": message.text,
            **name,
        }
        return
    if message.reasoning:
        yield {"type": "reasoning", "content": message.reasoning}
    if message.text:
        yield _text(message.text)
    for image in message.images:  # its bytes would fill the trace
        yield {"type": "image", "mime_type": image.media_type, "bytes": len(image.data)}
    for call in message.tool_calls:
        yield {"type": "tool_call", "id": call.id, "name": call.name, "arguments": _arguments(call)}


def _arguments(call: ToolCall) -> Any:
    """Read the arguments; those that were cut off stay a text."""
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _written(messages: list[dict[str, Any]]) -> str:
    return json.dumps(messages, ensure_ascii=False)
