"""Log probabilities, which all dialects write in OpenAI's shape."""

from __future__ import annotations

from localmix.dialects.reading import Facts
from localmix.types import TokenLogprob


def read_logprobs(entries: list[Facts]) -> tuple[TokenLogprob, ...]:
    """Read a list of tokens with their rivals; a token without a number is left out."""
    return tuple(token for entry in entries if (token := _read(entry)))


def _read(entry: Facts) -> TokenLogprob | None:
    logprob = entry.number("logprob")
    if logprob is None:
        return None
    return TokenLogprob(entry.text("token"), logprob, read_logprobs(entry.each("top_logprobs")))
