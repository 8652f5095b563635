"""How far a job in bulk is: told to a function, such as tqdm's `update`, or shown as a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from operator import length_hint

from localmix.bars import bar
from localmix.bulk.job import Progress

Tell = Callable[[int], object]


@contextmanager
def meter(progress: Progress, texts: Iterable[object]) -> Iterator[Tell]:
    """Give what is called with the number of texts that are done more.

    Raises:
        ConfigError: A bar is wanted, and nothing is installed that could draw it.
    """
    if not progress:
        yield _nobody
    elif callable(progress):
        yield progress
    else:
        total, done = length_hint(texts, 0) or None, 0

        def show(count: int) -> None:
            nonlocal done
            done += count
            drawn.show("embedding", done, total)

        with closing(bar("texts")) as drawn:
            yield show


def _nobody(count: int) -> None:
    """Tell nobody."""
