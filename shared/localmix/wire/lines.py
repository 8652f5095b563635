"""Bytes to lines, and lines to server-sent events.

Strategy. Lines are split on bytes and only where the format says: NDJSON at LF (an optional CR
before it is dropped), event streams at LF, CRLF or CR. Text-level splitting (`str.splitlines`,
`iter_lines`) also breaks at U+2028, U+2029 and U+0085, which JSON strings may hold unescaped.
A line that is not yet complete is kept as a list of pieces, so that an endless line costs linear
time, and its length is bounded, so that it cannot fill the memory.
"""

from __future__ import annotations

from typing import NamedTuple

from localmix.errors import ProtocolError

# Ollama's own client accepts lines of 8 MB; a schema-bound answer or a tool call comes in one.
MAX_LINE_BYTES = 32 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineDecoder:
    """Bytes split at LF, without a CR before it, or a byte order mark at the start."""

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._max = max_line_bytes
        self._is_first = True

    def feed(self, data: bytes) -> list[bytes]:
        """Take some bytes and return the lines that they complete."""
        lines = data.split(b"\n")
        last = lines.pop()
        if lines and (self._pieces or self._is_first):
            lines[0] = self._completed(lines[0])
        if last:
            self._keep(last)
        if lines and (b"\r" in data or lines[0].endswith(b"\r")):
            return [line.removesuffix(b"\r") for line in lines]
        return lines

    def _completed(self, line: bytes) -> bytes:
        """Put what came before in front of a line."""
        if self._pieces:
            self._keep(line)
            line = b"".join(self._pieces)
            self._pieces, self._size = [], 0
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return line

    @property
    def holds(self) -> bool:
        """Whether a line has begun that is not whole yet."""
        return bool(self._pieces)

    def close(self) -> list[bytes]:
        """Return the last line if it had no line end."""
        line = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if self._is_first:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return [line] if line else []

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._max:
            raise ProtocolError(f"The server sent a line of more than {self._max:,} bytes.")


class Event(NamedTuple):
    """One server-sent event."""

    data: bytes
    name: str = "message"


class EventDecoder:
    """What reads server-sent events (WHATWG HTML, section 9.2).

    Fields other than `event` and `data` are passed over; so are comments, which llama.cpp sends
    as a sign of life. Unlike a browser, `close` returns an event that lacks its blank line: what
    it holds is judged by its content.
    """

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._lines = LineDecoder(max_line_bytes=max_line_bytes)
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._max = max_line_bytes

    def feed(self, data: bytes) -> list[Event]:
        """Take some bytes and return the events that they complete."""
        if b"\r" in data or self._after_cr:
            data = self._with_lf(data)
        return self._events(self._lines.feed(data))

    def close(self) -> list[Event]:
        """Return the last event if it had no blank line after it."""
        events = self._events(self._lines.close())
        return events + self._dispatch()

    def _with_lf(self, data: bytes) -> bytes:
        """Turn CRLF and CR into LF, also where CRLF is cut in two."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, lines: list[bytes]) -> list[Event]:
        events = []
        for line in lines:
            if not line:
                events += self._dispatch()
                continue
            field, _, value = line.partition(b":")
            if field == b"data":
                self._hold(value.removeprefix(b" "))
            elif field == b"event":
                self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        return events

    def _hold(self, value: bytes) -> None:
        self._data.append(value)
        self._size += len(value) + 1
        if self._size > self._max:
            raise ProtocolError(f"The server sent an event of more than {self._max:,} bytes.")

    def _dispatch(self) -> list[Event]:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], 0
        # By the specification an event without data is none; an error is one all the same.
        return [Event(b"\n".join(data), name)] if any(data) or name == "error" else []
