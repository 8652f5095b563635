"""Answers in the shape of OpenAI's responses.

Rules that clients hold us to: the response is created before anything else; each item is added,
goes on and is done before the next one; events are numbered; the last one holds the whole response,
and says whether it is complete, incomplete or failed. Thoughts are written as summaries, which
programs give back; those of local models are no secret.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any

from localmix.dialects.openai.writer import write_error
from localmix.dialects.parts.blocks import Begun, Block, Blocks, BlockStep, Said
from localmix.dialects.parts.counting import counted
from localmix.dialects.parts.events import event
from localmix.dialects.parts.passing import PassedDelta
from localmix.dialects.serving import Ask, Clock, Failure
from localmix.types import ChatResult, Delta, Usage
from localmix.types.fold import Fold
from localmix.wire import jsontext

__all__ = ["ResponsesWriter", "write_error"]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
# What a response says of its request, with what it says where that said nothing.
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
}
_BEGINNING = re.compile(rb"event: response\.(?:created|queued|in_progress)\n.*\n\n")
_ITEM_NAMES = {"reasoning": "rs", "text": "msg", "call": "fc"}


class ResponsesWriter:
    """The answer of `/v1/responses`."""

    content_type = "text/event-stream"

    def __init__(self, ask: Ask, now: Clock) -> None:
        self._ask = ask
        self._created = now().timestamp()
        self._id = secrets.token_hex(12)
        self._number = 0
        self._has_begun = self._is_passing = False
        self._blocks, self._fold = Blocks(), Fold()

    def beat(self) -> bytes:
        """Say that it goes on, by an event: some programs count only those."""
        return self._start() + self._event("response.in_progress", response=self._response())

    def feed(self, delta: Delta) -> bytes:
        """Write what a delta says."""
        self._fold.add(delta)
        start = self._start()
        return start + b"".join(map(self._step, self._blocks.feed(delta)))

    def passed(self, delta: PassedDelta) -> bytes:
        """Give the bytes; a response that began with a sign of life does not begin again."""
        begins_again = self._has_begun and not self._is_passing
        self._has_begun = self._is_passing = True
        return _BEGINNING.sub(b"", delta.raw) if begins_again else delta.raw

    def close(self) -> list[bytes]:
        """Write the end of the last item, and the whole response."""
        rest = self._start() + b"".join(map(self._step, self._blocks.close()))
        result = self._fold.result()
        response = self._finished(result, self._blocks.blocks)
        end = self._event(f"response.{_status(result)}", response=response)
        return [rest, end] if rest else [end]

    def broken(self, failure: Failure) -> bytes:
        """Write that the response has failed."""
        about = {"status": "failed", "error": _error(failure)}
        output = [self._item(block) for block in self._blocks.blocks]
        response = self._response() | about | {"output": output}
        return self._start() + self._event("response.failed", response=response)

    def whole(self, result: ChatResult) -> bytes:
        """Write the answer at once."""
        return jsontext.ascii_line(self._finished(result, Blocks.of(result)))

    def _event(self, kind: str, **said: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return event(kind, sequence_number=number, **said)

    def _start(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        kinds = ("response.created", "response.in_progress")
        return b"".join(self._event(kind, response=self._response()) for kind in kinds)

    def _response(self) -> dict[str, Any]:
        said = self._ask.said
        echoed = {key: said.value(key) for key in _ECHOED if key in said}
        return {
            "id": f"resp_{self._id}",
            "object": "response",
            "created_at": self._created,
            "status": "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self._ask.model,
            "output": [],
            "previous_response_id": None,
            "store": False,
            "usage": None,
            **_ECHOED,
            **echoed,
        }

    def _finished(self, result: ChatResult, blocks: Sequence[Block]) -> dict[str, Any]:
        cut = _cut(result)
        return self._response() | {
            "status": _status(result),
            "incomplete_details": {"reason": cut} if cut else None,
            "output": [self._item(block) for block in blocks],
            "usage": _usage(counted(self._ask, result)),
        }

    def _step(self, step: BlockStep) -> bytes:
        block = step.block
        about = {"item_id": self._item_id(block), "output_index": block.index}
        part = about | _PLACES[block.kind]
        kind = _EVENTS[block.kind]
        if isinstance(step, Said):
            more: dict[str, Any] = {"logprobs": []} if block.kind == "text" else {}
            return self._event(f"{kind}.delta", **part, delta=step.piece, **more)
        if isinstance(step, Begun):
            item = self._item(block, is_done=False)
            added = self._event("response.output_item.added", output_index=block.index, item=item)
            return added + self._part_event("added", block, part)
        return b"".join(
            (
                self._event(f"{kind}.done", **part, **_done(block)),
                self._part_event("done", block, part),
                self._event(
                    "response.output_item.done", output_index=block.index, item=self._item(block)
                ),
            )
        )

    def _part_event(self, what: str, block: Block, place: dict[str, Any]) -> bytes:
        """Tell of the one part that an item has; a call has none."""
        if block.kind == "call":
            return b""
        name = _PART_NAMES[block.kind]
        return self._event(f"response.{name}.{what}", **place, part=_part(block))

    def _item(self, block: Block, *, is_done: bool = True) -> dict[str, Any]:
        status = "completed" if is_done else "in_progress"
        item: dict[str, Any] = {"id": self._item_id(block), "status": status}
        parts = [_part(block)] if is_done else []
        if block.kind == "reasoning":
            return item | {"type": "reasoning", "summary": parts}
        if block.kind == "text":
            return item | {"type": "message", "role": "assistant", "content": parts}
        arguments = block.text if is_done else ""
        said = {"call_id": block.id, "name": block.name, "arguments": arguments}
        return item | {"type": "function_call", **said}

    def _item_id(self, block: Block) -> str:
        return f"{_ITEM_NAMES[block.kind]}_{self._id}_{block.index}"


_EVENTS = {
    "reasoning": "response.reasoning_summary_text",
    "text": "response.output_text",
    "call": "response.function_call_arguments",
}
_PART_NAMES = {"reasoning": "reasoning_summary_part", "text": "content_part"}
_PLACES: dict[str, dict[str, int]] = {
    "reasoning": {"summary_index": 0},
    "text": {"content_index": 0},
    "call": {},
}


def _cut(result: ChatResult) -> str:
    return _INCOMPLETE.get(result.finish_reason or "stop", "")


def _status(result: ChatResult) -> str:
    return "incomplete" if _cut(result) else "completed"


def _part(block: Block) -> dict[str, Any]:
    if block.kind == "reasoning":
        return {"type": "summary_text", "text": block.text}
    return {"type": "output_text", "text": block.text, "annotations": [], "logprobs": []}


def _done(block: Block) -> dict[str, Any]:
    if block.kind == "reasoning":
        return {"text": block.text}
    if block.kind == "text":
        return {"text": block.text, "logprobs": []}
    return {"name": block.name, "arguments": block.text}


def _error(failure: Failure) -> dict[str, str]:
    """Write an error by the words that programs look for."""
    code = "server_error"
    if failure.is_too_long:
        code = "context_length_exceeded"
    elif failure.missing:
        code = "model_not_found"
    return {"code": code, "message": failure.message}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }
