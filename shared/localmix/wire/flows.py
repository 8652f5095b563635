"""Exchanges as values, so that everything above the driver can be tested without a socket.

A *flow* is a generator that yields a batch of steps and is sent their outcomes, in the same order;
a batch may run in parallel. Failures come back as values, so "try the next server" is an ordinary
loop. A driver (`transport/`) runs the same flow in either colour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from localmix.errors import LocalMixError
from localmix.types.words import MAX_REPLY_BYTES
from localmix.wire.gate import Gate

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: For the connection.
        first_byte: From the request to the first delta of a stream, or to the end of a whole
            reply; both kinds of server hold the head back while a model loads.
        between: Between two deltas of a stream, or two pieces of a whole reply; what says nothing
            (comments, blank lines) does not count.
        total: For all of it, from the request to the end of the reply; `None` for no bound.
        first_byte_by: The setting that an error names for `first_byte`.
        total_by: The setting that an error names for `total`.
    """

    connect: float
    first_byte: float
    between: float
    total: float | None = None
    first_byte_by: str = "first_byte_timeout"
    total_by: str = "timeout"

    @classmethod
    def within(cls, seconds: float, by: str = "probe_timeout") -> Timeouts:
        """Bound everything by one time, that a setting gives."""
        return cls(seconds, seconds, seconds, seconds, first_byte_by=by, total_by=by)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one reply. Headers may hold a token, so they stand in no repr."""

    method: str
    url: str
    timeouts: Timeouts
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_bytes: int = MAX_REPLY_BYTES

    @property
    def is_question(self) -> bool:
        """Whether it asks what is there: a kept connection could only tell of the past."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole reply; header names are in lower case.

    Attributes:
        sent: The headers of the request, whose secrets no error may quote.
    """

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict, repr=False)

    def header(self, name: str) -> str:
        """Give a header by its name in lower case; empty if it is not there."""
        return self.headers.get(name, "")

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


class Decoder(Protocol[T]):
    """What turns the bytes of a stream into deltas.

    `close` is called when the stream ended by itself, and raises if it ended before the dialect's
    own end mark: a cut answer never looks whole.

    Attributes:
        is_done: Whether the end mark, or an error, has come: the driver reads no further, and
            calls `close`.
    """

    is_done: bool

    def feed(self, data: bytes) -> list[T]:
        """Take some bytes and return the deltas that they complete."""
        ...

    def close(self) -> list[T]:
        """Return what was held back, or raise `StreamInterruptedError`."""
        ...


@dataclass(frozen=True, slots=True)
class Open:
    """Step: send a request and read its stream until the first delta."""

    request: Request
    decoder: Decoder[Any]


@dataclass(frozen=True, slots=True)
class Gather:
    """Step: read a stream to its end."""

    open: Open


@dataclass(frozen=True, slots=True)
class Read:
    """Step: read an open stream on, to its next delta; `None` when it has ended."""

    opened: Opened


@dataclass(frozen=True, slots=True)
class Call:
    """Step: run a function that may block (files, processes), off the event loop."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """Step: wait until a gate opens, or for some seconds; without a gate, sleep."""

    seconds: float | None
    gate: Gate = field(default_factory=Gate)


@dataclass(frozen=True, slots=True)
class Run:
    """Step: run a flow to its end, next to the other steps of the batch."""

    flow: Flow[Any]


@dataclass(frozen=True, slots=True)
class Spawn:
    """Step: run a flow beside this one, until it ends or the driver is closed."""

    flow: Flow[None]


@dataclass(frozen=True, slots=True)
class Opened:
    """Outcome of `Open`: a stream that has spoken. Only its driver can read it on."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Returned:
    """Outcome of the other steps: deltas, what a function or a flow returned, if a gate opened."""

    value: Any


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a value to whoever iterates over a source."""

    value: Any


@dataclass(frozen=True, slots=True)
class Forward:
    """Hand on every delta of an open stream, as `take` gives it, and close the stream.

    The driver loops over the stream itself: a `Read` and an `Emit` for each delta would cost more
    than all the rest.
    """

    opened: Opened
    take: Callable[[Any], Any]


Step = Request | Open | Gather | Read | Call | Wait | Run | Spawn
Outcome = Response | Opened | Returned | LocalMixError
Flow = Generator[Sequence[Step], Sequence[Outcome], T]
# A flow with something to say on its way: it yields `Emit` and `Forward` beside its batches.
Source = Generator[Sequence[Step] | Emit | Forward, Sequence[Outcome], T]


def resume(flow: Flow[T] | Source[T], said: Sequence[Outcome] | Exception | None) -> Any:
    """Have a flow go on, and give what it wants next.

    Args:
        flow: The flow.
        said: The outcomes of its last steps, or what broke them; `None` begins.
    """
    if isinstance(said, Exception):
        return flow.throw(said)
    return flow.send(said)  # type: ignore[arg-type]  # None starts it


def send(request: Request) -> Flow[Response]:
    """Send one request; raise if there was no reply."""
    (outcome,) = yield [request]
    if isinstance(outcome, LocalMixError):
        raise outcome
    return cast("Response", outcome)


def read(opened: Opened) -> Flow[Any]:
    """Read an open stream on; give its next delta, or `None` at its end."""
    (outcome,) = yield [Read(opened)]
    if isinstance(outcome, LocalMixError):
        raise outcome
    return cast("Returned", outcome).value


def call(function: Callable[[], T]) -> Flow[T]:
    """Run a function that may block; raise what it raises."""
    (outcome,) = yield [Call(function)]
    if isinstance(outcome, LocalMixError):
        raise outcome
    value: T = cast("Returned", outcome).value
    return value


def wait(seconds: float | None, gate: Gate | None = None) -> Flow[bool]:
    """Wait until a gate opens, or for some seconds; tell whether it opened."""
    (outcome,) = yield [Wait(seconds, gate) if gate else Wait(seconds)]
    return bool(cast("Returned", outcome).value)


def together(flows: Sequence[Flow[T]], at_most: int | None = None) -> Flow[list[T]]:
    """Run flows side by side; raise the first failure among them when all that ran have ended.

    With `at_most`, so many run at once, and the next begins when one has ended; after a failure
    none begins.
    """
    waiting = deque(enumerate(flows))
    values: dict[int, T] = {}
    failures: dict[int, LocalMixError] = {}

    def work() -> Flow[None]:
        while waiting and not failures:
            with suppress(IndexError):  # another worker was faster
                place, flow = waiting.popleft()
                try:
                    values[place] = yield from flow
                except LocalMixError as error:
                    failures[place] = error

    outcomes = yield [Run(work()) for _ in flows[:at_most]]
    if failures:
        raise failures[min(failures)]
    for outcome in outcomes:
        if isinstance(outcome, LocalMixError):
            raise outcome  # the driver's own: its client was closed
    return [values[place] for place in range(len(flows))]


def spawn(*flows: Flow[None]) -> Flow[None]:
    """Run flows beside this one."""
    if flows:
        yield [Spawn(flow) for flow in flows]
