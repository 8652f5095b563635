"""Tool calls as servers send them, whole or in pieces: which piece belongs to which call.

The rules, in the order in which they are asked; `tests/unit/tool_calls.py` is the table of cases.

1. In a whole reply every entry is a call, and so is one whose arguments are an object.
2. In a stream a piece belongs to the call of its id, else to the one at its index. At an index
   that nobody has, a name or an id begins a call; without either the last call goes on.
3. At a known index a name begins another call if it is another name, or comes with another id, or
   with arguments after complete ones, or where neither has arguments; else it is only repeated.
   Nothing begins in the middle of a call's JSON, and an id alone begins nothing.
4. The first id counts, also when it comes late. A call that never gets one gets one of ours.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from localmix.dialects.parts.jsonpieces import JsonPieces
from localmix.dialects.reading import Record
from localmix.errors import ProtocolError
from localmix.types import Message, Tool, ToolCallDelta
from localmix.wire import jsontext


def new_id() -> str:
    """Make an id that no other call has, in whatever conversation or process."""
    return f"call_{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class _Piece:
    """One entry of a `tool_calls` list, in OpenAI's shape or Ollama's."""

    index: int | None
    id: str
    name: str
    arguments: str
    is_whole: bool

    @classmethod
    def of(cls, entry: Record) -> _Piece:
        function = entry.record("function")
        arguments = function.value("arguments")
        index = entry.facts.count("index")
        return cls(
            index=function.facts.count("index") if index is None else index,
            id=_id(entry),
            name=function.text("name"),
            arguments=_text(function),
            is_whole=isinstance(arguments, dict),
        )


def _id(entry: Record) -> str:
    value = entry.value("id")
    return str(value) if type(value) is int else entry.text("id")


def _text(function: Record) -> str:
    arguments = function.value("arguments")
    return jsontext.text(arguments) if isinstance(arguments, dict) else function.text("arguments")


@dataclass(slots=True)
class _Call:
    """What has come of one call."""

    index: int
    id: str = ""
    name: str = ""
    arguments: JsonPieces = field(default_factory=JsonPieces)
    held: str = ""  # arguments that came before the name

    def is_begun_by(self, piece: _Piece) -> bool:
        """Tell whether a piece at this call's place begins another call (rule 3)."""
        if not piece.name or not self.name or self.arguments.is_open:
            return False
        if piece.name != self.name or (piece.id and self.id and piece.id != self.id):
            return True
        if self.arguments.is_complete:
            return bool(piece.arguments)
        return not piece.arguments and not piece.id

    def take(self, piece: _Piece) -> ToolCallDelta | None:
        """Add a piece; give what is new of it."""
        said = self.arguments.feed(piece.arguments)
        is_named, has_id = bool(self.name), bool(self.id)
        self.name, self.id = self.name or piece.name, self.id or piece.id
        if not self.name:
            self.held += said
            return None
        said, self.held = self.held + said, ""
        name, call_id = "" if is_named else self.name, "" if has_id and is_named else self.id
        if not (name or call_id or said):
            return None
        return ToolCallDelta(self.index, call_id, name, said)


class ToolCalls:
    """The tool calls of one answer, each with an index and an id of its own.

    Args:
        server: The server's URL, for errors.
        one_call: Whether calls after the first are left out.
    """

    def __init__(self, server: str, *, one_call: bool = False) -> None:
        self._server = server
        self._one_call = one_call
        self._calls: list[_Call] = []
        self._by_index: dict[int | None, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def has_whole_call(self) -> bool:
        """Whether a call has a name, and arguments that are complete."""
        return any(call.name and call.arguments.is_complete for call in self._calls)

    def read(self, entries: list[Record], *, are_whole: bool = False) -> tuple[ToolCallDelta, ...]:
        """Read the tool calls of one frame; `are_whole` says that it is a whole reply."""
        if not entries:
            return ()
        deltas: list[ToolCallDelta] = []
        for entry in entries:
            piece = _Piece.of(entry)
            if are_whole or piece.is_whole:
                deltas += self._whole(piece)
            elif piece.name or piece.id or piece.arguments:
                deltas += self._next(piece)
        return self._told(deltas)

    def close(self) -> tuple[ToolCallDelta, ...]:
        """Give an id to each call that has none.

        Raises:
            ProtocolError: A call has no name.
        """
        nameless = next((call for call in self._calls if not call.name and call.held), None)
        if nameless:
            raise ProtocolError(
                f"{self._server} sent a tool call without a name: {nameless.held[:80]!r}.",
                server=self._server,
            )
        unnamed = [call for call in self._calls if call.name and not call.id]
        for call in unnamed:
            call.id = new_id()
        return self._told([ToolCallDelta(call.index, call.id) for call in unnamed])

    def _told(self, deltas: list[ToolCallDelta]) -> tuple[ToolCallDelta, ...]:
        return tuple(each for each in deltas if not (self._one_call and each.index))

    def _whole(self, piece: _Piece) -> list[ToolCallDelta]:
        if not piece.name:
            if not piece.arguments and not piece.id:
                return []  # lmstudio-bug-tracker 830: an entry with nothing in it
            raise ProtocolError(
                f"{self._server} sent a tool call without a name.", server=self._server
            )
        call = self._begin(piece)
        call.id = new_id() if not piece.id or piece.id in self._by_id else piece.id
        self._by_id[call.id] = call
        call.name = piece.name
        return [
            ToolCallDelta(call.index, call.id, piece.name, call.arguments.feed(piece.arguments))
        ]

    def _next(self, piece: _Piece) -> list[ToolCallDelta]:
        call = self._call_of(piece)
        if piece.id and not call.id and self._by_id.setdefault(piece.id, call) is not call:
            piece = replace(piece, id="")  # llama.cpp 27966: two calls, one id
        delta = call.take(piece)
        return [delta] if delta else []

    def _call_of(self, piece: _Piece) -> _Call:
        known = self._by_id.get(piece.id) or self._by_index.get(piece.index)
        if known is None:
            goes_on = self._calls and not (piece.name or piece.id)
            return self._calls[-1] if goes_on else self._begin(piece)
        is_new_place = piece.index is not None and piece.index not in self._by_index
        if known.is_begun_by(piece) or (
            is_new_place and piece.name and known.arguments.is_complete  # llama.cpp 27966
        ):
            return self._begin(piece)
        return known

    def _begin(self, piece: _Piece) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        self._by_index[piece.index] = call
        return call


def tool_definition(tool: Tool, parameters: dict[str, Any]) -> dict[str, Any]:
    """Write a tool as all dialects do.

    Quirk (lmstudio 0.4.x; wayland 24, rakazo 851): an object without `properties` is a 400.
    """
    if parameters.get("type", "object") == "object" and "properties" not in parameters:
        parameters = {"type": "object", **parameters, "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def tool_name_of(message: Message, messages: tuple[Message, ...]) -> str:
    """Find the name of the tool that a result comes from, in the call that it answers.

    Ids do not always tell: some histories use one for several calls, or have lost them. Then
    results answer the calls of their turn in order.
    """
    if message.tool_name:
        return message.tool_name
    waiting: list[Any] = []
    for each in messages:
        if each.tool_calls:
            waiting = list(each.tool_calls)
        if each.role != "tool" or not waiting:
            continue
        answered = next((call for call in waiting if call.id == each.tool_call_id), waiting[0])
        waiting.remove(answered)
        if each is message:
            return str(answered.name)
    return ""
