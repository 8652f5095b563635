"""Answers in OpenAI's shape.

Rules that clients hold us to: the role stands in the first delta alone; the reason for the end has
a chunk of its own; the usage comes after it, without choices, where it was asked for; then
`[DONE]`, which an error never has behind it. Thoughts are written under both names in use.
"""

from __future__ import annotations

import base64
import secrets
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from localmix.dialects.parts.counting import counted
from localmix.dialects.parts.passing import PassedDelta
from localmix.dialects.serving import Ask, Clock, Failure, Listed
from localmix.types import (
    ChatResult,
    Delta,
    EmbedResult,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from localmix.types.fold import Fold, unfold
from localmix.wire import jsontext

_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})
_END = b"data: [DONE]\n\n"
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY, _SERVERS_FAULT = 401, 404, 429, 500


class _Events(ABC):
    """What the writers of both endpoints have in common."""

    content_type = "text/event-stream"
    _chunk: str
    _whole: str

    def __init__(self, ask: Ask, now: Clock) -> None:
        self._ask = ask
        self._now = now
        self._began = now()
        self._spoke: datetime | None = None
        self._fold = Fold()
        self._id = f"{'chatcmpl' if ask.path.endswith('chat/completions') else 'cmpl'}-{_letters()}"

    def beat(self) -> bytes:
        """Write a comment, which every reader of events passes over."""
        return b": ping\n\n"

    def feed(self, delta: Delta) -> bytes:
        """Write what a delta says."""
        self._spoke = self._spoke or self._now()
        self._fold.add(delta)
        choice = self._choice(delta)
        return self._event({"choices": [{**choice, "finish_reason": None}]}) if choice else b""

    def passed(self, delta: PassedDelta) -> bytes:
        """Give the bytes as they are."""
        return delta.raw

    def close(self) -> list[bytes]:
        """Write the reason for the end, the usage, and the end mark."""
        result = self._fold.result()
        end: dict[str, Any] = {"choices": [{**self._nothing(), "finish_reason": _reason(result)}]}
        events = [self._event(end | self._more(result))]
        if self._ask.said.inner("stream_options").flag("include_usage"):
            usage = write_usage(counted(self._ask, result))
            events.append(self._event({"choices": [], "usage": usage}))
        return [*events, _END]

    def broken(self, failure: Failure) -> bytes:
        """Write an error; no end mark follows."""
        return b"data: " + write_error(failure) + b"\n\n"

    def whole(self, result: ChatResult) -> bytes:
        """Write the answer at once."""
        self._spoke = self._now()
        self._fold.add(unfold(result))
        said: dict[str, Any] = {
            **self._head(self._whole),
            "choices": [{**self._said(result), "finish_reason": _reason(result)}],
            "usage": write_usage(counted(self._ask, result)),
        }
        return jsontext.ascii_line(said | self._more(result))

    @abstractmethod
    def _choice(self, delta: Delta) -> dict[str, Any]:
        """Shape a delta; empty if it says nothing."""

    @abstractmethod
    def _nothing(self) -> dict[str, Any]:
        """Shape the end of a stream."""

    @abstractmethod
    def _said(self, result: ChatResult) -> dict[str, Any]:
        """Shape a whole answer."""

    def _more(self, result: ChatResult) -> dict[str, Any]:
        """Give what LM Studio's own endpoints add."""
        if not self._ask.path.startswith("/api/v0/"):
            return {}
        now, timings = self._now(), result.timings or Timings()
        total = timings.total or (now - self._began).total_seconds()
        first = timings.first_token or ((self._spoke or now) - self._began).total_seconds()
        output = timings.output or max(total - first, 1e-6)
        stats = {
            "tokens_per_second": counted(self._ask, result).output_tokens / output,
            "time_to_first_token": first,
            "generation_time": output,
            "stop_reason": _STOP_REASONS.get(_reason(result), "eosFound"),
        }
        return {"stats": stats}

    def _event(self, said: Mapping[str, Any]) -> bytes:
        return b"data: " + jsontext.ascii_line({**self._head(self._chunk), **said}) + b"\n\n"

    def _head(self, kind: str) -> dict[str, Any]:
        created = int(self._began.timestamp())
        return {"id": self._id, "object": kind, "created": created, "model": self._ask.model}


_STOP_REASONS = {"length": "maxPredictedTokensReached", "tool_calls": "toolCalls"}


