"""The batches that are on their way: read when there is room, given back in their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from localmix.types import Embedded
from localmix.wire.flows import Flow, call, wait
from localmix.wire.gate import Gate


@dataclass(slots=True)
class Batch:
    """Some texts in a row, and what comes of them.

    Attributes:
        start: The place of the first one among all texts.
        embedded: One for each text, once they are there.
        error: Why they will never be.
    """

    start: int
    texts: list[str] = field(default_factory=list)
    embedded: list[Embedded] = field(default_factory=list)
    error: Exception | None = None
    is_done: bool = False


class Window:
    """What lies between the texts that are still to be read and the vectors that were given.

    Any number of workers take batches and finish them in any order; one reader gets them in the
    order of the texts. However slow the reader is, no more than the window's batches are held.

    Args:
        texts: The texts; they are read in a thread where a loop must not be blocked.
        start: The place of the first of them.
        size: The texts of one batch.
        width: The batches on their way at which no more are read.
    """

    def __init__(self, texts: Iterator[str], start: int, size: int, width: int) -> None:
        self._texts = texts
        self._start = start
        self._size = size
        self._width = width
        self._batches: deque[Batch] = deque()
        self._is_at_end = False
        self._lock = threading.Lock()
        self._changed = Gate()

    def take(self) -> Flow[Batch | None]:
        """Take the next texts as soon as there is room; `None` when there are no more."""
        while not self._is_at_end:
            changed = self._changed
            if len(self._batches) < self._width:
                return (yield from call(self._read))
            yield from wait(None, changed)
        return None

    def finish(self, batch: Batch) -> None:
        """Say that a batch has its vectors, or its error."""
        batch.is_done = True
        self._tell()

    def give(self) -> Flow[Batch | None]:
        """Give the oldest batch when it is finished; `None` after the last one.

        Raises:
            Exception: Its error, which may be one of whoever gives the texts.
        """
        while True:
            changed = self._changed
            with self._lock:
                oldest = self._batches[0] if self._batches else None
                if oldest is None and self._is_at_end:
                    return None
            if oldest and oldest.is_done:
                self._batches.popleft()
                self._tell()
                if oldest.error:
                    raise oldest.error
                return oldest
            yield from wait(None, changed)

    def close(self) -> None:
        """Read no more, and let everybody go."""
        self._is_at_end = True
        self._tell()

    def _read(self) -> Batch | None:
        """Read some texts; one reads at a time, so that the batches are in order."""
        with self._lock:
            if self._is_at_end:
                return None
            batch = Batch(self._start)
            try:
                batch.texts = list(islice(self._texts, self._size))
            except Exception as error:  # noqa: BLE001  (code of others; told when it is its turn)
                batch.error, batch.is_done = error, True
            self._start += len(batch.texts)
            self._is_at_end = not batch.texts
            if batch.texts or batch.error:
                self._batches.append(batch)
        self._tell()
        return batch if batch.texts else None

    def _tell(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, Gate()
        changed.open()
