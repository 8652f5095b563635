"""LM Studio's envelopes around llama.cpp's answers, and its error bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class LMStudioError(Exception):
    """Carry a status and a body as LM Studio sends them."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def plain_error(text: str, status: int = 400) -> LMStudioError:
    """Validation and engine errors on the OpenAI routes are a bare string (bug-tracker 670)."""
    return LMStudioError(status, {"error": text})


def model_error(
    text: str, *, code: str | None = "model_not_found", status: int = 400
) -> LMStudioError:
    """Model resolution answers with OpenAI's error object (recorded, 0.4.25: r55, r62)."""
    error = {"message": text, "type": "invalid_request_error", "param": "model", "code": code}
    return LMStudioError(status, {"error": error})


def native_error(text: str, code: str, status: int = 400) -> LMStudioError:
    """`/api/v1` and authentication have their own object (opencode-lmstudio 41, 0.4.18)."""
    return LMStudioError(
        status, {"error": {"type": "invalid_request", "code": code, "message": text}}
    )


def chat_reply(engine: dict[str, Any], instance: str, thought_tokens: int) -> dict[str, Any]:
    """Wrap a whole answer (recorded, 2026-04: r14, r15)."""
    choice = engine["choices"][0]
    said = choice["message"]
    calls = [
        {"type": "function", "id": _call_id(index), "function": call["function"]}
        for index, call in enumerate(said.get("tool_calls") or [])
    ]
    return {
        "id": "chatcmpl-t8a0zd42kqgp3n2k3nk6wf",
        "object": "chat.completion",
        "created": 1777002236,
        "model": instance,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": said.get("content") or "",
                    "reasoning_content": said.get("reasoning_content") or "",
                    # Always there since about 0.3.23 (bug-tracker 1318).
                    "tool_calls": calls,
                },
                "logprobs": None,
                "finish_reason": choice["finish_reason"],
            }
        ],
        "usage": _usage(engine["usage"], thought_tokens),
        "stats": {},
        "system_fingerprint": instance,
    }


def completion_reply(engine: dict[str, Any], instance: str) -> dict[str, Any]:
    """Wrap a whole text completion (documentation: d12)."""
    choice = engine["choices"][0]
    return {
        "id": "cmpl-p9rtxv6fky2v9k8jrd8cc",
        "object": "text_completion",
        "created": 1777002236,
        "model": instance,
        "choices": [
            {
                "index": 0,
                "text": choice["text"],
                "logprobs": None,
                "finish_reason": choice["finish_reason"],
            }
        ],
        "usage": _plain_usage(engine["usage"]),
    }


def embeddings_reply(vectors: list[list[float]], instance: str) -> dict[str, Any]:
    """Wrap vectors; usage is always 0 (bug-tracker 1546)."""
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "embedding": vector, "index": index}
            for index, vector in enumerate(vectors)
        ],
        "model": instance,
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }


def chat_frames(
    engine: Iterator[dict[str, Any]], instance: str, *, include_usage: bool
) -> Iterator[dict[str, Any]]:
    """Wrap a streamed answer (recorded, 2026-05: r64, r65)."""
    role: dict[str, str] = {"role": "assistant"}  # comes with the first token
    thought_tokens = 0
    for frame in engine:
        if not frame["choices"]:
            if include_usage:  # since 0.3.18: one more frame, without choices
                usage = _usage(frame["usage"], thought_tokens)
                yield _frame(instance, []) | {"usage": usage}
            continue
        choice = frame["choices"][0]
        for delta in _deltas(choice["delta"]):
            thought_tokens += "reasoning_content" in delta
            yield _frame(instance, [_choice({**role, **delta}, None)])
            role = {}
        if choice["finish_reason"]:
            yield _frame(instance, [_choice({}, choice["finish_reason"])])


def completion_frames(
    engine: Iterator[dict[str, Any]], instance: str, *, include_usage: bool
) -> Iterator[dict[str, Any]]:
    """Wrap a streamed text completion."""
    for frame in engine:
        choice = frame["choices"][0]
        said = {"index": 0, "text": choice["text"], "logprobs": None}
        reason = {"finish_reason": choice["finish_reason"]}
        yield {"id": "cmpl-1", "object": "text_completion", "model": instance} | {
            "choices": [said | reason]
        }
        if include_usage and "usage" in frame:
            yield {"id": "cmpl-1", "object": "text_completion", "model": instance} | {
                "choices": [],
                "usage": _plain_usage(frame["usage"]),
            }


def _deltas(delta: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if delta.get("reasoning_content"):
        yield {"reasoning_content": delta["reasoning_content"]}
    if delta.get("content"):
        yield {"content": delta["content"]}
    for call in delta.get("tool_calls") or []:
        yield from _call_pieces(call)


def _call_pieces(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """First the id and the name, then the arguments without either."""
    index, function = call["index"], call["function"]
    if function.get("name"):
        head = {"name": function["name"], "arguments": ""}
        yield {
            "tool_calls": [
                {"index": index, "id": _call_id(index), "type": "function", "function": head}
            ]
        }
    if function.get("arguments"):
        rest = {"arguments": function["arguments"]}
        yield {"tool_calls": [{"index": index, "type": "function", "function": rest}]}


def _frame(instance: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-s83q17txv5oo6k71akizl",
        "object": "chat.completion.chunk",
        "created": 1778230285,
        "model": instance,
        "system_fingerprint": instance,
        "choices": choices,
    }


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _usage(usage: dict[str, Any], thought_tokens: int) -> dict[str, Any]:
    details = {"completion_tokens_details": {"reasoning_tokens": thought_tokens}}
    return _plain_usage(usage) | details


def _plain_usage(usage: dict[str, Any]) -> dict[str, Any]:
    return {name: usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


def _call_id(index: int) -> str:
    """Ids are nine digits (recorded: r14, r65)."""
    return str(628973129 + index)


def pretty(body: Any) -> bytes:
    """Success bodies are indented by two spaces."""
    return json.dumps(body, indent=2, ensure_ascii=False).encode()


def without_images(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put images aside, each of which must be a data: URI."""
    return [
        {**message, "content": [part for part in message["content"] if not _is_image(part)]}
        if isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _is_image(part: dict[str, Any]) -> bool:
    if part["type"] != "image_url":
        return False
    if not part["image_url"]["url"].startswith("data:image/"):
        raise plain_error("'url' field must be a base64 encoded image.")
    return True
