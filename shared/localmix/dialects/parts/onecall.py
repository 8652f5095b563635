"""One piece of a tool call as a server sends it, and one call as it comes in."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import NamedTuple

from localmix.dialects.parts.jsonpieces import JsonPieces
from localmix.dialects.reading import Record
from localmix.types import ToolCallDelta
from localmix.wire import jsontext


def new_id() -> str:
    """Make an id that no other call has, in whatever conversation or process."""
    return f"call_{secrets.token_hex(12)}"


class Piece(NamedTuple):
    """One entry of a `tool_calls` list, in OpenAI's shape or Ollama's."""

    place: int | None
    id: str
    name: str
    arguments: str
    is_whole: bool

    @classmethod
    def of(cls, entry: Record) -> Piece:
        """Read an entry, or a message that holds the one call of OpenAI's first API for them."""
        function = entry.record("function") or entry.record("function_call")
        arguments = function.value("arguments")
        is_whole = isinstance(arguments, dict)
        said = jsontext.text(arguments) if is_whole else function.text("arguments")
        index = entry.facts.count("index")
        if index is None:
            index = function.facts.count("index")
        return cls(index, _id(entry), function.text("name"), said, is_whole)


def _id(entry: Record) -> str:
    value = entry.value("id")
    return str(value) if type(value) is int else entry.text("id")


class Call:
    """What has come of one call. It is told once it is certain, and from then on as it comes.

    Args:
        index: Its place among the calls of the answer.
        offered: Names of the tools that the model may call.
        first: A whole call of the same id and name, which this one may only say again.

    Attributes:
        id: The id that it is told with; empty until there is one.
        said_id: The id that the server gave it, which another call may have too.
    """

    def __init__(
        self, index: int, offered: Collection[str] = (), first: Call | None = None
    ) -> None:
        self.index = index
        self.id = self.said_id = self.name = ""
        self.arguments = JsonPieces()
        self._offered = offered
        self._said: list[str] = []
        self._size = 0
        self._echoed = first.said if first else None
        self._is_told = self._has_told_id = False

    @property
    def said(self) -> str:
        """Its arguments so far."""
        return "".join(self._said)

    @property
    def is_repeated(self) -> bool:
        """Whether it has said, letter for letter, what a whole call before it said, or nothing."""
        return self._echoed is not None and self._size in (0, len(self._echoed))

    def is_begun_by(self, piece: Piece, *, is_new_place: bool) -> bool:
        """Tell whether a piece for this call begins another one (rule 3)."""
        if not piece.name:
            return self.arguments.is_complete and piece.arguments.lstrip()[:1] == "{"
        if not self.name or self._goes_on(piece):
            return False
        if self.arguments.is_open:
            return is_new_place and piece.name != self.name
        if is_new_place or piece.name != self.name or _differ(piece.id, self.said_id):
            return True
        if self.arguments.is_complete:
            return bool(piece.arguments)
        return not piece.arguments and not piece.id

    def may_be_repeated_by(self, piece: Piece) -> bool:
        """Tell whether the call that a piece begins may be this one, said again (rule 6)."""
        is_like = piece.name == self.name and piece.id == self.said_id
        return bool(piece.id) and is_like and self.arguments.is_complete

    def take(self, piece: Piece) -> ToolCallDelta | None:
        """Add a piece; give what is certain and was not told yet."""
        said = self.arguments.feed(piece.arguments)
        if self._echoed is not None and not self._echoed.startswith(said, self._size):
            self._echoed = None
        self._said.append(said)
        self._size += len(said)
        if not self.name or self._goes_on(piece):
            self.name += piece.name
        if self._is_told:
            return self._news(said)
        return self.told() if self._is_certain() else None

    def told(self) -> ToolCallDelta:
        """Tell all that has come."""
        self._is_told, self._has_told_id = True, bool(self.id)
        return ToolCallDelta(self.index, self.id, self.name, self.said)

    def close(self) -> ToolCallDelta | None:
        """Tell what is left, now that nothing more comes; every call has an id then."""
        if self.is_repeated:
            return None
        self.id = self.id or new_id()
        return self._news("") if self._is_told else self.told()

    def _news(self, said: str) -> ToolCallDelta | None:
        call_id = "" if self._has_told_id else self.id
        self._has_told_id = bool(self.id)
        return ToolCallDelta(self.index, call_id, "", said) if call_id or said else None

    def _goes_on(self, piece: Piece) -> bool:
        """Tell whether a piece brings more of the name (rule 5)."""
        if self._is_told or not piece.name or _differ(piece.id, self.said_id):
            return False
        name = self.name + piece.name
        return any(offered.startswith(name) for offered in self._offered)

    def _is_certain(self) -> bool:
        if not self.name or self._echoed is not None:
            return False
        if self.name in self._offered:
            return bool(self._size) or not self._may_go_on()
        return not self._may_go_on()

    def _may_go_on(self) -> bool:
        longer = (offered for offered in self._offered if offered != self.name)
        return any(offered.startswith(self.name) for offered in longer)


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)
