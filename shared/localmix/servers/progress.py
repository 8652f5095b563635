"""What happens to each delta of a stream on its way to the caller, in either colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from localmix.errors import LocalMixError
from localmix.servers.lease import Lease
from localmix.types import ChatResult, Delta, Route, Timings
from localmix.types.answers import route_after
from localmix.types.fold import Fold


class Progress:
    """Fold the deltas, time them, and stamp the last one with timings and route."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._fold = Fold()
        self._started = 0.0
        self._spoke_at: float | None = None
        self._lease: Lease | None = None
        self._before: ChatResult | None = None
        self.route: Route | None = None

    def begin(self) -> None:
        """Start the clock."""
        self._started = self._clock()

    def follow(self, route: Route, lease: Lease | None, before: ChatResult | None = None) -> None:
        """Know who answers, and what an earlier request of the turn took."""
        self._before = before
        self.route = route_after(before.route, route) if before else route
        self._lease = lease

    @property
    def result(self) -> ChatResult:
        """Fold what has come in so far."""
        return self._fold.result(self.route)

    def take(self, delta: Delta) -> Delta:
        """Take the next delta and return it as the caller shall see it."""
        now = self._clock()
        if self._spoke_at is None and (delta.content or delta.reasoning or delta.tool_calls):
            self._spoke_at = now
        if delta.finish_reason:
            timings = self._timings(delta, now)
            if self._lease:
                self._lease.succeeded(delta.usage, timings)
            delta = replace(self._of_the_turn(delta, timings), route=self.route)
        self._fold.add(delta)
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

    def _timings(self, delta: Delta, now: float) -> Timings:
        """Complete the server's timings with what was measured here."""
        timings = delta.timings or Timings()
        spoke_at = now if self._spoke_at is None else self._spoke_at
        return replace(
            timings,
            output=timings.output if timings.output is not None else now - spoke_at,
            first_token=spoke_at - self._started,
            total=now - self._started,
        )
