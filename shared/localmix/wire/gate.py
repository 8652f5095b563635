"""Something to wait for, in either colour."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Gate:
    """Something that opens once, from any thread, and tells whoever waits.

    Threads and event loops may wait for the same gate: a driver asks to be told, in its own way.
    """

    def __init__(self) -> None:
        # Whoever opens may be the garbage collector, in a thread that is just about to wait.
        self._lock = threading.RLock()
        self._waiting: dict[object, Callable[[], None]] = {}
        self.is_open = False

    def open(self) -> None:
        """Let everybody through, now and later."""
        with self._lock:
            self.is_open = True
            waiting, self._waiting = self._waiting, {}
        for tell in waiting.values():
            tell()

    def when_open(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Have a function called when it opens, at once if it is open; return how to forget it.

        It may be called twice.
        """
        key = object()

        def forget() -> None:
            self._waiting.pop(key, None)

        with self._lock:
            if not self.is_open:
                self._waiting[key] = tell
        if self.is_open:
            tell()
        return forget
