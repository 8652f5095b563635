"""What was asked and answered, as JSON lines in a file; for those alone who ask for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localmix.errors import ConfigError, ProtocolError
from localmix.proxy.calls import Call
from localmix.wire import jsontext

_log = logging.getLogger("localmix.proxy")


class RequestLog:
    """A line for each call that has a body, written in a thread: a disk may be slow.

    The file is for its owner alone, and lines are added at its end.

    Raises:
        ConfigError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path = path.expanduser()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        self._file = os.fdopen(handle, "ab")
        self._thread = ThreadPoolExecutor(1, "localmix-request-log")

    def write(self, call: Call) -> None:
        """Write a call down, if anything was asked in it."""
        if call.question:
            self._thread.submit(self._write, call, datetime.now(UTC))

    def close(self) -> None:
        """Write what is left."""
        self._thread.shutdown()
        self._file.close()

    def _write(self, call: Call, now: datetime) -> None:
        try:
            self._file.write(jsontext.dump(_record(call, now)) + b"\n")
            self._file.flush()
        except OSError as error:
            _log.warning("%s cannot be written: %s.", self._path, error.strerror)


def _record(call: Call, now: datetime) -> dict[str, Any]:
    pieces = call.pieces or ()
    return {
        "time": now.isoformat(timespec="milliseconds"),
        "endpoint": call.endpoint,
        "model": call.model or call.asked,
        "server": call.server,
        "status": call.status,
        "outcome": call.outcome,
        "seconds": round(call.seconds, 3),
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "request": _read(call.question),
        "answer": list(_steps(b"".join(pieces))) if pieces else _read(call.answer),
    }


def _steps(stream: bytes) -> Iterator[Any]:
    """Give the steps of a stream: JSON lines, or the data of events."""
    for line in stream.splitlines():
        data = line.removeprefix(b"data:").strip()
        if data and not line.startswith((b":", b"event:", b"id:")):
            yield _read(data)


def _read(data: bytes) -> Any:
    """Read JSON; what is none stays a text."""
    try:
        return jsontext.load(data)
    except ProtocolError:
        return data.decode("utf-8", "replace")
