"""Passing on: a call that comes in the dialect its server speaks goes there as it is.

Nothing that the caller said is lost, and little in the middle of the answer is decoded. What
decides is looked at: the first frame, until which another server may answer; then the frames that
may hold an error, the end, or the counts, and those that look like none. A request that is passed
on can be translated all the same, where another server turns out to be the one to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Protocol, Self, TypeVar

from pydantic import Field

from localmix.dialects.parts.framed import FramedDecoder
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
)
from localmix.types.checked import Checked
from localmix.types.names import canonical
from localmix.wire import jsontext
from localmix.wire.lines import LineDecoder

R = TypeVar("R", ChatRequest, CompletionRequest, EmbedRequest)
# A frame of more bytes is no piece of a text.
_LONG = 65_536


@dataclass(frozen=True, slots=True)
class Look:
    r"""How frames look that need not be read.

    Events may come together; a line is alone, and so in a write of its own, for some programs take
    each piece that the network brings for one object.

    Attributes:
        begin: How they begin.
        end: How they end.
        marks: What they do not hold. An escaped quotation mark in a text is no match:
            `\"done\":true` is a text, not the end.
    """

    begin: bytes
    end: bytes
    marks: re.Pattern[bytes]

    def fits(self, frames: bytes) -> bool:
        """Tell whether frames look like some of many."""
        is_whole = frames.startswith(self.begin) and frames.endswith(self.end)
        return is_whole and len(frames) < _LONG and not self.marks.search(frames)


LINES = Look(b"{", b"}\n", re.compile(rb'\n.|"done"\s*:\s*true|"error"'))
EVENTS = Look(
    b"data: {",
    b"}\n\n",
    re.compile(
        rb"\n\n(?!data: \{|\Z)|[^\n]\n(?!\n)"
        rb'|"error"|"usage"\s*:\s*\{|"finish_reason"\s*:\s*"'
    ),
)


def named_events(names: bytes) -> Look:
    """Say how events look of which the name tells that they need not be read.

    Args:
        names: A regular expression for their names.
    """
    begin = rb"event: (?:" + names + rb")\ndata: \{"
    return Look(
        b"event: ",
        b"}\n\n",
        re.compile(rb"(?:\A|\n\n)(?!" + begin + rb"|\Z)|[^\n]\n(?!\n|data: \{)"),
    )


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What a caller sent.

    Attributes:
        path: The endpoint, which is the same at the server.
        model: The model's name as the caller wrote it.
    """

    path: str
    model: str
    body: bytes
    is_streamed: bool

    def body_for(self, name: str) -> bytes:
        """Give the body as it is, or with the name by which the server knows the model."""
        if canonical(name) == canonical(self.model):
            return self.body
        return jsontext.dump({**jsontext.load_object(self.body), "model": name})


