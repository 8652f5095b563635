"""Answers in Anthropic's shape.

Rules that clients hold us to: a message starts before anything else, also before a ping; each block
starts, goes on and stops before the next one; then comes the reason with the counts, which are
those of the whole message; then the message stops. After an error comes nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any

from localmix.dialects.parts.blocks import Begun, Block, Blocks, BlockStep, Said
from localmix.dialects.parts.counting import Yardstick, counted
from localmix.dialects.parts.events import event
from localmix.dialects.parts.passing import PassedDelta
from localmix.dialects.serving import Ask, Failure
from localmix.errors import ConfigError
from localmix.types import ChatResult, Delta, ToolCall, Usage
from localmix.types.fold import Fold
from localmix.wire import jsontext

_REASONS = {"length": "max_tokens", "content_filter": "refusal"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_SERVERS_FAULT = 500
_BEGINNING = re.compile(rb"event: message_start\n.*\n\n")
# Clients give thoughts back only with a signature, by which Anthropic knows its own.
_SIGNATURE = "localmix"


class MessagesWriter:
    """The answer of `/v1/messages`."""

    content_type = "text/event-stream"

    def __init__(self, ask: Ask, yardstick: Yardstick) -> None:
        self._ask = ask
        self._yardstick = yardstick
        self._id = f"msg_{secrets.token_hex(12)}"
        self._has_begun = self._is_passing = False
        self._blocks, self._fold = Blocks(), Fold()

    def beat(self) -> bytes:
        """Write a ping."""
        return self._start() + event("ping")

    def feed(self, delta: Delta) -> bytes:
        """Write what a delta says."""
        self._fold.add(delta)
        said = b"".join(map(_step, self._blocks.feed(delta)))
        return self._start() + said if said else b""

    def passed(self, delta: PassedDelta) -> bytes:
        """Give the bytes; a message that began with a ping does not begin again."""
        if delta.usage:
            self._yardstick.learn(self._ask.wanted, delta.usage)
        begins_again = self._has_begun and not self._is_passing
        self._has_begun = self._is_passing = True
        return _BEGINNING.sub(b"", delta.raw, 1) if begins_again else delta.raw

    def close(self) -> list[bytes]:
        """Write the end of the last block, the reason with the counts, and the end."""
        rest = b"".join(map(_step, self._blocks.close()))
        result = self._fold.result()
        about = {"stop_reason": _reason(result), "stop_sequence": None}
        end = event("message_delta", delta=about, usage=self._usage(result))
        return [self._start() + rest + end, event("message_stop")]

    def broken(self, failure: Failure) -> bytes:
        """Write an error."""
        return event("error", error=_error(failure))

    def whole(self, result: ChatResult) -> bytes:
        """Write the answer at once."""
        content = [_content(block) for block in Blocks.of(result)]
        about = {"stop_reason": _reason(result), "usage": self._usage(result)}
        return jsontext.ascii_line(self._message(content) | about)

    def _start(self) -> bytes:
        """Write the beginning, once; how long the prompt is can only be estimated by then."""
        if self._has_begun:
            return b""
        self._has_begun = True
        read = self._yardstick.count(self._ask.wanted)
        return event(
            "message_start", message=self._message([]) | {"usage": _counts(Usage(read, 0))}
        )

    def _message(self, content: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._ask.model,
            "content": content,
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _usage(self, result: ChatResult) -> dict[str, Any]:
        if result.usage:
            self._yardstick.learn(self._ask.wanted, result.usage)
        return _counts(counted(self._ask, result))


def write_count(tokens: int) -> bytes:
    """Write how many tokens a prompt has."""
    return jsontext.ascii_line({"input_tokens": tokens})


def write_error(failure: Failure) -> bytes:
    """Write an error object."""
    return jsontext.ascii_line({"type": "error", "error": _error(failure)})


def _error(failure: Failure) -> dict[str, str]:
    known = "api_error" if failure.status >= _SERVERS_FAULT else "invalid_request_error"
    message = failure.message
    if failure.missing:
        message = f"model: {failure.missing}"
    elif failure.is_too_long:
        message = f"prompt is too long: {message}"  # by these words Claude Code knows what to do
    return {"type": _ERRORS.get(failure.status, known), "message": message}


def _step(step: BlockStep) -> bytes:
    block = step.block
    if isinstance(step, Begun):
        return event("content_block_start", index=block.index, content_block=_opened(block))
    if isinstance(step, Said):
        return _more(block, _SAID[block.kind], step.piece)
    signed = _more(block, ("signature_delta", "signature"), _SIGNATURE)
    stop = event("content_block_stop", index=block.index)
    return signed + stop if block.kind == "reasoning" else stop


_SAID = {
    "reasoning": ("thinking_delta", "thinking"),
    "text": ("text_delta", "text"),
    "call": ("input_json_delta", "partial_json"),
}


def _more(block: Block, names: tuple[str, str], said: str) -> bytes:
    kind, key = names
    return event("content_block_delta", index=block.index, delta={"type": kind, key: said})


def _opened(block: Block) -> dict[str, Any]:
    if block.kind == "reasoning":
        return {"type": "thinking", "thinking": "", "signature": ""}
    if block.kind == "text":
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": block.id, "name": block.name, "input": {}}


def _content(block: Block) -> dict[str, Any]:
    """Write a whole block; a call that the end of the answer cut is shown as text."""
    if block.kind == "reasoning":
        return {"type": "thinking", "thinking": block.text, "signature": _SIGNATURE}
    if block.kind == "text":
        return {"type": "text", "text": block.text}
    try:
        arguments = ToolCall(name=block.name, arguments=block.text).parsed()
    except ConfigError:
        return {"type": "text", "text": block.text}
    return _opened(block) | {"input": arguments}


def _reason(result: ChatResult) -> str:
    reason = result.finish_reason or "stop"
    if result.tool_calls and reason not in _REASONS:
        return "tool_use"
    return _REASONS.get(reason, "end_turn")


def _counts(usage: Usage) -> dict[str, int]:
    """Write counts; what the server remembered is counted apart."""
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    return {
        "input_tokens": usage.input_tokens - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
