"""When to try again after every server has failed, and how long to wait before."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from localmix.errors import (
    ConnectError,
    LocalMixError,
    ModelCrashedError,
    OverloadedError,
    StreamInterruptedError,
)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0
# A server that asks for a longer rest is not waited for: the caller should know.
_LONGEST_RETRY_AFTER = 30.0
# As gRPC's retry throttling (A6): retries stop when most requests fail, whoever makes them.
_TOKENS, _REFUND = 10.0, 0.1


class RetryBudget:
    """Allow retries as long as enough requests succeed, counted over all requests of a client."""

    def __init__(self) -> None:
        self._tokens = _TOKENS

    def spend(self) -> bool:
        """Take one retry out of the budget, if it holds one."""
        if self._tokens < _TOKENS / 2:
            return False
        self._tokens -= 1
        return True

    def refund(self) -> None:
        """Count a success."""
        self._tokens = min(self._tokens + _REFUND, _TOKENS)


class Retry:
    """Decide for one request whether there is another round, after all servers have failed."""

    def __init__(
        self, max_retries: int, budget: RetryBudget, chance: Callable[[], float] = random.random
    ) -> None:
        self._left = max_retries
        self._round = 0
        self._budget = budget
        self._chance = chance

    def pause_after(self, errors: Sequence[LocalMixError]) -> float | None:
        """Give the seconds to wait before another round; `None` if there should be none.

        Where a server may have worked for the answer that failed, there is one more round at most:
        a second try may cost minutes. Silence is not tried again at all.
        """
        passing = [error for error in errors if isinstance(error, _PASSING)]
        if any(isinstance(error, _WORKED) for error in passing):
            self._left = min(self._left, 1 - self._round)
        if not passing or self._left <= 0 or not self._budget.spend():
            return None
        self._left -= 1
        self._round += 1
        pause = self._chance() * min(_FIRST_PAUSE * 2.0**self._round, _LONGEST_PAUSE)
        asked = min(map(_retry_after, passing))
        return None if asked > _LONGEST_RETRY_AFTER else max(pause, asked)


_WORKED = (ModelCrashedError, StreamInterruptedError)
_PASSING = (ConnectError, OverloadedError, *_WORKED)


def _retry_after(error: LocalMixError) -> float:
    return (error.retry_after or 0.0) if isinstance(error, OverloadedError) else 0.0
