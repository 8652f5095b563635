"""What a server said, read key by key: the only file that touches a parsed reply.

Two policies. A *fact* (listings, descriptions, usage, timings) that is not what it should be is
not known, and the rest stands. *Content* (what a model wrote, the vectors, the lists that hold
them) that is not what it should be is a `ProtocolError`: half an answer must not look whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmix.errors import ProtocolError
from localmix.wire import jsontext

# Counts beyond this are no counts, and JSON's numbers are exact only so far.
_MOST = 2**53
# A fact of more letters than this is no name, family or status.
_LONGEST_FACT = 2048
# A name of more letters than this is nobody's model.
LONGEST_NAME = 512


def is_name(text: str) -> bool:
    """Tell whether a model can be asked for by this."""
    return 0 < len(text) <= LONGEST_NAME


class Facts:
    """Facts in a JSON object; one that is absent, or not of its type, is not known."""

    __slots__ = ("_reply",)

    def __init__(self, reply: object) -> None:
        self._reply: Mapping[str, Any] = reply if isinstance(reply, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._reply)

    def __contains__(self, key: str) -> bool:
        return key in self._reply

    @property
    def said(self) -> Mapping[str, Any]:
        """All of it, as it came, for a person to look at."""
        return self._reply

    def text(self, key: str) -> str:
        """Read a short text; empty if it is not known."""
        value = self._reply.get(key)
        if not isinstance(value, str) or len(value) > _LONGEST_FACT:
            return ""
        return jsontext.whole(value)

    def count(self, key: str, *, absent: int | None = None) -> int | None:
        """Read a whole number from 0; `absent` is what it means that the key is not there."""
        value = self._reply.get(key)
        if value is None:
            return absent
        return value if type(value) is int and 0 <= value < _MOST else None

    def seconds(self, key: str, unit: float = 1.0) -> float | None:
        """Read a duration that is given in units of so many seconds: finite, and not negative."""
        value = self.number(key)
        return None if value is None or not 0 <= value < _MOST else value * unit

    def number(self, key: str) -> float | None:
        """Read a finite number."""
        value = self._reply.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if abs(value) < _MOST**2 else None

    def flag(self, key: str) -> bool | None:
        """Read a switch."""
        value = self._reply.get(key)
        return value if isinstance(value, bool) else None

    def texts(self, key: str) -> list[str] | None:
        """Read a list of short texts, leaving out what is none; `None` if it is no list."""
        value = self._reply.get(key)
        if not isinstance(value, list):
            return None
        return [each for each in value if isinstance(each, str) and len(each) <= _LONGEST_FACT]

    def lists(self, key: str) -> bool:
        """Tell whether a list is there; an empty one may be null."""
        return isinstance(self._reply.get(key, 0), list | None)

    def facts(self, key: str) -> Facts:
        """Read an object within."""
        return Facts(self._reply.get(key))

    def each(self, key: str) -> list[Facts]:
        """Read a list of objects, leaving out what is none."""
        value = self._reply.get(key)
        if not isinstance(value, list):
            return []
        return [Facts(each) for each in value if isinstance(each, dict)]


class Record:
    """Content in a JSON object; what is not of its type is a `ProtocolError`."""

    __slots__ = ("_reply", "_server")

    def __init__(self, reply: Mapping[str, Any], server: str) -> None:
        self._reply = reply
        self._server = server

    def __bool__(self) -> bool:
        return bool(self._reply)

    def __contains__(self, key: str) -> bool:
        return key in self._reply

    def has_any(self, keys: frozenset[str]) -> bool:
        """Tell whether it has one of these keys."""
        return not keys.isdisjoint(self._reply)

    @property
    def facts(self) -> Facts:
        """The same object, read for its facts."""
        return Facts(self._reply)

    def value(self, key: str) -> Any:
        """Give a value for which there is a reader of its own: an error, arguments, a vector."""
        return self._reply.get(key)

    @property
    def is_error(self) -> bool:
        """Whether it says that it is an error; vLLM and FastChat write `{"object": "error"}`."""
        return "error" in self._reply or self._reply.get("object") == "error"

    def text(self, key: str) -> str:
        """Read a text; empty where it is absent or null."""
        value = self._reply.get(key)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        raise self.wrong(key, "a text")

    def record(self, key: str) -> Record:
        """Read an object within; empty where it is absent or null."""
        value = self._reply.get(key)
        if isinstance(value, dict):
            return Record(value, self._server)
        if value is None:
            return Record({}, self._server)
        raise self.wrong(key, "an object")

    def records(self, key: str) -> list[Record]:
        """Read a list of objects; empty where it is absent or null, and one stands for a list."""
        value = self._reply.get(key)
        if isinstance(value, dict):  # TGI 2794
            return [Record(value, self._server)]
        records = []
        for entry in self.values(key):
            if not isinstance(entry, dict):
                raise self.wrong(key, "a list of objects")
            records.append(Record(entry, self._server))
        return records

    def values(self, key: str) -> list[Any]:
        """Read a list; empty where it is absent or null."""
        value = self._reply.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def wrong(self, key: str, wanted: str) -> ProtocolError:
        """Say that a value is not what the protocol wants."""
        found = type(self._reply.get(key)).__name__
        return ProtocolError(
            f"{self._server} sent a reply of an unexpected shape:"
            f" {key!r} should be {wanted} but is {found}.",
            server=self._server,
        )
