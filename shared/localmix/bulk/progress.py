"""How far a job in bulk is: told to a function, such as tqdm's `update`, or shown as a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import length_hint
from typing import TextIO

from localmix.bulk.job import Progress

Tell = Callable[[int], object]

_EVERY = 0.1
_WIDTH = 30


@contextmanager
def meter(progress: Progress, texts: Iterable[object]) -> Iterator[Tell]:
    """Give what is called with the number of texts that are done more."""
    if not progress:
        yield _nobody
    elif callable(progress):
        yield progress
    else:
        bar = Bar(length_hint(texts, 0), sys.stderr)
        try:
            yield bar.update
        finally:
            bar.close()


class Bar:
    """A bar on a terminal; elsewhere nothing is written.

    Args:
        total: How many there are; 0 where nobody knows.
        stream: Where to draw.
        clock: The time in seconds, from any moment on.
    """

    def __init__(
        self, total: int, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._stream = stream if stream.isatty() else None
        self._clock = clock
        self._began = clock()
        self._drawn_at = -_EVERY
        self._done = 0

    def update(self, count: int) -> None:
        """Count some more; draw, if that was some time ago."""
        self._done += count
        now = self._clock()
        if self._stream and (now - self._drawn_at >= _EVERY or self._done == self._total):
            self._drawn_at = now
            self._stream.write(f"\r{self._line(now)}")
            self._stream.flush()

    def close(self) -> None:
        """End the line."""
        if self._stream:
            self._stream.write(f"\r{self._line(self._clock())}\n")

    def _line(self, now: float) -> str:
        rate = self._done / max(now - self._began, 1e-9)
        told = f"{self._done:,} texts, {rate:,.0f} a second"
        if not self._total:
            return told
        share = min(self._done / self._total, 1.0)
        filled = int(share * _WIDTH)
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}  {told}"


def _nobody(count: int) -> None:
    """Tell nobody."""
