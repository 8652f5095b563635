"""Reasoning in the text, at every cut of the text."""

from __future__ import annotations

import pytest

from localmix.dialects.parts.think import ThinkSplitter


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    steps = [*map(splitter.feed, pieces), splitter.close()]
    return "".join(step[0] for step in steps), "".join(step[1] for step in steps)


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("Hello.", "", "Hello."),
        ("<think>Well.</think>Hello.", "Well.", "Hello."),
        ("\n <think>\nWell.\n</think>\n\nHello.", "Well.\n", "Hello."),
        ("<think>Well", "Well", ""),
        ("<think>a </thin b</think>c", "a </thin b", "c"),
        ("<think></think>c", "", "c"),
        ("I say <think>no</think>.", "", "I say <think>no</think>."),
        ("<thin", "", "<thin"),
        ("<thinking>", "", "<thinking>"),
        ("  ", "", "  "),
        ("", "", ""),
    ],
)
def test_any_cut_gives_the_same(text: str, reasoning: str, content: str) -> None:
    assert split([text]) == (reasoning, content)
    assert split(list(text)) == (reasoning, content)
    for cut in range(len(text)):
        assert split([text[:cut], text[cut:]]) == (reasoning, content), cut
