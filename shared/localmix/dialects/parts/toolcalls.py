"""Tool calls as servers send them, whole or in pieces: which piece belongs to which call.

The rules, in the order in which they are asked; `tests/unit/tool_calls` is the table of cases.

1. In a whole reply every entry is a call, and so is one whose arguments are an object.
2. In a stream a piece belongs to the call at its index if both were said with one id, else to the
   call of its id, else to the one at its index. At an index that nobody has, a name or an id begins
   a call; without either the last call goes on.
3. A name begins another call if it is another name, or comes with another id, at another index, or
   with arguments after complete ones, or where neither has arguments; else it is only repeated. In
   the middle of a call's JSON only another name at another index begins one. An id alone begins
   nothing, and JSON that begins after the call's own was complete is another call of that tool.
4. The first id counts, also when it comes late. A call that never gets one of its own gets one of
   ours.
5. What is no tool's name, but begins the name of one that was offered, waits for the rest of it.
6. A call that says letter for letter what a complete one of its id and name has said is that one,
   said again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from localmix.dialects.parts.onecall import Call, Piece, new_id
from localmix.dialects.reading import Record
from localmix.errors import ProtocolError
from localmix.types import Message, Tool, ToolCallDelta


class ToolCalls:
    """The tool calls of one answer, each with an index and an id of its own.

    Args:
        server: The server's URL, for errors.
        offered: Names of the tools that the model may call.
        one_call: Whether calls after the first are left out.
    """

    def __init__(
        self, server: str, offered: Collection[str] = (), *, one_call: bool = False
    ) -> None:
        self._server = server
        self._offered = offered
        self._one_call = one_call
        self._calls: list[Call] = []
        self._by_place: dict[int | None, Call] = {}
        self._by_id: dict[str, Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def has_whole_call(self) -> bool:
        """Whether a call has a name, and arguments that are complete."""
        return any(call.name and call.arguments.is_complete for call in self._calls)

    def read(self, entries: list[Record], *, are_whole: bool = False) -> tuple[ToolCallDelta, ...]:
        """Read the tool calls of one frame; `are_whole` says that it is a whole reply."""
        deltas = []
        for entry in entries:
            piece = Piece.of(entry)
            is_whole = are_whole or piece.is_whole
            deltas.append(self._whole(piece) if is_whole else self._next(piece))
        return self._told(deltas)

    def close(self) -> tuple[ToolCallDelta, ...]:
        """Tell what was held back, and give an id to each call that has none.

        Raises:
            ProtocolError: A call has no name.
        """
        for call in self._calls:
            if call.said and not call.name:
                raise self._nameless(call.said)
        return self._told([call.close() for call in self._calls if call.name])

    def _told(self, deltas: list[ToolCallDelta | None]) -> tuple[ToolCallDelta, ...]:
        return tuple(each for each in deltas if each and not (self._one_call and each.index))

    def _whole(self, piece: Piece) -> ToolCallDelta | None:
        if not piece.name:
            if not piece.arguments and not piece.id:
                return None  # lmstudio-bug-tracker 830: an entry with nothing in it
            raise self._nameless(piece.arguments)
        call = self._begin(piece)
        call.id = new_id() if not piece.id or piece.id in self._by_id else piece.id
        self._by_id[call.id] = call
        call.take(piece)
        return call.told()

    def _next(self, piece: Piece) -> ToolCallDelta | None:
        if not (piece.name or piece.id or piece.arguments):
            return None
        call = self._known(piece)
        if call is None:
            call = self._begin(piece)
        elif call.is_begun_by(piece, is_new_place=self._is_new_place(piece)):
            piece = piece if piece.name else piece._replace(name=call.name, id=call.said_id)
            call = self._begin(piece, call if call.may_be_repeated_by(piece) else None)
        if piece.id and not call.said_id:
            call.said_id = piece.id
            if self._by_id.setdefault(piece.id, call) is call:  # llama.cpp 27966: two have one id
                call.id = piece.id
        return call.take(piece)

    def _known(self, piece: Piece) -> Call | None:
        """Find the call that a piece belongs to, if it begins none (rule 2)."""
        known = self._by_place.get(piece.place)
        if piece.id and not (known and known.said_id == piece.id):
            known = self._by_id.get(piece.id, known)
        if known is None and self._calls and not (piece.name or piece.id):
            return self._calls[-1]
        return known

    def _is_new_place(self, piece: Piece) -> bool:
        return piece.place is not None and piece.place not in self._by_place

    def _begin(self, piece: Piece, first: Call | None = None) -> Call:
        call = Call(len(self._calls), self._offered, first)
        self._calls.append(call)
        self._by_place[piece.place] = call
        return call

    def _nameless(self, arguments: str) -> ProtocolError:
        return ProtocolError(
            f"{self._server} sent a tool call without a name: {arguments[:80]!r}.",
            server=self._server,
        )


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