class _Passed(Checked):
    """A request that can be passed on as it came; what is made of it by a change cannot."""

    verbatim: Verbatim = Field(repr=False, exclude=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy it; with a change it is no longer what the caller sent."""
        if not update:
            return super().model_copy(deep=deep)
        plain: Any = next(kind for kind, passed in _PASSED.items() if passed is type(self))
        given = {name: value for name, value in self if name != "verbatim"}
        changed: Self = plain.model_construct(**given | dict(update))
        return changed


class _PassedChat(_Passed, ChatRequest):
    pass


class _PassedCompletion(_Passed, CompletionRequest):
    pass


class _PassedEmbed(_Passed, EmbedRequest):
    pass


_PASSED: dict[Any, Any] = {
    ChatRequest: _PassedChat,
    CompletionRequest: _PassedCompletion,
    EmbedRequest: _PassedEmbed,
}


def request_of(kind: type[R], fields: Mapping[str, Any], verbatim: Verbatim | None) -> R:
    """Make a request of what was read of a call, and of the call itself if that may be passed on.

    Raises:
        ConfigError: A value is wrong.
    """
    if verbatim is None:
        return kind(**fields)
    request: R = _PASSED[kind](**fields, verbatim=verbatim)
    return request


def verbatim_of(
    request: GenerationRequest | EmbedRequest, path: str, *, stream: bool
) -> Verbatim | None:
    """Give what can be passed on to an endpoint, if it was sent to the same one."""
    said = said_of(request)
    return said if said and said.path == path and said.is_streamed == stream else None


def said_of(request: GenerationRequest | EmbedRequest) -> Verbatim | None:
    """Give what the caller sent, if that may be passed on to anybody."""
    return request.verbatim if isinstance(request, _Passed) else None


@dataclass(slots=True, repr=False)
class PassedDelta(Delta):
    """A step of an answer that is passed on: the bytes, and of the rest what was looked at."""

    raw: bytes = b""

    @classmethod
    def of(cls, delta: Delta, raw: bytes) -> PassedDelta:
        """Add the bytes."""
        return cls(*[*_said(delta), raw])


@dataclass(frozen=True, repr=False)
class PassedResult(ChatResult):
    """A whole answer that is passed on, with its bytes."""

    raw: bytes = b""

    @classmethod
    def of(cls, result: ChatResult, raw: bytes) -> PassedResult:
        """Add the bytes."""
        return cls(*[*_answered(result), raw])


@dataclass(frozen=True, slots=True)
class PassedVectors(EmbedResult):
    """Vectors that are passed on, with their bytes."""

    raw: bytes = b""

    @classmethod
    def of(cls, result: EmbedResult, raw: bytes) -> PassedVectors:
        """Add the bytes."""
        return cls(*[*_embedded(result), raw])


def _values(kind: type[Delta | ChatResult | EmbedResult]) -> attrgetter[tuple[Any, ...]]:
    """Read all fields of a record, in their order."""
    return attrgetter(*(each.name for each in fields(kind)))


_said, _answered, _embedded = _values(Delta), _values(ChatResult), _values(EmbedResult)


class Frames(Protocol):
    """Bytes split into frames, each with its end."""

    @property
    def holds(self) -> bool:
        """Whether a frame has begun that is not whole yet."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """Take some bytes and return the frames that they complete."""
        ...

    def close(self) -> list[bytes]:
        """Return the frame that lacks its end."""
        ...


class LineFrames:
    """NDJSON: a line is a frame."""

    def __init__(self) -> None:
        self._lines = LineDecoder()

    @property
    def holds(self) -> bool:
        """Whether a line has begun that is not whole yet."""
        return self._lines.holds

    def feed(self, data: bytes) -> list[bytes]:
        """Take some bytes and return the lines that they complete."""
        return [line + b"\n" for line in self._lines.feed(data) if line]

    def close(self) -> list[bytes]:
        """Return the last line, if it had no end."""
        return [line + b"\n" for line in self._lines.close()]


class EventFrames:
    """Server-sent events: the lines up to a blank one are a frame."""

    def __init__(self) -> None:
        self._lines = LineDecoder()
        self._frame: list[bytes] = []

    @property
    def holds(self) -> bool:
        """Whether an event has begun that is not whole yet."""
        return bool(self._frame) or self._lines.holds

    def feed(self, data: bytes) -> list[bytes]:
        """Take some bytes and return the events that they complete."""
        return list(self._framed(self._lines.feed(data)))

    def close(self) -> list[bytes]:
        """Return the last event, if it had no blank line after it."""
        return list(self._framed([*self._lines.close(), b""]))

    def _framed(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            if line:
                self._frame.append(line)
            elif self._frame:
                yield b"\n".join(self._frame) + b"\n\n"
                self._frame = []


class Relay(FramedDecoder[bytes, Delta]):
    """The frames of an answer, passed on with what a decoder reads in those that matter.

    Args:
        server: The server's URL, for errors.
        frames: Splits the bytes.
        decoder: Reads the first frames, and those that look otherwise.
        look: How the others look.
    """

    def __init__(
        self,
        server: str,
        frames: Frames,
        decoder: FramedDecoder[Any, Delta],
        look: Look,
    ) -> None:
        super().__init__(server)
        self._frames = frames
        self._decoder = decoder
        self._look = look
        self._held: bytes | None = b""  # what came before the first delta; then nothing is held

    def feed(self, data: bytes) -> list[Delta]:
        """Take some bytes; those that need not be read are passed on as they came."""
        if self._held is None and not self._frames.holds and self._look.fits(data):
            return [PassedDelta(raw=data)]
        return super().feed(data)

    def _split(self, data: bytes) -> Iterable[bytes]:
        return self._frames.feed(data)

    def _split_whole(self, body: bytes) -> Iterable[bytes]:
        return [body]

    def _rest(self) -> Iterable[bytes]:
        return self._frames.close()

    def _at_end_of_body(self) -> Iterable[Delta]:
        return self._passed(self._decoder.close(), b"")

    def _read(self, frame: bytes) -> Iterator[Delta]:
        if self._held is None and self._look.fits(frame):
            yield PassedDelta(raw=frame)
            return
        deltas = self._decoder.feed(frame)
        if self._decoder.is_done:
            deltas += self._decoder.close()
            self.is_done = True
        yield from self._passed(deltas, frame)

    def _passed(self, deltas: list[Delta], frame: bytes) -> Iterator[Delta]:
        """Give the deltas of a frame, its bytes with the first; hold the bytes before any."""
        if self._held is not None:
            frame = self._held + frame
            self._held = None if deltas else frame
            if not deltas:
                return
        for delta, raw in zip(deltas or [Delta()], chain([frame], repeat(b"")), strict=False):
            yield PassedDelta.of(delta, raw)
