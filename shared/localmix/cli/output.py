"""What commands write: tables for people, plain columns for pipes, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

# Long facts of a server, of use to `show` alone.
_LEFT_OUT = ("details",)
_UNITS = ("B", "KB", "MB", "GB", "TB")


def console(*, error: bool = False) -> Console:
    """Give the terminal, or the pipe that stands in for it."""
    return Console(stderr=error, highlight=False, soft_wrap=True)


def say(text: str, style: str = "", *, error: bool = False, is_command: bool = False) -> None:
    """Write a line as it is; at a terminal it is wrapped, unless it is a command to be copied."""
    terminal = console(error=error)
    wraps = terminal.is_terminal and not is_command
    terminal.print(text, style=style or None, markup=False, soft_wrap=not wraps)


def write_json(value: object) -> None:
    """Write a value as JSON to standard output."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def write_json_line(value: object) -> None:
    """Write a value as one line of JSON, at once."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


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


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table that fits the terminal; in a pipe, aligned columns that are never cut."""
    terminal = console()
    if not terminal.is_terminal:
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        for row in (heads, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            say("  ".join(cells).rstrip())
        return
    table = Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*row)
    terminal.print(table, markup=False, soft_wrap=False)


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
