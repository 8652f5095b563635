"""Bound how many requests run at once, in every event loop by itself."""

from __future__ import annotations

import asyncio


class Slots:
    """Hand out one semaphore for each loop; a semaphore of a closed loop is forgotten."""

    def __init__(self) -> None:
        self._by_loop: dict[tuple[asyncio.AbstractEventLoop, int], asyncio.Semaphore] = {}

    def of(self, size: int) -> asyncio.Semaphore:
        """Give the running loop's semaphore of this size."""
        for key in [key for key in self._by_loop if key[0].is_closed()]:
            del self._by_loop[key]
        key = (asyncio.get_running_loop(), size)
        return self._by_loop.setdefault(key, asyncio.Semaphore(size))
