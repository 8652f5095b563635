"""docs/reference.md lists the public names, and what they are."""

from __future__ import annotations

from tests.unit import reference


def test_the_page_is_what_the_docstrings_say() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run python -m tests.unit.reference"
