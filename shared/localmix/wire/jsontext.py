"""JSON to bytes and back, with our own errors.

pydantic's core reads JSON several times faster than the standard library, bounds the nesting, and
is a dependency anyway.
"""

from __future__ import annotations

import json
from typing import Any

import pydantic_core

from localmix.errors import ConfigError, ProtocolError

_SHOWN = 80


class NotJsonError(ProtocolError):
    """Say that bytes are not JSON.

    Attributes:
        is_cut: Whether they are the beginning of some.
    """

    is_cut = False


def dump(value: object) -> bytes:
    """Write JSON as UTF-8.

    Raises:
        ConfigError: The value holds something that JSON or UTF-8 cannot say.
    """
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (TypeError, ValueError) as error:  # UnicodeEncodeError is a ValueError
        raise ConfigError(
            f"The request cannot be written as JSON: {error}.",
            hint="Look for NaN, for values of foreign types and for lone surrogates in texts.",
        ) from error


def text(value: object) -> str:
    """Write JSON as text, as a model would read it."""
    return json.dumps(value, ensure_ascii=False)


def load(data: bytes) -> Any:
    """Read JSON.

    Raises:
        NotJsonError: It is not JSON.
    """
    try:
        return pydantic_core.from_json(data)
    except ValueError as error:
        shown = data[:_SHOWN].decode("utf-8", "replace")
        problem = NotJsonError(f"The server sent what is not JSON ({error}): {shown!r}.")
        problem.is_cut = str(error).startswith("EOF")
        raise problem from error


def load_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ProtocolError: It is something else.
    """
    value = load(data)
    if not isinstance(value, dict):
        shown = data[:_SHOWN].decode("utf-8", "replace")
        raise ProtocolError(f"The server sent JSON that is not an object: {shown!r}.")
    return value
