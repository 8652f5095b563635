"""Ids of tool calls that localmix makes: no two are equal, so tests name them by their order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from localmix.types import Delta

OURS = re.compile(r"^call_[0-9a-f]{24}$")


def named(deltas: Iterable[Delta]) -> list[Delta]:
    """Call the first of our ids in a stream `call_0`, the second `call_1`."""
    names: dict[str, str] = {}

    def name(given: str) -> str:
        return names.setdefault(given, f"call_{len(names)}") if OURS.match(given) else given

    return [
        replace(
            delta, tool_calls=tuple(replace(each, id=name(each.id)) for each in delta.tool_calls)
        )
        for delta in deltas
    ]
