"""Take `<think>...</think>` out of a text.

Servers that do not know a model's template, and LM Studio with its separation switched off, leave
the reasoning in the content. Only a block at the very start counts: the same tag later on is
something that the model talks about.

Templates that open the thought themselves (DeepSeek R1, QwQ, Qwen3 Thinking; Kai 301, vllm 31045)
leave an end without a beginning. It counts where it stands at a line's end, as such templates
write it. What came before it in a stream has gone out as content by then; `was_reasoning` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

OPENING = "<think>"
CLOSING = "</think>"
_END_ALONE = re.compile(r"</think>[ \t]*(?:\r?\n|$)")
# More white space than this before a tag is no template's.
_MOST_BLANKS = 1024


class Split(NamedTuple):
    """What is certain of a text so far.

    Attributes:
        was_reasoning: Whether all content before was reasoning.
    """

    reasoning: str = ""
    content: str = ""
    was_reasoning: bool = False


class ThinkSplitter:
    """A streamed text, split into reasoning and content at any cut of it."""

    def __init__(self) -> None:
        self._held = ""
        self._has_spoken = self._is_plain = self._is_over = False
        self._step: Callable[[], Split] = self._before

    def passes(self, text: str) -> bool:
        """Tell whether a piece is content at once, and for certain: most are."""
        return self._is_plain and not self._held and (self._is_over or "<" not in text)

    def feed(self, text: str) -> Split:
        """Take a piece of text and return what is certain now."""
        if not text:
            return Split()
        self._held += text
        return self._step()

    def close(self) -> Split:
        """Return what was held back."""
        held = self._held
        if self._step == self._open_ended:
            alone = _END_ALONE.search(held)
            if alone:
                return self._ended(held[: alone.start()], "")
        self._held = ""
        return Split(reasoning=held) if self._step == self._inside else Split(content=held)

    def _before(self) -> Split:
        """Nothing but white space so far: a tag may come."""
        start = self._held.lstrip()
        if start.startswith(OPENING):
            self._held = start.removeprefix(OPENING)
            return self._skip_blanks(self._inside)
        if OPENING.startswith(start) and len(self._held) < _MOST_BLANKS:
            return Split()
        self._step = self._open_ended
        return self._step()

    def _inside(self) -> Split:
        reasoning, tag, rest = self._held.partition(CLOSING)
        if tag:
            self._held = rest
            return self._skip_blanks(self._after)._replace(reasoning=reasoning)
        sure = len(self._held) - _overlap(self._held, CLOSING)
        reasoning, self._held = self._held[:sure], self._held[sure:]
        return Split(reasoning=reasoning)

    def _open_ended(self) -> Split:
        """Text without a beginning of a thought, which may yet prove to be one."""
        start = self._held.find("<")
        while start >= 0:
            tail = self._held[start:]
            alone = _END_ALONE.match(tail)
            if alone and alone[0][-1:] == "\n":
                return self._ended(self._held[:start], tail[len(CLOSING) :])
            if alone or CLOSING.startswith(tail):
                return self._said(start)  # what follows decides
            if tail.startswith(OPENING):
                self._step = self._after
                break
            start = self._held.find("<", start + 1)
        return self._said(len(self._held))

    def _said(self, sure: int) -> Split:
        content, self._held = self._held[:sure], self._held[sure:]
        self._has_spoken = self._is_plain = self._has_spoken or bool(content)
        return Split(content=content)

    def _ended(self, before: str, after: str) -> Split:
        self._held, self._is_plain = after, False  # blanks are dropped first
        content = self._skip_blanks(self._after).content
        return Split(before, content, was_reasoning=self._has_spoken)

    def _skip_blanks(self, then: Callable[[], Split]) -> Split:
        """Drop the white space after a tag, wherever the text is cut, and go on."""
        self._held = self._held.lstrip()
        self._step = then if self._held else partial(self._skip_blanks, then)
        return self._step() if self._held else Split()

    def _after(self) -> Split:
        self._is_plain = self._is_over = True
        content, self._held = self._held, ""
        return Split(content=content)


def _overlap(text: str, tag: str) -> int:
    """Give the length of the longest end of `text` that begins `tag`."""
    return next(
        (size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])),
        0,
    )
