"""How fast a model has been at a server, and so how long a request may take there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from localmix.types import Timings, Usage

# How much the newest answer counts; the memory halves in about two answers.
_NEWEST = 0.3
# An answer whose length nobody bounded.
_USUAL_OUTPUT_TOKENS = 256


@dataclass(slots=True)
class Rates:
    """Average what a server reports of one model; `None` before it has reported any.

    Attributes:
        load: Seconds to load it.
        prompt: Prompt tokens read in a second.
        output: Tokens written in a second.
    """

    load: float | None = None
    prompt: float | None = None
    output: float | None = None

    def add(self, usage: Usage | None, timings: Timings) -> None:
        """Take what an answer reported of itself."""
        if timings.load and timings.load > 1.0:  # less is no load: Ollama reports some each time
            self.load = _blend(self.load, timings.load)
        if usage and timings.prompt:
            read = usage.input_tokens - (usage.cached_tokens or 0)
            self.prompt = _blend(self.prompt, max(read, 1) / timings.prompt)
        # LM Studio times nothing of an answer that is not streamed: then all of it counts.
        writing = timings.output or timings.total
        if usage and writing and usage.output_tokens > 1:
            self.output = _blend(self.output, usage.output_tokens / writing)

    def prompt_seconds(self, tokens: int) -> float:
        """Predict how long a prompt takes to read; 0 when nothing is known."""
        return tokens / self.prompt if self.prompt else 0.0

    def seconds(self, prompt_tokens: int, output_tokens: int | None, *, is_loaded: bool) -> float:
        """Predict how long a request takes; 0 when nothing is known."""
        load = 0.0 if is_loaded else self.load or 0.0
        wanted = _USUAL_OUTPUT_TOKENS if output_tokens is None else output_tokens
        output = wanted / self.output if self.output else 0.0
        return load + self.prompt_seconds(prompt_tokens) + output


def _blend(known: float | None, new: float) -> float | None:
    """Average; a number that is not finite and positive is never kept."""
    if not 0 < new < math.inf:
        return known
    return new if known is None else known + _NEWEST * (new - known)
