"""Wait for what happens elsewhere: in another thread, at a server, in an engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

# Far more than anything here takes, also on a machine that is busy.
PATIENCE = 5.0
_LOOK_EVERY = 0.01


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Look until something is so; return the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, "it did not happen"
        time.sleep(_LOOK_EVERY)
    return time.monotonic() - began


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """The same in a task."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (other threads and servers set no event here)
            await asyncio.sleep(_LOOK_EVERY)
