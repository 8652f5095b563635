"""Which models are answering: some servers break off what runs when they are told to unload."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from localmix.types.names import canonical


class Busy:
    """The requests that run, by the model that they are for."""

    def __init__(self) -> None:
        self._running: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    @contextmanager
    def using(self, model: str) -> Iterator[None]:
        """Say that a request runs, until the block ends."""
        key, ended = canonical(model), asyncio.get_running_loop().create_future()
        self._running[key].add(ended)
        try:
            yield
        finally:
            ended.set_result(None)
            self._running[key].discard(ended)
            if not self._running[key]:
                del self._running[key]

    async def idle(self, model: str) -> None:
        """Wait for the end of what runs now; what comes meanwhile is not waited for."""
        if running := self._running.get(canonical(model)):
            await asyncio.wait(set(running))
