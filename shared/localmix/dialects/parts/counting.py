"""Tokens, where a server does not count them: callers divide by them, and add up what they cost."""

from __future__ import annotations

from localmix.dialects.serving import Ask
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    EmbedRequest,
    EmbedResult,
    Usage,
)

# English text.
_LETTERS_PER_TOKEN = 4


def counted(ask: Ask, result: ChatResult | EmbedResult) -> Usage:
    """Give the server's own counts, or an estimate by the letters."""
    if result.usage:
        return result.usage
    written = 0
    if isinstance(result, ChatResult):
        written = max(_tokens(result.content, result.reasoning), 1)
    return Usage(max(_tokens(*_texts(ask)), 1), written)


def _texts(ask: Ask) -> list[str]:
    match ask.wanted:
        case EmbedRequest(texts=texts):
            return list(texts)
        case ChatRequest(messages=messages):
            return [message.text for message in messages]
        case CompletionRequest(prompt=prompt):
            return [prompt]
    return []


def _tokens(*texts: str) -> int:
    return sum(map(len, texts)) // _LETTERS_PER_TOKEN
