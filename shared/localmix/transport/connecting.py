"""Connecting in a thread, for nothing wakes whoever resolves a name or knocks at a port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from localmix.transport.patience import Patience


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


def connect_beside(connect: Callable[[], C], patience: Patience) -> C:
    """Connect, and wait for no longer than the patience lasts; what comes later is closed."""
    attempt = _Attempt(connect)
    threading.Thread(target=attempt.run, name="localmix", daemon=True).start()
    forget = patience.end.when_open(attempt.is_over.set)
    try:
        attempt.is_over.wait(patience.to_connect())
        if connection := attempt.take():
            return connection
    finally:
        forget()
        attempt.abandon()
    patience.to_connect()  # says so if the client was closed
    raise patience.not_connected()


class _Attempt(Generic[C]):
    """An attempt to connect, and who has what came of it."""

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._is_wanted = True
        self._connection: C | None = None
        self._problem: Exception | None = None
        self.is_over = threading.Event()

    def run(self) -> None:
        """Make it."""
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001  (whoever waits is told)
            self._problem = error
        else:
            with self._lock:
                self._connection = connection
            if not self._is_wanted:
                self.abandon()
        self.is_over.set()

    def take(self) -> C | None:
        """Take the connection, if there is one; raise what went wrong."""
        if self._problem:
            raise self._problem
        with self._lock:
            connection, self._connection = self._connection, None
        return connection

    def abandon(self) -> None:
        """Close what nobody has taken, also if it comes later."""
        self._is_wanted = False
        with self._lock:
            connection, self._connection = self._connection, None
        if connection:
            connection.close()
