"""How records look: short in a shell and in logs, a table in a notebook."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from html import escape
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", bound="Row", covariant=True)
T = TypeVar("T", bound="Row")

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 120
_short.maxlist = _short.maxtuple = _short.maxdict = 3
_short.maxlevel = 3


class Short:
    """Have a short repr: fields at their defaults are left out, long values are cut."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = [each for each in fields(self) if each.repr]  # type: ignore[arg-type]
        said = [
            f"{each.name}={_value(value)}"
            for each in shown
            if not _is_default(each, value := getattr(self, each.name))
        ]
        return f"{type(self).__name__}({', '.join(said)})"


class Cut:
    """A value with a short repr."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return _value(self._value)


class Row(Protocol):
    """What is a row of a table."""

    def cells(self) -> Mapping[str, object]:
        """Give the cells by the names of their columns."""
        ...


class Tabular(Short):
    """A value that is a table of one row in a notebook."""

    __slots__ = ()

    def cells(self) -> Mapping[str, object]:
        """Give the cells by the names of their columns."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return table([self])


class Table(list[T]):
    """A list that is a table in a notebook."""

    def _repr_html_(self) -> str:
        return table(self)


def table(rows: Iterable[Row]) -> str:
    """Write a table as HTML; what servers and models say stays text."""
    cells = [row.cells() for row in rows]
    columns = list(dict.fromkeys(name for row in cells for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = [
        "<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns) + "</tr>"
        for row in cells
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def size(number: int | None) -> str:
    """Write a number of bytes for people; empty where it is not known."""
    return "" if number is None else f"{number / 1e9:.1f} GB"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else escape(str(value))


def _value(value: object) -> str:
    """Write a value short; a record of ours writes itself."""
    return repr(value) if isinstance(value, Short) else _short.repr(value)


def _is_default(about: Field[Any], value: object) -> bool:
    if about.default is not MISSING:
        return value is about.default or value == about.default
    return about.default_factory is not MISSING and value == about.default_factory()
