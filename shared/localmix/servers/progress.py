"""What happens to each delta on its way to the caller, and how answers are timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import BaseModel

from localmix.errors import LocalMixError
from localmix.servers.lease import Lease
from localmix.types import ChatResult, Delta, Route, Timings
from localmix.types.answers import route_after
from localmix.types.fold import Fold


def _nothing() -> None:
    """Tell nobody."""


class Progress:
    """Fold the deltas, time them, and stamp the last one with timings and route."""

    def __init__(self, clock: Callable[[], float], form: type[BaseModel] | None = None) -> None:
        self._clock = clock
        self._fold = Fold()
        self._began: float | None = None
        self._spoke_at: float | None = None
        self._lease: Lease | None = None
        self._heard: Callable[[], None] = _nothing
        self._before: ChatResult | None = None
        self._form = form
        self._kept: list[Delta] | None = None
        self.route: Route | None = None

    def begin(self) -> None:
        """Start the clock, unless it runs."""
        self._began = self._clock() if self._began is None else self._began

    def come_after(self, first: ChatResult) -> None:
        """Know what an earlier request of the same turn took, whose answer is thrown away."""
        self._before = first

    def keep(self) -> list[Delta]:
        """Keep every delta from now on; give the list that they come into."""
        self._kept = []
        return self._kept

    def follow(
        self, route: Route, lease: Lease | None, heard: Callable[[], None] = _nothing
    ) -> None:
        """Know who answers, and whom to tell when the first piece is there."""
        self._heard = heard
        self.route = route_after(self._before.route, route) if self._before else route
        self._lease = lease

    @property
    def result(self) -> ChatResult:
        """Fold what has come in so far."""
        result = self._fold.result(self.route)
        return replace(result, form=self._form) if self._form else result

    @property
    def hides_thoughts(self) -> bool:
        """Whether the model that answers has hidden a thought in its content before."""
        return self._lease is not None and self._lease.hides_thoughts

    def take(self, delta: Delta) -> Delta:
        """Take the next delta and return it as the caller shall see it."""
        now = self._clock()
        if self._spoke_at is None and (delta.content or delta.reasoning or delta.tool_calls):
            self._spoke_at = now
            self._heard()
        if delta.was_reasoning and self._lease:
            self._lease.hid_a_thought()
        if delta.finish_reason:
            timings = reckoned(delta.timings, self._began or now, self._spoke_at or now, now)
            if self._lease:
                self._lease.succeeded(delta.usage, timings)
            delta = replace(self._of_the_turn(delta, timings), route=self.route)
        self._fold.add(delta)
        if self._kept is not None:
            self._kept.append(delta)
        return delta

    def fail(self, error: LocalMixError) -> None:
        """Put what had been received into the error that ended the stream."""
        if self.route:
            error.partial = self.result
            error.server = error.server or self.route.server.url
        if self._lease:
            self._lease.failed(error)

    def end(self) -> None:
        """Give back what was held of the server, however the stream ended."""
        if self._lease:
            self._lease.release()

    def _of_the_turn(self, delta: Delta, timings: Timings) -> Delta:
        """Add what the turn took before."""
        if self._before is None:
            return replace(delta, timings=timings)
        first, usage = self._before, delta.usage
        return replace(
            delta,
            usage=first.usage + usage if first.usage and usage else None,
            timings=first.timings.of_both(timings),
        )


def reckoned(
    timings: Timings | None, began: float, spoke_at: float | None, ended: float
) -> Timings:
    """Complete a server's timings by what was measured here, all by one clock, in seconds.

    When the answer began and how long all of it took is for nobody else to say; a server knows how
    long it loaded, read and wrote. Of an answer that came whole nobody knows when it began.
    """
    timings = timings or Timings()
    if spoke_at is None:
        return replace(timings, total=ended - began)
    output = ended - spoke_at if timings.output is None else timings.output
    return replace(timings, output=output, first_token=spoke_at - began, total=ended - began)
