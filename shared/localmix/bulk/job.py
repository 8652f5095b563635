"""What is to be done in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localmix.errors import ConfigError
from localmix.following.bars import text_bar
from localmix.types import EmbedRequest

# Told how many texts more are done; `True` draws a bar.
Progress = Callable[[int], object] | bool
Tell = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Job:
    """The texts, and what is to be done with them.

    Attributes:
        texts: The texts, which are read once, as they are needed.
        request: How to embed them; its own texts do not count.
        checkpoint: Where to keep what is done.
        progress: Whom to tell how far it is.
    """

    texts: Iterable[str]
    request: EmbedRequest
    checkpoint: Path | None
    progress: Progress

    def meter(self) -> AbstractContextManager[Tell]:
        """Give what is called with the number of texts that are done more."""
        if self.progress is True:
            return text_bar(self.texts)
        return nullcontext(self.progress or _nobody)


def _nobody(count: int) -> None:
    """Tell nobody."""


def job_of(
    texts: Iterable[str],
    checkpoint: str | Path | None,
    progress: Progress,
    options: Mapping[str, Any],
) -> Job:
    """Build a job.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    if isinstance(texts, str | bytes):
        raise ConfigError("texts is one text, not many.", hint="Pass a list, or call embed().")
    if not isinstance(texts, Iterable):
        raise ConfigError(f"texts cannot be iterated over: it is a {type(texts).__name__}.")
    request = EmbedRequest(texts=(), **options)
    return Job(texts, request, Path(checkpoint) if checkpoint else None, progress)
