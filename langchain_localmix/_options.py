"""Options as other integrations taught people to write them."""

from __future__ import annotations

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


def by_our_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Say options by our names.

    Raises:
        ConfigError: One is given under two names.
    """
    said: dict[str, Any] = {}
    for name, value in given.items():
        own = _NAMES.get(name, name)
        if own in said:
            raise ConfigError(f"{name} is given, and {own} as well.", hint="Give one of them.")
        said[own] = value
    return said
