"""Durations as Ollama's clients write them: seconds as a number, or Go's `1h30m`."""

from __future__ import annotations

import re

from localmix.dialects.asking import Asked

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,  # micro sign
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_NUMBER = r"(\d+\.?\d*|\.\d+)"
_PART = re.compile(rf"{_NUMBER}(ns|us|µs|μs|ms|s|m|h)")
_GO = re.compile(rf"[+-]?({_NUMBER}(ns|us|µs|μs|ms|s|m|h))+")
_PLAIN = re.compile(rf"[+-]?{_NUMBER}")


def is_number(value: object) -> bool:
    """Tell whether a text is a number without a unit, which Ollama itself refuses."""
    return isinstance(value, str) and bool(_PLAIN.fullmatch(value.strip()))


def read_keep_alive(said: Asked) -> float | None:
    """Read `keep_alive` in seconds; negative means for ever, `None` that it was not said.

    Ollama refuses numbers without a unit in a text (`"300"`, `"-1"`); real clients send them, and
    what they mean is plain.

    Raises:
        ConfigError: It is no duration.
    """
    value = said.value("keep_alive")
    if not isinstance(value, str):
        return said.number("keep_alive")
    text = value.strip()
    if not text:
        return None
    if _PLAIN.fullmatch(text):
        return float(text)
    if not _GO.fullmatch(text):
        raise said.wrong("keep_alive", "a duration like 300 or 5m")
    seconds = sum(float(amount) * _UNITS.get(unit, 0) for amount, unit in _PART.findall(text))
    return -seconds if text.startswith("-") else seconds
