"""A case of the table: tool calls as a server really sends them, and what must come of them.

Each case names who sends it. Where a report shows the frames, their shape is kept and the words
are ours; `recorded` and `documented` stand for our own cassettes, samples and reference files.
`composed` marks frames that no report shows as they stand: parts of the named ones, together.
DOUBTFUL marks what the rules of the assembler do not decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from localmix.types import ChatRequest, Kind, Tool
from tests.unit.streams import CHAT


@dataclass(frozen=True)
class Case:
    """One answer's tool calls.

    Attributes:
        source: Who sends this, and what is odd about it.
        kind: The dialect.
        frames: The `tool_calls` of each delta of a stream, or of the one message.
        calls: Name, arguments as JSON text and id of each call; no id where it is one of ours.
        whole: Whether it is a whole reply instead of a stream.
    """

    source: str
    kind: Kind
    frames: tuple[Any, ...]
    calls: tuple[tuple[str, str, str | None], ...]
    whole: bool = False

    @property
    def request(self) -> ChatRequest:
        """The request that it answers: the tools that it calls are offered."""
        names = dict.fromkeys(name for name, _, _ in self.calls)
        return CHAT.model_copy(update={"tools": tuple(Tool(name=name) for name in names)})


class _Left(Enum):
    OUT = "a key that is not there, unlike one that is null"


OUT: Final = _Left.OUT


def fn(name: str | _Left | None = OUT, arguments: Any = OUT, **more: Any) -> dict[str, Any]:
    """Write `function`; what is not given is not there."""
    given = {"name": name, "arguments": arguments}
    return {key: value for key, value in given.items() if value is not OUT} | more


def entry(index: int | _Left | None, function: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write an entry of `tool_calls` (`id` and `type` are given by name)."""
    return ({} if index is OUT else {"index": index}) | more | {"function": function}


FN: Final = "function"
PARIS: Final = '{"location": "Paris"}'
TOKYO: Final = '{"location": "Tokyo"}'
PIECES: Final = ('{"', 'location": "', "Par", 'is"}')
