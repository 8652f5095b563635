"""Values by keys in one SQLite file, for any number of threads and processes.

A file that is broken, locked, full or not to be written costs one warning, and no request: then
nothing is found, and nothing kept, until it is tried again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

from localmix.settings import Settings
from localmix.settings.files import cache_folder
from localmix.wire.forks import after_fork

T = TypeVar("T")

_NAME = "answers.sqlite"
# How long to wait for other processes, and how long to leave a file alone that failed, in seconds.
_BUSY = 5.0
_REST = 60.0
# What SQLite allows in one statement everywhere.
_AT_ONCE = 500
# One value is at most such a part of the file, and so much is removed when it is full.
_PART = 8
_WAL_BYTES = 4 * 1024 * 1024
_log = logging.getLogger("localmix")
_stores: weakref.WeakSet[Store] = weakref.WeakSet()
# SQLite's connections must neither be used nor closed in a forked child.
_of_the_parent: list[sqlite3.Connection] = []


class Store:
    """One file; `path` and its folder are made when they are needed, for this user alone.

    Args:
        path: The file.
        max_bytes: The most bytes that it may have; the oldest values make room.
        max_age: Seconds after which a value does not count any more.
        clock: The time in seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        max_age: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._has_warned = False
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        weakref.finalize(self, _close_all, self._opened)
        _stores.add(self)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give what is kept under some keys; what is not known is left out."""
        found: dict[bytes, bytes] = {}

        def read(connection: sqlite3.Connection) -> None:
            since = self._clock() - self._max_age
            for some in _parts(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM answers WHERE made >= ? AND key IN ({marks})"  # noqa: S608
                found.update(connection.execute(query, (since, *some)))

        self._try(read)
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; the oldest go where there is no room."""
        now = self._clock()
        rows = [
            (key, value, now)
            for key, value in values.items()
            if len(value) * _PART <= self._max_bytes
        ]

        def write(connection: sqlite3.Connection) -> None:
            with _at_once(connection):
                connection.execute("DELETE FROM answers WHERE made < ?", (now - self._max_age,))
                connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
                while self._is_too_large(connection) and _drop_oldest(connection):
                    pass
            connection.execute("PRAGMA incremental_vacuum").fetchall()

        if rows:
            self._try(write)

    def begin_anew(self) -> None:
        """Begin without the connection, and the lock, of the process that this one comes from."""
        _of_the_parent.extend(self._opened)
        self._opened.clear()
        self._lock = threading.Lock()

    def _try(self, work: Callable[[sqlite3.Connection], None]) -> None:
        with self._lock:
            if self._clock() < self._rests_until:
                return
            try:
                work(self._connection())
            except (sqlite3.Error, OSError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        _close_all(self._opened)
        self._rests_until = self._clock() + _REST
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                "The cache %s cannot be used (%s): requests go on without it.", self._path, error
            )

    def _connection(self) -> sqlite3.Connection:
        if not self._opened:
            self._opened.append(_open(self._path))
        return self._opened[0]

    def _is_too_large(self, connection: sqlite3.Connection) -> bool:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return bool((pages - free) * size > self._max_bytes)


@after_fork
def _begin_anew() -> None:
    for store in _stores:
        store.begin_anew()


def store_of(settings: Settings) -> Store | None:
    """Give the store that some settings ask for: one in the process for each file."""
    path = settings.cache if isinstance(settings.cache, Path) else _usual_path()
    return _store(path, settings.cache_max_bytes, settings.cache_max_age) if path else None


@lru_cache(maxsize=1)
def _usual_path() -> Path | None:
    folder = cache_folder()
    if folder is None:
        _log.warning("There is no home folder for the cache: name a file.")
    return folder / _NAME if folder else None


@lru_cache(maxsize=16)
def _store(path: Path, max_bytes: int, max_age: float) -> Store:
    return Store(path, max_bytes, max_age)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds what models said
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        with _at_once(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS answers"
                " (key BLOB PRIMARY KEY, value BLOB NOT NULL, made REAL NOT NULL)"
            )
            connection.execute("CREATE INDEX IF NOT EXISTS by_age ON answers (made)")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    """Change all or nothing, after whoever is changing something."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _drop_oldest(connection: sqlite3.Connection) -> bool:
    """Drop some of the oldest values; tell whether there were any."""
    (count,) = connection.execute("SELECT count(*) FROM answers").fetchone()
    oldest = "SELECT rowid FROM answers ORDER BY made, rowid LIMIT ?"
    query = f"DELETE FROM answers WHERE rowid IN ({oldest})"  # noqa: S608
    return connection.execute(query, (count // _PART + 1,)).rowcount > 0


def _parts(keys: Sequence[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(keys)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some


def _close_all(opened: list[sqlite3.Connection]) -> None:
    while opened:
        opened.pop().close()
