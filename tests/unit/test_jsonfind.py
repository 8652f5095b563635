"""JSON is found in what models write around it."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.adapting.find_json import json_in, json_so_far


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
    ],
)
def test_json_in(text: str, value: Any) -> None:
    assert json_in(text) == value


@pytest.mark.parametrize(
    "text", ["", "I do not know.", '{"a": 1', '{"a": {"b": 2}, "c": "d', "{" * 5000, "[" * 100_000]
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
