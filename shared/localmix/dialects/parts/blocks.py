"""An answer as blocks, one after the other: thoughts, texts, tool calls.

The agents' dialects say of every block when it begins and when it ends, and never go back to one
that has ended. Models do: the pieces of two calls may come in turn, and the id of a call late. So
while a call is open and its JSON is not whole, everything else waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from localmix.dialects.parts.jsonpieces import JsonPieces
from localmix.dialects.parts.onecall import new_id
from localmix.types import ChatResult, Delta
from localmix.types.fold import unfold

BlockKind = Literal["reasoning", "text", "call"]
# A call's index, or what all thoughts and all texts have in common.
_Key = int | Literal["reasoning", "text"]


@dataclass(slots=True)
class Block:
    """One block while it is written.

    Attributes:
        index: Its place in the answer.
        id: That of a call.
        name: Name of the tool that is called.
    """

    kind: BlockKind
    index: int
    id: str = ""
    name: str = ""
    _said: list[str] = field(default_factory=list)

    def say(self, piece: str) -> None:
        """Add a piece."""
        self._said.append(piece)

    @property
    def text(self) -> str:
        """What it says so far; a call's arguments are JSON, and nothing means that it has none."""
        return "".join(self._said) or ("{}" if self.kind == "call" else "")


class Begun(NamedTuple):
    """A block begins."""

    block: Block


class Said(NamedTuple):
    """A block goes on."""

    block: Block
    piece: str


class Ended(NamedTuple):
    """A block is over."""

    block: Block


BlockStep = Begun | Said | Ended


class _Piece(NamedTuple):
    key: _Key
    text: str


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: JsonPieces = field(default_factory=JsonPieces)
    has_begun: bool = False


class Blocks:
    """The deltas of one answer, put in blocks.

    Attributes:
        blocks: Those that have begun.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._open: _Key | None = None
        self._calls: dict[int, _Call] = {}
        self._waiting: list[_Piece] = []

    @classmethod
    def of(cls, result: ChatResult) -> list[Block]:
        """Put a whole answer in blocks."""
        answer = cls()
        for _ in (*answer.feed(unfold(result)), *answer.close()):
            pass
        return answer.blocks

    def feed(self, delta: Delta) -> Iterator[BlockStep]:
        """Tell what a delta does to the blocks."""
        for piece in self._pieces(delta):
            self._waiting.append(piece)
            while ready := next(filter(self._is_ready, self._waiting), None):
                self._waiting.remove(ready)
                yield from self._say(ready)

    def close(self) -> Iterator[BlockStep]:
        """Say what has waited, block by block, and end the last one."""
        waiting, self._waiting = self._waiting, []
        for key in dict.fromkeys(piece.key for piece in waiting):
            text = "".join(piece.text for piece in waiting if piece.key == key)
            yield from self._say(_Piece(key, text))
        yield from self._end()

    def _pieces(self, delta: Delta) -> Iterator[_Piece]:
        if delta.reasoning:
            yield _Piece("reasoning", delta.reasoning)
        if delta.content:
            yield _Piece("text", delta.content)
        for piece in delta.tool_calls:
            call = self._calls.setdefault(piece.index, _Call())
            call.id, call.name = call.id or piece.id, call.name or piece.name
            yield _Piece(piece.index, piece.arguments)

    def _is_ready(self, piece: _Piece) -> bool:
        if isinstance(piece.key, int):
            call = self._calls[piece.key]
            if not (call.id and call.name):
                return False
        opened = self._calls.get(self._open) if isinstance(self._open, int) else None
        return piece.key == self._open or not opened or opened.arguments.is_complete

    def _say(self, piece: _Piece) -> Iterator[BlockStep]:
        if piece.key != self._open:
            if isinstance(piece.key, int) and self._calls[piece.key].has_begun:
                return  # what comes after the end of a call's JSON is blank
            yield from self._end()
            yield from self._begin(piece.key)
        if piece.text:
            self.blocks[-1].say(piece.text)
            if isinstance(piece.key, int):
                self._calls[piece.key].arguments.feed(piece.text)
            yield Said(self.blocks[-1], piece.text)

    def _begin(self, key: _Key) -> Iterator[BlockStep]:
        self._open = key
        if isinstance(key, int):
            call = self._calls[key]
            call.has_begun = True
            block = Block("call", len(self.blocks), call.id or new_id(), call.name)
        else:
            block = Block(key, len(self.blocks))
        self.blocks.append(block)
        yield Begun(block)

    def _end(self) -> Iterator[BlockStep]:
        if self._open is not None:
            self._open = None
            yield Ended(self.blocks[-1])
