"""One request's hold on a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from localmix.errors import (
    BadVectorError,
    ConnectError,
    LocalMixError,
    ModelCrashedError,
    OverloadedError,
    ProtocolError,
    TimedOutError,
    TransportError,
    UnsupportedFeatureError,
)
from localmix.servers.record import Vitals
from localmix.types import Timings, Usage

_SERVERS_FAULT = (TransportError, ModelCrashedError, ProtocolError)


class Lease:
    """A slot until the answer ends, however it ends, and the memory of how it went.

    `goes_on` is for how many seconds the server may go on writing when it is hung up on.
    """

    def __init__(
        self,
        vitals: Vitals,
        model: str,
        clock: Callable[[], float],
        max_failures: int,
        *,
        goes_on: float = 0.0,
    ) -> None:
        self._vitals = vitals
        self._slots = vitals.slots
        self._model = model
        self._clock = clock
        self._max_failures = max_failures
        self._goes_on = goes_on
        self._is_judged = self._has_spoken = self._is_released = False
        vitals.health.begin(clock())

    def spoke(self, window: int | None) -> None:
        """Note the first words: the model is loaded, with the window that was asked for, if any."""
        self._has_spoken = True
        self._vitals.windows[self._model] = window or 0
        self._vitals.answered_at[self._model] = self._clock()

    @property
    def hides_thoughts(self) -> bool:
        """Whether the model has left a thought in its content before, where only its end told."""
        return self._model in self._vitals.late_thoughts

    def hid_a_thought(self) -> None:
        """Note that it has done so now."""
        self._vitals.late_thoughts.add(self._model)

    def succeeded(self, usage: Usage | None, timings: Timings) -> None:
        """Note a whole answer, and how fast it came."""
        self._is_judged = True
        self._vitals.health.succeeded()
        self._vitals.rates[self._model].add(usage, timings)

    def failed(self, error: LocalMixError) -> None:
        """Note what went wrong, if it was the server's fault."""
        self._is_judged = True
        if isinstance(error, UnsupportedFeatureError) and error.purpose:
            self._vitals.purposes[self._model] = error.purpose
        health, now = self._vitals.health, self._clock()
        if isinstance(error, OverloadedError):
            health.was_busy(now, error.retry_after)
        elif isinstance(error, _SERVERS_FAULT) and not isinstance(error, BadVectorError):
            health.failed(
                now,
                max_failures=self._max_failures,
                is_unreachable=isinstance(error, ConnectError),
            )
        else:
            health.ended()
        if isinstance(error, TimedOutError):
            self._hung_up()

    def release(self) -> None:
        """Give the slot back; once is enough."""
        if self._is_released:
            return
        self._is_released = True
        if not self._is_judged:
            if self._has_spoken:
                self._vitals.health.succeeded()  # the caller has left a server that was speaking
            self._hung_up()
        self._slots.release()

    def _hung_up(self) -> None:
        """Believe a server that may not notice it to be busy, until it answers or could be done."""
        if self._goes_on:
            self._vitals.health.was_busy(self._clock(), self._goes_on)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.release()
