"""Ending what waits, where nothing can be hung up on: a thread, a connection that is being made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from localmix.transport.patience import closed
from localmix.wire.gate import Gate


@contextmanager
def until(end: Gate) -> Iterator[None]:
    """Run a block of a task for no longer than until a gate opens, which its own loop does.

    A scope of anyio, for httpcore closes its connections in shielded ones: a bare `task.cancel()`
    would break the shield.

    Raises:
        TransportError: The gate has opened.
    """
    with anyio.CancelScope() as scope:
        forget = end.when_open(scope.cancel)
        try:
            yield
        finally:
            forget()
    if scope.cancelled_caught:
        raise closed()
