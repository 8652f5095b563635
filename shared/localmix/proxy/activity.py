"""What the proxy does now and did lately: an observer of its client, without prompts or answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from localmix.observing import Began, Ended, Event, Failed, Outcome, Spoke, Tried
from localmix.types import ChatResult, EmbedResult

# How many requests that are over are remembered.
MOST_DONE = 500
# The most letters of a name that a caller made up.
MOST_LETTERS = 200
# Seconds for which a request explains why a model was loaded.
_LATELY = 60.0


@dataclass(frozen=True, slots=True)
class Miss:
    """A server that did not answer as it should.

    Attributes:
        server: Its base URL.
        error: The kind of error.
    """

    server: str
    error: str


@dataclass(slots=True)
class Doing:
    """A request under way.

    Attributes:
        asked: The model that it names.
        began_at: When it began, in seconds since 1970.
        server: The base URL of the server that is asked; empty while it waits for one.
        model: The name by which that server knows the model.
        reason: Why it was chosen.
        has_spoken: Whether the answer has begun.
        misses: The servers that failed before.
    """

    number: int
    asked: str
    began_at: float
    server: str = ""
    model: str = ""
    reason: str = ""
    has_spoken: bool = False
    misses: list[Miss] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Done:
    """A request that is over.

    Attributes:
        ended_at: When it ended, in seconds since 1970.
        error: The kind of error it failed with; empty if it did not fail.
        seconds: How long it took.
        first_token: Seconds until the answer began, where it was streamed.
        tokens: How many were written, where the server tells.
        speed: Tokens written in a second, where that is known.
    """

    number: int
    asked: str
    ended_at: float
    server: str
    model: str
    reason: str
    misses: tuple[Miss, ...]
    outcome: Outcome
    error: str
    seconds: float
    first_token: float | None
    tokens: int | None
    speed: float | None


class Activity:
    """What goes on and went on lately; it is told in the event loop of the proxy.

    Attributes:
        done: The requests that are over, the oldest first.
        changed: Is set when something happens next; there is another one then.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._doing: dict[int, Doing] = {}
        self.changed = asyncio.Event()
        self.done: deque[Done] = deque(maxlen=MOST_DONE)

    @property
    def doing(self) -> list[Doing]:
        """The requests under way, the oldest first."""
        return list(self._doing.values())

    @property
    def in_flight(self) -> Counter[str]:
        """How many requests are at each server."""
        return Counter(each.server for each in self._doing.values() if each.server)

    @property
    def queued(self) -> int:
        """How many requests wait for a server."""
        return sum(not each.server for each in self._doing.values())

    def is_used(self, server: str, model: str) -> bool:
        """Tell whether a request has lately gone to a model of a server."""
        since = self._clock() - _LATELY
        used: list[Doing | Done] = [each for each in self.done if each.ended_at > since]
        used += self._doing.values()
        return any((each.server, each.model) == (server, model) for each in used)

    def change(self) -> None:
        """Wake whoever waits for something to happen."""
        self.changed.set()
        self.changed = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Observe the client."""
        if isinstance(event, Began):
            asked = (event.request.model or "")[:MOST_LETTERS]
            self._doing[event.number] = Doing(event.number, asked, self._clock())
        elif doing := self._doing.get(event.number):
            self._go_on(doing, event)
        self.change()

    def _go_on(self, doing: Doing, event: Event) -> None:
        match event:
            case Tried():
                doing.server, doing.model = event.server.url, event.model
                doing.reason = event.reason
            case Failed():
                doing.misses.append(Miss(event.server.url, type(event.error).__name__))
                doing.server = ""
            case Spoke():
                doing.has_spoken = True
            case Ended():
                del self._doing[event.number]
                self.done.append(_done(doing, event, self._clock()))


def _done(doing: Doing, event: Ended, now: float) -> Done:
    result = event.result
    return Done(
        number=doing.number,
        asked=doing.asked,
        ended_at=now,
        server=doing.server,
        model=doing.model,
        reason=doing.reason,
        misses=tuple(doing.misses),
        outcome=event.outcome,
        error=type(event.error).__name__ if event.error else "",
        seconds=event.seconds,
        first_token=result.timings.first_token if result else None,
        tokens=result.usage.output_tokens if result and result.usage else None,
        speed=_speed(result) if result else None,
    )


def _speed(result: ChatResult | EmbedResult) -> float | None:
    """Tell how fast an answer was written: by the server's clock, else by ours."""
    times = result.timings
    ours = times.total - (times.first_token or 0.0) if times.total else None
    seconds = times.output or ours
    tokens = result.usage.output_tokens if result.usage else 0
    return tokens / seconds if seconds and seconds > 0 and tokens else None
