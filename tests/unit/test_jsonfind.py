"""JSON is found in what models write around it."""

from __future__ import annotations

from contextlib import suppress
from time import thread_time
from typing import Any

import pytest

from localmix.types.find_json import json_in, json_so_far


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n[{"a": 1}]\n', [{"a": 1}]),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is:\n```\n{"a": [1]}\n```\nEnjoy.', {"a": [1]}),
        ('Sure, see [1]: {"a": {"b": 2}} and that is {all}.', {"a": {"b": 2}}),
        ('<think>\nMaybe {"a": 7}?\n</think>\n\n{"a": 1}', {"a": 1}),
        ('I think {"a": 7}.</think>{"a": 1}', {"a": 1}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('```json\n{"a": "```"}\n```', {"a": "```"}),
        ('{"a": "}"} {', {"a": "}"}),
        ('```\n{"a": "cut\n```\n\n```json\n{"a": 1}\n```', {"a": 1}),
        ('See ```f(x)``` and ```{"a": 1}```: {"b": 2, "c": 3}', {"b": 2, "c": 3}),
        ('```python title\n[1]\n```\n{"a": [1, 2]}', {"a": [1, 2]}),
        ('[{"a": 1}; {"b": 2, "c": 3}]', {"b": 2, "c": 3}),
        ("function f() { return a[i]; }\n" * 1000 + '{"a": 1}', {"a": 1}),
    ],
)
def test_json_in(text: str, value: Any) -> None:
    assert json_in(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I do not know.",
        '{"a": 1',
        '{"a": {"b": 2}, "c": "d',
        "{" * 5000,
        "[" * 100_000,
        f"[{'1' * 5000}]",
    ],
)
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        json_in(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("Sure", None),
        ("{", {}),
        ('{"na', {}),
        ('{"name": "Ad', {"name": "Ad"}),
        ('{"name": "Ada", "age": 3', {"name": "Ada"}),
        ('```json\n{"songs": [{"title": "Red', {"songs": [{"title": "Red"}]}),
        ('{"a": 1}\n```', {"a": 1}),
        ("{]", None),
    ],
)
def test_json_so_far(text: str, value: Any) -> None:
    assert json_so_far(text) == value


_LONG = 1_000_000
HOSTILE = {
    "fences": "```",
    "fences that are not closed": "```\n",
    "a fence's blanks": "```json \t",
    "objects": "{",
    "arrays": "[",
    "objects and arrays": "{[",
    "keys": '{"',
    "objects, a line each": "{\n",
    "empty objects": "{} ",
    "nested arrays": "[1,",
    "nested objects": '{"a":',
    "nests of what is none": "[1," * 200 + "1," * 5000 + "x ",
    "digits": "1",
    "exponents": "e",
    "thoughts that end": "</think>",
    "thoughts that nearly end": "</think",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '{"\\"',
    "line ends": "\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_long_answer_takes_no_time(piece: str) -> None:
    """A megabyte takes about a second; with regular expressions it could take hours."""
    for head in ("", '{"a": "'):
        text = head + piece * (_LONG // len(piece)) + "x"
        begin = thread_time()
        with suppress(ValueError):
            json_in(text)
        json_so_far(text)
        assert thread_time() - begin < 20
