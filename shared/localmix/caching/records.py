"""Answers and vectors as bytes: JSON for the one, numbers for the other, never a pickle."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache

from pydantic import BaseModel, ConfigDict, TypeAdapter

from localmix.dialects.parts.passing import PassedDelta
from localmix.types import Delta, FinishReason, Timings, TokenLogprob, ToolCallDelta, Usage

_NUMBER = struct.calcsize("<d")


class _Step(BaseModel):
    """One step of an answer; where it came from, and when, is not part of it."""

    model_config = ConfigDict(
        from_attributes=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="constants",
    )

    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    model: str = ""
    usage: Usage | None = None
    was_reasoning: bool = False
    raw: bytes = b""

    def delta(self) -> Delta:
        said = {name: getattr(self, name) for name in type(self).model_fields if name != "raw"}
        timings = Timings() if self.finish_reason else None
        delta = Delta(**said, timings=timings, cached=timings is not None)
        return PassedDelta.of(delta, self.raw) if self.raw else delta


def dump_deltas(deltas: Sequence[Delta]) -> bytes:
    """Write an answer, in the steps in which it came; empty if it holds what is no Unicode."""
    steps = [_Step.model_validate(delta) for delta in deltas]
    try:
        return _steps().dump_json(steps, exclude_defaults=True)
    except ValueError:  # half a character
        return b""


def load_deltas(data: bytes) -> list[Delta]:
    """Read an answer; empty if that is none, since a file may hold anything."""
    try:
        deltas = [step.delta() for step in _steps().validate_json(data)]
    except ValueError:
        return []
    return deltas if deltas and deltas[-1].finish_reason else []


def dump_vector(vector: list[float]) -> bytes:
    """Write a vector, exactly as it is."""
    return struct.pack(f"<{len(vector)}d", *vector)


def load_vector(data: bytes) -> list[float]:
    """Read a vector; empty if that is none."""
    count, rest = divmod(len(data), _NUMBER)
    return [] if rest else list(struct.unpack(f"<{count}d", data))


@cache
def _steps() -> TypeAdapter[list[_Step]]:
    return TypeAdapter(list[_Step])
