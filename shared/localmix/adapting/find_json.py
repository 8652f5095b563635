"""Find JSON in what a model wrote.

Models asked for JSON put it into a fence, lead it in with words, or think aloud first. What is
found is read as it stands; nothing is guessed or mended here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pydantic_core

_THOUGHT_ENDS = "</think>"
_FENCE = re.compile(r"```[\w-]*\s*\n(.*?)```", re.DOTALL)
_OPENS = re.compile(r"[{\[]")
_NUMBER_AT_THE_END = re.compile(r"[-+.\deE]+$")
# Models write line ends into strings as they are, which strict JSON forbids.
_LENIENT = json.JSONDecoder(strict=False)


def json_in(text: str) -> Any:
    """Read the JSON in a text: bare, in a fence, or the longest object or array among words.

    Raises:
        ValueError: There is none.
    """
    answer = text.rpartition(_THOUGHT_ENDS)[2]
    for part in (answer, *_FENCE.findall(answer)):
        try:
            return _LENIENT.decode(part.strip())
        except (ValueError, RecursionError):
            continue
    spans = _spans(answer)
    if not spans:
        raise ValueError("there is no JSON in it")
    return max(spans, key=lambda span: span[0])[1]


def json_so_far(text: str) -> Any:
    """Read the object or array that is being written in a text; `None` before it begins."""
    answer = text.rpartition(_THOUGHT_ENDS)[2]
    start = _OPENS.search(answer)
    return partial_json(answer[start.start() :]) if start else None


def partial_json(text: str) -> Any:
    """Read JSON that is still being written, or was cut: what is certain of it, else `None`."""
    certain = _NUMBER_AT_THE_END.sub("", text)  # its next digit may come
    try:
        return pydantic_core.from_json(certain, allow_partial="trailing-strings")
    except ValueError:
        return None


def _spans(text: str) -> list[tuple[int, Any]]:
    """List the objects and arrays in a text, each with its length.

    One that never ends was cut: what stands inside it is no answer.
    """
    found = []
    place = 0
    while start := _OPENS.search(text, place):
        try:
            value, place = _LENIENT.raw_decode(text, start.start())
        except RecursionError:
            break
        except json.JSONDecodeError as error:
            if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
                break
            place = start.end()
        else:
            found.append((place - start.start(), value))
    return found
