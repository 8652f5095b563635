"""Tool calls as servers really send them, and what must come of each: a table by themes."""

from __future__ import annotations

from tests.unit.tool_calls import arguments, ids, indices, leftovers, names, plain
from tests.unit.tool_calls.case import Case

__all__ = ["CASES", "Case"]

CASES: dict[str, Case] = {
    **plain.CASES,
    **ids.CASES,
    **indices.CASES,
    **names.CASES,
    **arguments.CASES,
    **leftovers.CASES,
}
