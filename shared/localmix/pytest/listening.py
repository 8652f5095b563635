"""A proxy in a thread of its own, for as long as a block runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localmix.proxy.running import Listener

_PATIENCE = 30.0


@contextmanager
def listening(make: Callable[[], Listener]) -> Iterator[Listener]:
    """Make a listener in a loop of its own, and close it at the end of the block.

    Raises:
        Exception: What making, running or closing it has raised.
    """
    work = _Work(make)
    thread = threading.Thread(target=work.run, daemon=True, name="localmix proxy")
    thread.start()
    work.ready.wait(_PATIENCE)
    work.check()
    try:
        yield work.listener
    finally:
        work.end()
        thread.join(_PATIENCE)
    work.check()


class _Work:
    """What the thread does."""

    listener: Listener

    def __init__(self, make: Callable[[], Listener]) -> None:
        self.ready = threading.Event()
        self.end: Callable[[], object] = lambda: None
        self._make = make
        self._problem: BaseException | None = None

    def run(self) -> None:
        """Serve until the end is wanted."""
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  (told to whoever waits)
            self._problem = error
        finally:
            self.ready.set()

    def check(self) -> None:
        """Raise what was raised in the thread."""
        if self._problem:
            raise self._problem

    async def _serve(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self.end = lambda: loop.call_soon_threadsafe(end.set)
        async with self._make() as self.listener:
            self.ready.set()
            await end.wait()
