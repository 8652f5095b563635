"""JSON to bytes and back, with our own errors.

pydantic's core reads JSON several times faster than the standard library, bounds the nesting, and
is a dependency anyway. What it refuses is read once more with lenience: servers write line ends
into strings as they are, cut characters in half, and begin with a byte order mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pydantic_core

from localmix.errors import ConfigError, ProtocolError

_SHOWN = 80
_LENIENT = json.JSONDecoder(strict=False)
_HALF = re.compile("[\ud800-\udfff]")
_FIRST_HALF = re.compile("[\ud800-\udbff]")
_SECOND_HALF = re.compile("[\udc00-\udfff]")


class NotJsonError(ProtocolError):
    """Bytes that are not JSON.

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
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise ConfigError(
            f"The request cannot be written as JSON: {error}.",
            hint="Look for NaN, values of unsupported types and lone surrogates in texts.",
        ) from error


def ascii_line(value: object) -> bytes:
    """Write JSON in ASCII: some readers end a line at letters that JSON may hold as they are."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def text(value: object) -> str:
    """Write JSON as text, as a model would read it."""
    return json.dumps(value, ensure_ascii=False)


def load(data: bytes) -> Any:
    """Read JSON; half characters are joined, and one without its other half becomes U+FFFD.

    Raises:
        NotJsonError: It is not JSON.
    """
    return _read(data, whole)


def load_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ProtocolError: It is something else.
    """
    return _object(load(data), data)


def load_frame(data: bytes) -> dict[str, Any]:
    """Read one object of a stream: its texts may begin or end with half a character.

    Raises:
        ProtocolError: It is something else.
    """
    return _object(_read(data, _whole_inside), data)


def whole(text: str) -> str:
    """Join the halves of characters (surrogates), and replace those that stand alone."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_first_half(letter: str) -> bool:
    """Tell whether a letter is the first half of a character, whose second is to come."""
    return bool(_FIRST_HALF.match(letter))


def _whole_inside(text: str) -> str:
    """Mend a text but for a half at either end, whose other half may be in another frame."""
    if text.isascii() or not _HALF.search(text):
        return text
    head = text[0] if _SECOND_HALF.match(text) else ""
    tail = text[-1] if len(text) > len(head) and is_first_half(text[-1]) else ""
    return head + whole(text[len(head) : len(text) - len(tail)]) + tail


def _read(data: bytes, mend: Callable[[str], str]) -> Any:
    try:
        return pydantic_core.from_json(data)
    except ValueError as error:
        return _read_leniently(data, mend, error)


def _read_leniently(data: bytes, mend: Callable[[str], str], refusal: ValueError) -> Any:
    try:
        return _mended(_LENIENT.decode(data.decode("utf-8-sig", "replace")), mend)
    except (ValueError, RecursionError) as error:
        shown = data[:_SHOWN].decode("utf-8", "replace")
        problem = NotJsonError(f"The server sent invalid JSON ({refusal}): {shown!r}.")
        is_at_end = isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc)
        problem.is_cut = is_at_end or "Unterminated" in str(error) or str(refusal).startswith("EOF")
        raise problem from refusal


def _mended(value: Any, mend: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [_mended(item, mend) for item in value]
    if isinstance(value, dict):
        return {whole(key): _mended(item, mend) for key, item in value.items()}
    return value


def _object(value: Any, data: bytes) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    shown = data[:_SHOWN].decode("utf-8", "replace")
    raise ProtocolError(f"The server sent JSON that is not an object: {shown!r}.")
