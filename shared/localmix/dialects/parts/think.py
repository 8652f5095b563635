"""Take `<think>...</think>` out of a text.

Servers that do not know a model's template, and LM Studio with its separation switched off, leave
the reasoning in the content. Only a block at the very start counts: the same tag later on is
something that the model talks about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

OPENING = "<think>"
CLOSING = "</think>"


class ThinkSplitter:
    """Split a streamed text into reasoning and content, at any cut of the text."""

    def __init__(self) -> None:
        self._held = ""
        self._step: Callable[[], tuple[str, str]] = self._before

    def feed(self, text: str) -> tuple[str, str]:
        """Take a piece of text and return (reasoning, content) that are certain now."""
        self._held += text
        return self._step()

    def close(self) -> tuple[str, str]:
        """Return what was held back."""
        held, self._held = self._held, ""
        return (held, "") if self._step == self._inside else ("", held)

    def _before(self) -> tuple[str, str]:
        """Nothing but white space so far: a tag may come."""
        start = self._held.lstrip()
        if start.startswith(OPENING):
            self._held = start.removeprefix(OPENING)
            return self._skip_blanks(self._inside)
        if OPENING.startswith(start):
            return "", ""
        self._step = self._after
        return self._step()

    def _inside(self) -> tuple[str, str]:
        reasoning, tag, rest = self._held.partition(CLOSING)
        if tag:
            self._held = rest
            return reasoning, self._skip_blanks(self._after)[1]
        sure = len(self._held) - _overlap(self._held, CLOSING)
        reasoning, self._held = self._held[:sure], self._held[sure:]
        return reasoning, ""

    def _skip_blanks(self, then: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        """Drop the white space after a tag, wherever the text is cut, and go on."""
        self._held = self._held.lstrip()
        self._step = then if self._held else partial(self._skip_blanks, then)
        return self._step() if self._held else ("", "")

    def _after(self) -> tuple[str, str]:
        content, self._held = self._held, ""
        return "", content


def _overlap(text: str, tag: str) -> int:
    """Give the length of the longest end of `text` that begins `tag`."""
    return next(
        (size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])),
        0,
    )