class ChatWriter(_Events):
    """The answer of `chat/completions`."""

    _chunk, _whole = "chat.completion.chunk", "chat.completion"
    _has_role = False

    def _choice(self, delta: Delta) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if delta.content:
            said["content"] = delta.content
        if delta.reasoning:
            said |= _thought(delta.reasoning)
        if delta.tool_calls:
            said["tool_calls"] = [_piece(call) for call in delta.tool_calls]
        if not (said or delta.logprobs):
            return {}
        if not self._has_role:
            self._has_role = True
            said = {"role": "assistant", "content": "", **said}
        return {"index": 0, "delta": said, **_tokens(delta.logprobs)}

    def _nothing(self) -> dict[str, Any]:
        return {"index": 0, "delta": {}}

    def _said(self, result: ChatResult) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": result.content}
        if result.reasoning:
            message |= _thought(result.reasoning)
        if result.tool_calls:
            message["content"] = result.content or None
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in result.tool_calls
            ]
        return {"index": 0, "message": message, **_tokens(result.logprobs)}


class CompletionWriter(_Events):
    """The answer of `completions`."""

    _chunk = _whole = "text_completion"

    def _choice(self, delta: Delta) -> dict[str, Any]:
        if not (delta.content or delta.logprobs):
            return {}
        return self._text(delta.content, delta.logprobs)

    def _nothing(self) -> dict[str, Any]:
        return self._text("", ())

    def _said(self, result: ChatResult) -> dict[str, Any]:
        return self._text(result.content, result.logprobs)

    @staticmethod
    def _text(text: str, logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
        told = None
        if logprobs:
            told = {
                "tokens": [each.token for each in logprobs],
                "token_logprobs": [each.logprob for each in logprobs],
                "top_logprobs": [
                    {rival.token: rival.logprob for rival in each.top} for each in logprobs
                ],
            }
        return {"index": 0, "text": text, "logprobs": told}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Write counts of tokens."""
    said: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    if usage.reasoning_tokens is not None:
        said["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    if usage.cached_tokens is not None:
        said["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return said


def write_vectors(ask: Ask, result: EmbedResult) -> bytes:
    """Write vectors; in base64 as little-endian floats of four bytes."""
    in_base64 = ask.said.text("encoding_format") == "base64"
    read = counted(ask, result).input_tokens
    return jsontext.ascii_line(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _packed(vector) if in_base64 else vector,
                }
                for index, vector in enumerate(result.vectors)
            ],
            "model": ask.model,
            "usage": {"prompt_tokens": read, "total_tokens": read},
        }
    )


def write_error(failure: Failure) -> bytes:
    """Write an error object."""
    kind, code = "invalid_request_error", None
    if failure.missing:
        code = "model_not_found"
    elif failure.status == _UNAUTHORIZED:
        code = "invalid_api_key"
    elif failure.status == _TOO_MANY:
        kind, code = "rate_limit_error", "rate_limit_exceeded"
    elif failure.is_too_long:
        code = "context_length_exceeded"
    elif failure.status >= _SERVERS_FAULT:
        kind = "server_error"
    missing = f"The model `{failure.missing}` does not exist."
    message = missing if failure.missing else failure.message
    about = {"message": message, "type": kind, "param": None, "code": code}
    return jsontext.ascii_line({"error": about})


def write_models(models: Sequence[Listed]) -> bytes:
    """List models; none are an empty list, never null."""
    return jsontext.ascii_line({"object": "list", "data": [_model(each) for each in models]})


def write_model(model: Listed) -> bytes:
    """Describe one model."""
    return jsontext.ascii_line(_model(model))


def _model(model: Listed) -> dict[str, Any]:
    created = max(int(model.since.timestamp()), 0)
    return {"id": model.name, "object": "model", "created": created, "owned_by": "library"}


def _reason(result: ChatResult) -> str:
    reason = result.finish_reason or "stop"
    if result.tool_calls and reason == "stop":
        return "tool_calls"
    return reason if reason in _REASONS else "stop"


def _thought(text: str) -> dict[str, str]:
    return {"reasoning_content": text, "reasoning": text}


def _piece(call: ToolCallDelta) -> dict[str, Any]:
    function: dict[str, str] = {"arguments": call.arguments}
    if call.name:
        function = {"name": call.name, **function}
    said: dict[str, Any] = {"index": call.index, "type": "function", "function": function}
    return said | ({"id": call.id} if call.id else {})


def _tokens(logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
    return {"logprobs": {"content": [_token(each) for each in logprobs]}} if logprobs else {}


def _token(each: TokenLogprob) -> dict[str, Any]:
    rivals = [_rival(rival) for rival in each.top]
    return {**_rival(each), "top_logprobs": rivals}


def _rival(each: TokenLogprob) -> dict[str, Any]:
    letters = list(each.token.encode("utf-8", "replace"))
    return {"token": each.token, "logprob": each.logprob, "bytes": letters}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _letters() -> str:
    return secrets.token_hex(12)
