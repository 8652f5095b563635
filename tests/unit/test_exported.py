"""What a user reads about is found where a user looks: in `localmix`, or among its errors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

import localmix
from localmix import errors

FOUND = {*dir(localmix), *(name for name in dir(errors) if name[0].isupper())}
OWN = [getattr(localmix, name) for name in localmix.__all__ if name != "errors"]
PLAIN = {"None", "True", "False"}


def documented(kind: type) -> Iterator[str]:
    """Read the docstrings of a class and of what it says itself."""
    yield inspect.getdoc(kind) or ""
    for name, member in inspect.getmembers(kind):
        is_ours = str(getattr(member, "__module__", "localmix")).startswith("localmix")
        if not name.startswith("_") and is_ours:
            yield inspect.getdoc(member) or ""


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_what_docstrings_name_is_at_the_top(kind: type) -> None:
    for text in documented(kind):
        named = re.findall(r"`(?:localmix\.)?([A-Z]\w+)[.(`]", text)
        raised = re.findall(r"^ +(\w+Error): ", text, re.MULTILINE)
        assert {*named, *raised} - PLAIN <= FOUND, text
        for module in re.findall(r"`localmix\.(\w+)", text):
            assert hasattr(localmix, module)
