"""Tell the pieces of streamed tool calls apart, and name the calls that servers leave unnamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localmix.errors import ProtocolError
from localmix.types import Message, Tool, ToolCallDelta
from localmix.wire import jsontext


@dataclass(slots=True)
class _Known:
    """Remember what came of one call."""

    index: int
    id: str
    arguments: str = ""


class ToolCallPieces:
    """Give each call of a turn its own index and id.

    Servers number calls by `index`, but some leave it out, or send every call as number 0; then a
    new id, or a name after complete arguments, starts a new call. A call without an id gets one
    from its place in the conversation, so that the same conversation gives the same ids.
    """

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._by_wire_index: dict[int | None, _Known] = {}
        self._count = 0

    def read(self, wire_calls: list[dict[str, Any]]) -> tuple[ToolCallDelta, ...]:
        """Read the tool calls of one frame, OpenAI's shape or Ollama's."""
        return tuple(self._read_one(wire) for wire in wire_calls)

    def _read_one(self, wire: dict[str, Any]) -> ToolCallDelta:
        function = wire.get("function") or {}
        name = function.get("name") or ""
        arguments = function.get("arguments")
        whole = isinstance(arguments, dict)  # Ollama: a call always comes in one piece
        said = jsontext.text(arguments) if whole else (arguments or "")
        wire_index = wire.get("index", function.get("index"))
        wire_id = wire.get("id") or ""
        known = self._by_wire_index.get(wire_index)
        if known is None or whole or self._starts_anew(known, wire_id, name):
            known = _Known(self._count, wire_id or f"call_{self._turn}_{self._count}")
            self._by_wire_index[wire_index] = known
            self._count += 1
            known.arguments = said
            return ToolCallDelta(known.index, known.id, name, said)
        known.arguments += said
        return ToolCallDelta(known.index, "", name, said)

    @staticmethod
    def _starts_anew(known: _Known, wire_id: str, name: str) -> bool:
        if wire_id:
            return wire_id != known.id
        return bool(name) and _is_complete(known.arguments)


def _is_complete(arguments: str) -> bool:
    try:
        jsontext.load_object(arguments.encode())
    except ProtocolError:
        return False
    return True


def tool_definition(tool: Tool, parameters: dict[str, Any]) -> dict[str, Any]:
    """Write a tool as all dialects do."""
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def tool_name_of(message: Message, messages: tuple[Message, ...]) -> str:
    """Find the name of the tool that a result comes from, in the call that it answers."""
    if message.tool_name:
        return message.tool_name
    names = (
        call.name
        for earlier in messages
        for call in earlier.tool_calls
        if call.id == message.tool_call_id
    )
    return next(names, "")
