"""A JSON object that is being written."""

from __future__ import annotations

import re

_IN_TEXT = re.compile(r'["\\\x00-\x1f]')
_OUTSIDE = re.compile(r'["{}\[\]]')
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class JsonPieces:
    """JSON that comes in pieces: made valid on the way, and known to be complete.

    Models write line ends into strings as they are, and some servers pass them on (omlx 1672,
    kimi-cli 1378); JSON forbids that, so they are escaped here. Each letter is looked at once.

    Attributes:
        is_open: Whether an object, an array or a string has begun and not ended.
        is_complete: Whether an object or an array has begun and ended.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._is_escaped = False
        self.is_complete = False

    @property
    def is_open(self) -> bool:
        """Whether an object, an array or a string has begun and not ended."""
        return self._depth > 0 or self._in_text

    def feed(self, piece: str) -> str:
        """Take a piece, and return it as it should have been written."""
        written: list[str] = []
        place = 0
        while place < len(piece):
            if self._is_escaped:
                self._is_escaped = False
                written.append(piece[place])
                place += 1
                continue
            found = (_IN_TEXT if self._in_text else _OUTSIDE).search(piece, place)
            if found is None:
                break
            written.append(piece[place : found.start()])
            written.append(self._special(found[0]))
            place = found.end()
        written.append(piece[place:])
        return "".join(written)

    def _special(self, letter: str) -> str:
        if letter == '"':
            self._in_text = not self._in_text
        elif letter == "\\":
            self._is_escaped = True
        elif self._in_text:
            return _ESCAPES.get(letter, f"\\u{ord(letter):04x}")
        else:
            self._depth += 1 if letter in "{[" else -1
            self.is_complete = self.is_complete or self._depth == 0
        return letter
