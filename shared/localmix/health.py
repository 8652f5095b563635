"""What is remembered of each server's behaviour."""

from __future__ import annotations

import time
from collections.abc import Callable

COOLDOWN_SECONDS = 5.0


class Health:
    """Remember which servers failed a moment ago, so that they are tried last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed_at: dict[str, float] = {}

    def failed(self, url: str) -> None:
        """Note that a server could not be used."""
        self._failed_at[url] = self._clock()

    def succeeded(self, url: str) -> None:
        """Note that a server answered."""
        self._failed_at.pop(url, None)

    def is_well(self, url: str) -> bool:
        """Tell whether a server has not failed lately."""
        failed_at = self._failed_at.get(url)
        return failed_at is None or self._clock() - failed_at > COOLDOWN_SECONDS
