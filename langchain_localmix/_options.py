"""Options as other integrations taught people to write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localmix.errors import ConfigError

_NAMES = {
    "model_name": "model",
    "num_predict": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "stop_sequences": "stop",
    "request_timeout": "timeout",
    "think": "reasoning",
    "reasoning_effort": "reasoning",
    "format": "response_format",
    "extra_body": "extra",
}
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def by_our_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Say options by our names, and how long to keep a model in seconds.

    Raises:
        ConfigError: One is given under two names.
    """
    said: dict[str, Any] = {}
    for name, value in given.items():
        own = _NAMES.get(name, name)
        if own in said:
            raise ConfigError(f"{name} is given, and {own} as well.", hint="Give one of them.")
        said[own] = _seconds(value) if own == "keep_alive" else value
    return said


def _seconds(written: Any) -> Any:
    """Read a duration as Ollama writes it (`5m`, `1h30m`); leave what is none."""
    if not isinstance(written, str) or _DURATION.sub("", written):
        return written
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(written))
