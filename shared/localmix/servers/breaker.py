"""Whether a server is to be trusted with a request, from how its last ones ended.

available → degraded (a failure) → unavailable (`max_failures` in a row) → trial (the back-off is
over: one request may try) → available, or unavailable for longer. A server that is only busy is not
sick, nor is one that lacks a model.
"""

from __future__ import annotations

from localmix.types import State

# A server that failed a moment ago is tried after the others for so many seconds.
COOLDOWN = 5.0
# The rest of a server that is unavailable: it doubles each time, up to a bound.
FIRST_REST, LONGEST_REST = 5.0, 120.0
# A trial whose outcome is not known after so many seconds no longer keeps others away.
TRIAL = 30.0
# The rest of a server that is busy and does not say for how long.
BUSY = 1.0


class Health:
    """The verdict on one server; the time is always given, so that tests need no waiting."""

    def __init__(self) -> None:
        self._failures = 0
        self._rests = 0
        self._failed_at = self._trial_at = self._rests_until = self._busy_until = -float("inf")
        self._is_unreachable = False

    def state(self, now: float) -> State:
        """Name the state."""
        if not self._failures:
            return "available"
        if self._rests_until <= self._failed_at:
            return "degraded"
        return "unavailable" if now < self._rests_until else "trial"

    def rank(self, now: float) -> int:
        """Sort servers: 0 as usual, 1 after those, 2 only when nothing else is left."""
        state = self.state(now)
        if state == "unavailable" or (state == "trial" and now < self._trial_at + TRIAL):
            return 2
        cooling = state == "degraded" and now < self._failed_at + COOLDOWN
        return 1 if cooling or now < self._busy_until else 0

    def begin(self, now: float) -> None:
        """Note that a request goes there."""
        if self.state(now) == "trial":
            self._trial_at = now

    def failed(self, now: float, *, max_failures: int, is_unreachable: bool) -> None:
        """Note a failure that was the server's."""
        self._failures += 1
        self._failed_at, self._trial_at = now, -float("inf")
        self._is_unreachable = is_unreachable
        if self._failures >= max_failures:
            rest = min(FIRST_REST * 2.0**self._rests, LONGEST_REST)
            self._rests_until, self._rests = now + rest, self._rests + 1

    def was_busy(self, now: float, seconds: float | None) -> None:
        """Note that it has too much to do."""
        self._trial_at = -float("inf")
        self._busy_until = now + (BUSY if seconds is None else seconds)

    def ended(self) -> None:
        """Note a request that tells nothing of the server's health, such as a bad one."""
        self._trial_at = -float("inf")

    def succeeded(self) -> None:
        """Note an answer; the memory of earlier rests fades one by one."""
        self._failures, self._rests = 0, max(self._rests - 1, 0)
        self._rests_until = self._busy_until = self._trial_at = -float("inf")

    def was_reached(self) -> None:
        """Note that it answers a probe: that heals a server that was down, and no other ill."""
        if self._is_unreachable:
            self._failures, self._rests, self._is_unreachable = 0, 0, False
