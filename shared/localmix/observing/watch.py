"""One request, as observers are told of it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from localmix.errors import LocalMixError
from localmix.observing import logs
from localmix.observing.events import (
    Accepted,
    Began,
    Ended,
    Event,
    Failed,
    Observer,
    Outcome,
    Skipped,
    Spoke,
    Tried,
)
from localmix.types import (
    ChatResult,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Route,
    Server,
    Skip,
)

_log = logging.getLogger("localmix")
_numbers = itertools.count(1)


class Watch:
    """What tells observers of a request: its beginning on entering, its end on leaving.

    Where nobody listens, no event is made. An observer that raises is logged, and harms no request.

    Args:
        observers: Who is told.
        clock: The time in seconds, from any moment on.
        request: What is asked for.
        is_streamed: Whether the answer is wanted as it is written.

    Attributes:
        result: The answer, as far as it has come; set by whoever has it.
    """

    __slots__ = (
        "_began",
        "_clock",
        "_is_streamed",
        "_number",
        "_observers",
        "_request",
        "_tried_at",
        "result",
    )

    def __init__(
        self,
        observers: tuple[Observer, ...],
        clock: Callable[[], float],
        request: GenerationRequest | EmbedRequest,
        *,
        is_streamed: bool = False,
    ) -> None:
        self._observers = observers + logs.listening()
        self._clock = clock
        self._request = request
        self._is_streamed = is_streamed
        self._number = next(_numbers)
        self._began = self._tried_at = 0.0
        self.result: ChatResult | EmbedResult | None = None

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._observers)

    def __enter__(self) -> Self:
        self._began = self._clock()
        if self._observers:
            self._tell(Began(self._number, self._request, self._is_streamed))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._observers:
            said = error if isinstance(error, Exception) else None
            outcome: Outcome = "failed" if said else "left" if error else "answered"
            result = self.result or (said.partial if isinstance(said, LocalMixError) else None)
            self._tell(Ended(self._number, outcome, self._seconds(self._began), result, said))

    def tried(self, server: Server, model: str, reason: str, waited: float) -> None:
        """Tell that a server is asked, and how many seconds it took to get a slot there."""
        self._tried_at = self._clock()
        if self._observers:
            self._tell(Tried(self._number, server, model, reason, waited))

    def failed(self, server: Server, model: str, error: Exception) -> None:
        """Tell that it did not answer as it should; from now on this may be worth a warning."""
        if logs.write not in self._observers:
            self._observers += logs.listening(logging.WARNING)
        if self._observers:
            seconds = self._seconds(self._tried_at)
            self._tell(Failed(self._number, server, model, error, seconds))

    def skipped(self, skips: Iterable[Skip]) -> None:
        """Tell which servers come first, and were not asked."""
        if self._observers:
            for skip in skips:
                self._tell(Skipped(self._number, skip.server, skip.reason))

    def accepted(self, route: Route) -> None:
        """Tell who answers."""
        if self._observers:
            self._tell(Accepted(self._number, route))

    def spoke(self) -> None:
        """Tell that the first piece of an answer is there."""
        if self._observers:
            self._tell(Spoke(self._number, self._seconds(self._began)))

    def _seconds(self, since: float) -> float:
        return self._clock() - since

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001  (code of others)
                _log.exception("An observer failed over %s.", type(event).__name__)
