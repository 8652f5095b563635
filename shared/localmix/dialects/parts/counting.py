"""Tokens, where a server does not count them: callers divide by them, and add up what they cost."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterator

from localmix.dialects.serving import Ask, Wanted
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    EmbedRequest,
    EmbedResult,
    Usage,
)
from localmix.wire import jsontext

# English text.
_LETTERS_PER_TOKEN = 4
# Code and JSON, of which agents' prompts are made.
_TOKENS_PER_LETTER = 1 / 3
# The most that a picture costs with Anthropic; local models take less.
_TOKENS_PER_IMAGE = 1600
# In a shorter prompt the model's template weighs more than what was said.
_LEAST_LETTERS = 1000
_REMEMBERED = 8


def counted(ask: Ask, result: ChatResult | EmbedResult) -> Usage:
    """Give the server's own counts, or an estimate by the letters."""
    if result.usage:
        return result.usage
    written = 0
    if isinstance(result, ChatResult):
        written = max((len(result.content) + len(result.reasoning)) // _LETTERS_PER_TOKEN, 1)
    return Usage(max(_letters(ask.wanted) // _LETTERS_PER_TOKEN, 1), written)


class Yardstick:
    """How many tokens the letters of a prompt make, learned of each model from its own counts.

    Where in doubt it counts too many: a client that thinks its prompt shorter than it is lets it
    grow until the server refuses it.
    """

    def __init__(self) -> None:
        self._rates: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def count(self, wanted: Wanted, told: int | None = None) -> int:
        """Estimate the tokens of a prompt, with its tools and images, rounded up.

        Args:
            wanted: The request.
            told: The tokens of all but the images, where a server has counted them.
        """
        if told is None:
            rate = max(self._rates.get(_model(wanted), ()), default=_TOKENS_PER_LETTER)
            told = math.ceil(_letters(wanted) * rate)
        return told + _images(wanted) * _TOKENS_PER_IMAGE

    def learn(self, wanted: Wanted, usage: Usage) -> None:
        """Take over what a server has counted.

        Some count only what they had not remembered: of what was learned lately the most counts.
        """
        letters = _letters(wanted)
        if letters >= _LEAST_LETTERS and usage.input_tokens and not _images(wanted):
            self._rates[_model(wanted)].append(usage.input_tokens / letters)


def _model(wanted: Wanted) -> str:
    return getattr(wanted, "model", None) or ""


def _images(wanted: Wanted) -> int:
    if not isinstance(wanted, ChatRequest):
        return 0
    return sum(len(message.images) for message in wanted.messages)


def _letters(wanted: Wanted) -> int:
    return sum(map(len, _texts(wanted)))


def _texts(wanted: Wanted) -> Iterator[str]:
    match wanted:
        case EmbedRequest(texts=texts):
            yield from texts
        case ChatRequest(messages=messages, tools=tools):
            for message in messages:
                yield from (message.text, message.reasoning)
                for call in message.tool_calls:
                    yield from (call.name, call.arguments)
            for tool in tools:
                yield from (tool.name, tool.description, jsontext.text(tool.parameters))
        case CompletionRequest(prompt=prompt):
            yield prompt
