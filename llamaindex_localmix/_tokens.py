"""Estimate tokens without a tokenizer, by what the server counted."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

from localmix import ChatRequest, ChatResult

# Llama and Qwen take about 4 bytes of English for a token, 3 of code or Chinese: rather too many
# tokens than too few, until the model itself was heard.
_BYTES, _TOKENS = 300, 100
_MOST_BYTES_A_TOKEN = 8  # more means that the server did not count what it had in its cache


class TokenRatio:
    """Cut a text into as many pieces as it has tokens, more or less.

    The pieces are no tokens: LlamaIndex only counts them. It has learned nothing when it is made,
    and comes close after a few answers.

        Settings.tokenizer = llm.tokenizer
    """

    def __init__(self) -> None:
        self._bytes, self._tokens = _BYTES, _TOKENS

    @property
    def bytes_per_token(self) -> float:
        """The ratio as it is known now."""
        return self._bytes / self._tokens

    def __call__(self, text: str) -> list[str]:
        """Cut a text; joined, the pieces are the text."""
        count = ceil(len(text.encode("utf-8", "replace")) / self.bytes_per_token)
        edges = [len(text) * place // count for place in range(count + 1)] if count else []
        return [text[start:end] for start, end in pairwise(edges)]

    def learn(self, request: ChatRequest, result: ChatResult) -> None:
        """Take what a server counted, where all that it counted is known here as text."""
        if result.usage is None or request.tools or any(m.images for m in request.messages):
            return
        texts = [*(message.text for message in request.messages), result.content, result.reasoning]
        size = len("".join(texts).encode("utf-8", "replace"))
        tokens = result.usage.total_tokens
        if 0 < size <= tokens * _MOST_BYTES_A_TOKEN:
            self._bytes += size
            self._tokens += tokens
