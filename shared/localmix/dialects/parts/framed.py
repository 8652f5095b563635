"""What the decoders of all streams have in common, and of those that read server-sent events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from localmix.errors import LocalMixError, ProtocolError, StreamInterruptedError
from localmix.wire.jsontext import NotJsonError
from localmix.wire.lines import Event, EventDecoder

Frame = TypeVar("Frame")
Step = TypeVar("Step")


class FramedDecoder(ABC, Generic[Frame, Step]):
    """Bytes to frames, and frames to steps, until the end mark.

    No step is lost to what comes after it: an error waits until the steps before it are taken.

    Attributes:
        is_done: Whether there is nothing more to read: the end mark or an error has come. `close`
            then gives the rest, or raises.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self.is_done = False
        self._failure: LocalMixError | None = None

    def feed(self, data: bytes) -> list[Step]:
        """Take some bytes and return the steps that they complete."""
        steps = self._steps(self._split, data)
        if self._failure and not steps:
            raise self._failure
        return steps

    def close(self) -> list[Step]:
        """Return what was held back, now that the body has ended.

        Raises:
            StreamInterruptedError: The answer was not at its end.
        """
        steps: list[Step] = []
        if not self.is_done:
            steps = self._steps(lambda _: self._rest(), b"")
            if isinstance(self._failure, NotJsonError) and self._failure.is_cut:
                self._failure, self.is_done = None, False  # the body ended within a frame
        if self._failure:
            raise self._failure
        if not self.is_done:
            self.is_done = True
            steps += self._at_end_of_body()
        return steps

    def whole(self, body: bytes) -> Iterator[Step]:
        """Read an answer that was not streamed: one frame, and its end."""
        yield from self._steps(self._split_whole, body)
        if isinstance(self._failure, NotJsonError) and self._failure.is_cut:
            self._failure, self.is_done = None, False
        yield from self.close()

    @abstractmethod
    def _split_whole(self, body: bytes) -> Iterable[Frame]:
        """Give the one frame that a whole answer is."""

    @abstractmethod
    def _split(self, data: bytes) -> Iterable[Frame]:
        """Split bytes into frames."""

    @abstractmethod
    def _rest(self) -> Iterable[Frame]:
        """Give the frame that lacks its end."""

    @abstractmethod
    def _read(self, frame: Frame) -> Iterator[Step]:
        """Read one frame; set `is_done` at the end mark."""

    def _at_end_of_body(self) -> Iterable[Step]:
        """Judge a body that ended without an end mark."""
        raise StreamInterruptedError(
            f"{self._server} ended its answer without the end mark.", server=self._server
        )

    def _steps(self, split: Callable[[bytes], Iterable[Frame]], data: bytes) -> list[Step]:
        steps: list[Step] = []
        try:
            for frame in split(data):
                if self.is_done:
                    break
                steps += self._read(frame)  # keeps what was yielded before an error
        except LocalMixError as error:
            self._failure, self.is_done = error, True
        except Exception as error:  # noqa: BLE001  (the last wall: what nobody foresaw)
            self._failure, self.is_done = unreadable(self._server, error), True
        return steps


class EventsDecoder(FramedDecoder[Event, Step]):
    """Server-sent events to steps; an answer that was not streamed is the data of one event."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._events = EventDecoder()

    def _split(self, data: bytes) -> Iterable[Event]:
        return self._events.feed(data)

    def _split_whole(self, body: bytes) -> Iterable[Event]:
        return [Event(body)]

    def _rest(self) -> Iterable[Event]:
        return self._events.close()


def unreadable(server: str, error: Exception) -> ProtocolError:
    """Say that a reply made our own code stumble."""
    problem = ProtocolError(
        f"{server} sent a reply of an unexpected shape ({error!r}).",
        server=server,
        hint="Please report it: localmix should have said what was wrong.",
    )
    problem.__cause__ = error
    return problem
