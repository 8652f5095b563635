"""Find JSON in what a model wrote.

Models asked for JSON put it into a fence, lead it in with words, or think aloud first. What is
found is read as it stands; nothing is guessed or mended here. All of it takes time in proportion
to the length of the text, whatever the text is: so there are no regular expressions here, and what
is read in vain is counted.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from typing import Any

import pydantic_core

_THOUGHT_ENDS = "</think>"
_FENCE = "```"
_IN_A_NUMBER = "0123456789+-.eE"
# Models write line ends into strings as they are, which strict JSON forbids.
_LENIENT = json.JSONDecoder(strict=False)
# What can come next in JSON; most brackets of prose and code are told by it.
_FOLLOWS = {"{": '"}', "[": '"{[]-0123456789tfnNI'}
_MOST_BLANKS = 64
# How many times its own length of a text is read in vain before it is given up.
_PATIENCE = 32
# An error of the JSON module counts the lines before it: that is as much work as to read a letter
# for every so many of them.
_LETTERS_COUNTED_AT_ONCE = 64


def json_in(text: str) -> Any:
    """Read the JSON in a text: bare, in a fence, or the longest object or array among words.

    Raises:
        ValueError: There is none.
    """
    answer = text.rpartition(_THOUGHT_ENDS)[2]
    for part in (answer, *_fenced(answer)):
        try:
            return _LENIENT.decode(part.strip())
        except (ValueError, RecursionError):
            continue
    spans = _spans(answer.rstrip())
    if not spans:
        raise ValueError("there is no JSON in it")
    return max(spans, key=lambda span: span[0])[1]


def json_so_far(text: str) -> Any:
    """Read the object or array that is being written in a text; `None` before it begins."""
    answer = text.rpartition(_THOUGHT_ENDS)[2]
    start = next(_openings(answer), None)
    return None if start is None else partial_json(answer[start:])


def partial_json(text: str) -> Any:
    """Read JSON that is still being written, or was cut: what is certain of it, else `None`."""
    certain = text.rstrip(_IN_A_NUMBER)  # its next digit may come
    try:
        return pydantic_core.from_json(certain, allow_partial="trailing-strings")
    except ValueError:
        return None


def _fenced(text: str) -> Iterator[str]:
    """Give what stands between fences; the first may name a language, and ends its line."""
    parts = iter(text.split(_FENCE)[1:-1])  # the last one has no fence after it
    for part in parts:
        language, line_end, inside = part.partition("\n")
        if line_end and (not language.strip() or language.split()[0] == language.strip()):
            yield inside
            next(parts, None)  # what stands after the second fence


def _openings(text: str) -> Iterator[int]:
    """Give the places where an object or an array may begin, in order."""
    return heapq.merge(_places(text, "{"), _places(text, "["))


def _places(text: str, letter: str) -> Iterator[int]:
    place = text.find(letter)
    while place >= 0:
        yield place
        place = text.find(letter, place + 1)


def _may_begin(text: str, start: int) -> bool:
    """Tell whether JSON may begin at a bracket; one with nothing after it may have been cut."""
    following = text[start + 1 : start + _MOST_BLANKS].lstrip()
    return following[:1] in _FOLLOWS[text[start]]


def _spans(text: str) -> list[tuple[int, Any]]:
    """List the objects and arrays in a text, each with its length.

    One that never ends was cut: what stands inside it is no answer.
    """
    found: list[tuple[int, Any]] = []
    end, vain = 0, 0
    for start in _openings(text):
        if start < end or not _may_begin(text, start):
            continue
        try:
            value, end = _LENIENT.raw_decode(text, start)
        except json.JSONDecodeError as error:
            if error.pos >= len(text) or error.msg.startswith("Unterminated"):
                break
            vain += error.pos - start + error.pos // _LETTERS_COUNTED_AT_ONCE
            if vain > _PATIENCE * len(text):
                return []
        except (RecursionError, ValueError):  # too deep, or a number of too many digits
            break
        else:
            found.append((end - start, value))
    return found
