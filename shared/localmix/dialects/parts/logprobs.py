"""Read log probabilities, which all dialects write in OpenAI's shape."""

from __future__ import annotations

from typing import Any

from localmix.types import TokenLogprob


def read_logprobs(entries: list[dict[str, Any]] | None) -> tuple[TokenLogprob, ...]:
    """Read a list of tokens with their rivals."""
    return tuple(_read(entry) for entry in entries or ())


def _read(entry: dict[str, Any]) -> TokenLogprob:
    return TokenLogprob(
        token=entry.get("token", ""),
        logprob=entry.get("logprob", 0.0),
        top=read_logprobs(entry.get("top_logprobs")),
    )
