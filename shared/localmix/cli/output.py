"""What commands write: tables for people, plain columns for pipes, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from rich.cells import cell_len
from rich.console import Console

# Long: what a server says of a model, of use to `show` alone, and what was said in a conversation.
_LEFT_OUT = ("details", "messages")
# Columns of a terminal at which a table is rather read as lines.
_NARROW = 60
_UNITS = ("B", "KB", "MB", "GB", "TB")


# What a terminal obeys (ECMA-48): a sequence with its parameters, a string with its end, or what
# is left of either. What reorders text (UAX 9) may hide what is written.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_MARKS}]")


def visible(text: str) -> str:
    """Strip what would drive a terminal, or hide what stands there: servers say what they like."""
    lines = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _UNSEEN.sub("", _SEQUENCE.sub("", lines))


def console(*, error: bool = False) -> Console:
    """Give the terminal, or the pipe that stands in for it."""
    return Console(stderr=error, highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(text: str, style: str = "", *, error: bool = False, is_command: bool = False) -> None:
    """Write a line as it is; at a terminal it is wrapped, unless it is a command to be copied."""
    terminal = console(error=error)
    wraps = terminal.is_terminal and not is_command
    terminal.print(visible(text), style=style or None, soft_wrap=not wraps)


def write_json(value: object) -> None:
    """Write a value as JSON to standard output."""
    sys.stdout.write(to_json(value, indent=2) + "\n")


def write_json_line(value: object) -> None:
    """Write a value as one line of JSON, at once."""
    sys.stdout.write(to_json(value) + "\n")
    sys.stdout.flush()


def to_json(value: object, indent: int | None = None) -> str:
    """Write JSON that a terminal can show: what would drive it is escaped."""
    text = json.dumps(plain(value), indent=indent, ensure_ascii=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain(value: Any) -> Any:
    """Turn records into what JSON can say."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name not in _LEFT_OUT]
        value = {name: getattr(value, name) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def write_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = ()
) -> None:
    """Write aligned columns, of which no cell is ever cut.

    Where a terminal is too narrow, the spare columns go, the first one first; where that is not
    enough, each row becomes lines of its own, the first cell by itself.
    """
    rows = [[visible(cell).replace("\n", " ") for cell in row] for row in rows]
    terminal = console()
    if terminal.is_terminal:
        heads, rows = _without_spare(heads, rows, spare, terminal.width)
        if _width(heads, rows) > terminal.width:
            _write_blocks(heads, rows)
            return
    for row in (heads, *rows):
        cells = (c.ljust(width) for c, width in zip(row, _widths(heads, rows), strict=True))
        style = "bold" if row is heads else ""
        terminal.print("  ".join(cells).rstrip(), style=style, soft_wrap=True)


def _without_spare(
    heads: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str], width: int
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Take columns away while the table is too wide; at narrow terminals rows become lines."""
    for head in spare if width > _NARROW else ():
        if _width(heads, rows) <= width:
            break
        gone = heads.index(head)
        heads, *rows = [[*row[:gone], *row[gone + 1 :]] for row in (heads, *rows)]
    return heads, rows


def _write_blocks(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for name, *others in rows:
        say(name, "bold", is_command=True)
        facts = zip(heads[1:], others, strict=True)
        said = ", ".join(f"{head.lower()} {cell}" for head, cell in facts if cell)
        for line in wrap(said, console().width - 2, break_long_words=False, break_on_hyphens=False):
            say(f"  {line}", is_command=True)


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]


def _width(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return sum(_widths(heads, rows)) + 2 * (len(heads) - 1)


def write_facts(facts: Mapping[str, str]) -> None:
    """Write names and values, one a line; what is empty is left out."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if value:
            say(f"{name.ljust(width)}  {value}")


def size(count: int | None) -> str:
    """Write bytes as people do: 5.2 GB; empty when not known."""
    if count is None:
        return ""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def tokens(count: int | None) -> str:
    """Write a number of tokens; empty when not known."""
    return "" if count is None else f"{count:,}"
