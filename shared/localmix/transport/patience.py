"""One clock for each request, from its start; no library in it.

It is asked before and after every read, and raises: whatever a server sends to be thought alive
(informational replies, comments, blank lines, single bytes) does not wind it up. What does is the
first delta, and from then on each delta.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from localmix.errors import ConnectError, TimedOutError, TransportError
from localmix.wire.flows import Request
from localmix.wire.gate import Gate

# What a library is given where hardly anything is left: some take 0 for no bound at all.
_LEAST = 0.001


class _Bound(NamedTuple):
    """When the time is over, after how many seconds, by which setting, and for what."""

    at: float
    seconds: float
    setting: str
    what: str


class Patience:
    """The clock of one request.

    `end` is opened when whoever asked is gone: then every question is answered by an error.
    """

    def __init__(
        self, request: Request, end: Gate, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.server = "/".join(request.url.split("/", 3)[:3])
        self.end = end
        self._bounds = request.timeouts
        self._clock = clock
        self._began = clock()
        self._is_whole = False
        self._next = min(self._total("say anything"), self._first)

    def to_connect(self) -> float:
        """Give the seconds that are left for the connection.

        Raises:
            ConnectError: There are none.
        """
        if self.end.is_open:
            raise closed()
        left = min(self._began + self._bounds.connect, self._next.at) - self._clock()
        if left <= 0:
            raise self.not_connected()
        return left

    def left(self) -> float:
        """Give the seconds that the next read or write may take.

        Raises:
            TimedOutError: There are none.
        """
        if self.end.is_open:
            raise closed()
        left = self._next.at - self._clock()
        if left <= 0:
            raise self.too_late()
        return max(left, _LEAST)

    def heard(self) -> None:
        """Note that bytes came; it is only the pieces of a whole reply that wind the clock up.

        Raises:
            TimedOutError: They came too late.
        """
        self.left()
        if self._is_whole:
            self._next = min(self._total("say anything"), self._first, self._silence)

    def expect_whole(self) -> None:
        """Bound the pieces of a reply that is there as a whole, since its head has come."""
        self._is_whole = True
        self.heard()

    def expect_delta(self, *, is_first: bool) -> None:
        """Begin to wait for the next delta; the time that its reader took before is his own."""
        if not is_first:
            self._next = min(self._total("finish its answer"), self._silence)

    def expect_end(self, seconds: float) -> None:
        """Wait a moment for the rest of a reply whose answer has come."""
        self._is_whole = False
        self._next = _Bound(self._clock() + seconds, seconds, "", "end its reply")

    def too_late(self) -> TimedOutError:
        """Say after how long, and which bound it was."""
        _, seconds, setting, what = self._next
        shown = f"{max(seconds, 0):.3g} s" + (f" ({setting})" if setting else "")
        return TimedOutError(
            f"{self.server} did not {what} within {shown}.",
            server=self.server,
            hint=f"Raise {setting} if it is only slow." if setting else None,
        )

    def not_connected(self) -> ConnectError:
        """Say that the connection was not taken."""
        connect = (self._bounds.connect, "connect_timeout")
        seconds, setting = min(connect, (self._next.seconds, self._next.setting))
        return ConnectError(
            f"{self.server} did not accept the connection within {max(seconds, 0):.3g} s"
            f" ({setting}).",
            server=self.server,
        )

    def _total(self, what: str) -> _Bound:
        total = float("inf") if self._bounds.total is None else self._bounds.total
        return _Bound(self._began + total, total, self._bounds.total_by, what)

    @property
    def _first(self) -> _Bound:
        seconds = self._bounds.first_byte
        at = self._began + seconds
        return _Bound(at, seconds, self._bounds.first_byte_by, "say anything")

    @property
    def _silence(self) -> _Bound:
        seconds = self._bounds.between
        at = self._clock() + seconds
        return _Bound(at, seconds, "between_timeout", "say anything more")


def closed() -> TransportError:
    """Say why a request ends that was under way when its client was closed."""
    return TransportError("The client was closed before the answer arrived.")
