"""What a caller asked for, read key by key: the only file that touches a parsed request.

A value that is absent or null is not there; one of the wrong type is a `ConfigError` that names its
place and never shows it, since it may be part of a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmix.errors import ConfigError, ProtocolError
from localmix.wire import jsontext

# Deeper than any tool's schema; what is deeper could only be meant to exhaust a reader.
DEEPEST = 64
_MOST, _MOST_WHOLE = 2.0**1023, 2**63


class Asked:
    """A JSON object that a caller sent.

    Args:
        body: The object.
        place: Where it stands in the request, for errors; empty for the request itself.
        raw: The bytes that it was read from, for the request itself.
    """

    __slots__ = ("_body", "_place", "raw")

    def __init__(self, body: Mapping[str, Any], place: str = "", raw: bytes = b"") -> None:
        self._body = body
        self._place = place
        self.raw = raw

    @classmethod
    def of(cls, data: bytes) -> Asked:
        """Read the body of a request.

        Raises:
            ConfigError: It is no JSON object, or too deep a one.
        """
        if not data.strip():
            raise ConfigError("missing request body")
        try:
            body = jsontext.load(data)
        except ProtocolError:
            raise ConfigError("The body of the request is not JSON.") from None
        if not isinstance(body, dict):
            raise ConfigError("The body of the request must be a JSON object.")
        if _is_deep(body):
            raise ConfigError(f"The body of the request is nested deeper than {DEEPEST} levels.")
        return cls(body, raw=data)

    def __contains__(self, key: str) -> bool:
        return self._body.get(key) is not None

    @property
    def keys(self) -> list[str]:
        """The keys, as they were written."""
        return list(self._body)

    def value(self, key: str) -> Any:
        """Give a value for which there is a reader of its own; `None` if it is not there."""
        return self._body.get(key)

    def text(self, key: str) -> str:
        """Read a text; empty if it is not there."""
        value = self._body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def number(self, key: str) -> float | None:
        """Read a finite number."""
        value = self._body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "a number")
        if not abs(value) < _MOST:
            raise self.wrong(key, "a finite number")
        return float(value)

    def whole(self, key: str) -> int | None:
        """Read a whole number; a fraction is cut off, as Ollama does."""
        value = self._body.get(key)
        if type(value) is not int:
            value = self.number(key)
            return None if value is None else int(value)
        if not -_MOST_WHOLE <= value < _MOST_WHOLE:
            raise self.wrong(key, "a 64-bit number")
        return value

    def flag(self, key: str, *, absent: bool = False) -> bool:
        """Read a switch."""
        value = self._body.get(key)
        if value is None:
            return absent
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def values(self, key: str) -> list[Any]:
        """Read a list; empty if it is not there."""
        value = self._body.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a text or a list of them."""
        value = self._body.get(key)
        if isinstance(value, str):
            return (value,)
        values = self.values(key)
        if not all(isinstance(each, str) for each in values):
            raise self.wrong(key, "a text or a list of texts")
        return tuple(values)

    def mapping(self, key: str) -> dict[str, Any]:
        """Read an object as it is; empty if it is not there."""
        value = self._body.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return value

    def inner(self, key: str) -> Asked:
        """Read an object within."""
        return Asked(self.mapping(key), self._at(key))

    def each(self, key: str) -> list[Asked]:
        """Read a list of objects."""
        values = self.values(key)
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "a list of objects")
        return [Asked(value, self._at(f"{key}[{at}]")) for at, value in enumerate(values)]

    def wrong(self, key: str, wanted: str) -> ConfigError:
        """Say what a value should be."""
        found = type(self._body.get(key)).__name__
        return ConfigError(f"{self._at(key)} must be {wanted}, but is of type {found}.")

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key


def without_absent(options: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was not said."""
    return {name: value for name, value in options.items() if value is not None}


def _is_deep(value: Any) -> bool:
    """Tell whether a value is too deep, level by level, without calling itself."""
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below += each.values()
            elif isinstance(each, list):
                below += each
        level = [each for each in below if isinstance(each, dict | list)]
        if not level:
            return False
    return True
