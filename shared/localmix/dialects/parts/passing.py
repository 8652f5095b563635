"""Passing on: a call that comes in the dialect its server speaks goes there as it is.

Nothing that the caller said is lost, and little in the middle of the answer is decoded. What
decides is looked at: the first frame, until which another server may answer; then the frames that
may hold an error, the end, or the counts, and those that look like none. A request that is passed
on can be translated all the same, where another server turns out to be the one to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain, repeat
from typing import Any, Protocol

from pydantic import Field

from localmix.dialects.parts.framed import FramedDecoder
from localmix.types import ChatRequest, ChatResult, Delta, EmbedRequest, GenerationRequest
from localmix.types.names import canonical
from localmix.wire import jsontext
from localmix.wire.lines import LineDecoder

# A frame of more bytes is no piece of a text.
_LONG = 65_536


@dataclass(frozen=True, slots=True)
class Look:
    r"""How a frame looks that need not be read.

    Attributes:
        begin: How it begins.
        end: How it ends.
        marks: What it does not hold. An escaped quotation mark in a text is no match:
            `\"done\":true` is a text, not the end.
    """

    begin: tuple[bytes, ...]
    end: bytes
    marks: re.Pattern[bytes]

    def fits(self, frame: bytes) -> bool:
        """Tell whether a frame looks like one piece of many."""
        is_whole = frame.startswith(self.begin) and frame.endswith(self.end)
        return is_whole and len(frame) < _LONG and not self.marks.search(frame)


LINES = Look((b"{",), b"}\n", re.compile(rb'"done"\s*:\s*true|"error"'))
EVENTS = Look(
    (b"data: {",),
    b"}\n\n",
    re.compile(rb'\n(event|data)|"error"|"usage"\s*:\s*\{|"finish_reason"\s*:\s*"'),
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


class PassedChat(ChatRequest):
    """A chat that can be passed on as it came."""

    verbatim: Verbatim = Field(repr=False, exclude=True)

    @classmethod
    def of(cls, request: ChatRequest, verbatim: Verbatim) -> PassedChat:
        """Add to a request what it was read from."""
        return cls.model_construct(
            request.model_fields_set | {"verbatim"}, **dict(request), verbatim=verbatim
        )


def translated(request: GenerationRequest | EmbedRequest) -> GenerationRequest | EmbedRequest:
    """Give a request as one that is not passed on, since it is no longer what a caller sent."""
    if not isinstance(request, PassedChat):
        return request
    fields = {name: value for name, value in dict(request).items() if name != "verbatim"}
    return ChatRequest.model_construct(request.model_fields_set - {"verbatim"}, **fields)


def verbatim_of(request: GenerationRequest, path: str, *, stream: bool) -> Verbatim | None:
    """Give what can be passed on to an endpoint, if it was sent to the same one."""
    if not isinstance(request, PassedChat):
        return None
    said = request.verbatim
    return said if said.path == path and said.is_streamed == stream else None


@dataclass(frozen=True, slots=True)
class PassedDelta(Delta):
    """A step of an answer that is passed on: the bytes, and of the rest what was looked at."""

    raw: bytes = b""

    @classmethod
    def of(cls, delta: Delta, raw: bytes) -> PassedDelta:
        """Add the bytes."""
        return cls(**_fields(delta), raw=raw)


@dataclass(frozen=True, slots=True)
class PassedResult(ChatResult):
    """A whole answer that is passed on, with its bytes."""

    raw: bytes = b""

    @classmethod
    def of(cls, result: ChatResult, raw: bytes) -> PassedResult:
        """Add the bytes."""
        return cls(**_fields(result), raw=raw)


def _fields(record: Delta | ChatResult) -> dict[str, Any]:
    return {each.name: getattr(record, each.name) for each in fields(record)}


class Frames(Protocol):
    """Split bytes into frames, each with its end."""

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
