"""Bars for pulls and jobs in bulk, in terminals and notebooks; rich draws them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, closing, contextmanager
from operator import length_hint
from typing import TYPE_CHECKING, Any

from localmix.errors import ConfigError
from localmix.types import PullStep

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def pull_bar(console: Console | None = None) -> Iterator[Callable[[PullStep], None]]:
    """Draw a bar of a pull, on standard error without a console; give what moves it.

    Raises:
        ConfigError: rich is not installed.
    """
    with _bar("preparing", ("DownloadColumn", "TransferSpeedColumn"), console) as update:
        yield lambda step: update(
            description=phase(step), completed=step.completed, total=step.total
        )


@contextmanager
def text_bar(texts: Iterable[object]) -> Iterator[Callable[[int], None]]:
    """Draw a bar of texts that are embedded, on standard error; give what counts some more.

    Raises:
        ConfigError: rich is not installed.
    """
    with _bar("embedding", ("MofNCompleteColumn",)) as update:
        update(total=length_hint(texts) or None)
        yield lambda count: update(advance=count)


@contextmanager
def _bar(
    begin: str, columns: Iterable[str], console: Console | None = None
) -> Iterator[Callable[..., None]]:
    """Draw a bar; `columns` are rich's, for what is counted."""
    try:
        from rich import progress as parts
        from rich.console import Console
    except ImportError as error:
        raise ConfigError(
            "progress=True needs rich.", hint='Install it: pip install "localmix[cli]".'
        ) from error

    counting: list[Any] = [getattr(parts, name)() for name in columns]
    about = parts.TextColumn("{task.description}", markup=False)
    left = parts.TimeRemainingColumn(compact=True)
    with parts.Progress(
        *(about, parts.BarColumn(bar_width=None), *counting, left),
        console=console or Console(stderr=True),
        expand=True,
    ) as progress:
        task = progress.add_task(begin, total=None)
        yield lambda **how: progress.update(task, **how)


def phase(step: PullStep) -> str:
    """Say what a pull is doing."""
    return f"{step.status} (break {step.breaks})" if step.breaks else step.status


def drawn(steps: Generator[PullStep]) -> Generator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    with closing(steps), pull_bar() as show:
        for step in steps:
            show(step)
            yield step


async def adrawn(steps: AsyncGenerator[PullStep]) -> AsyncGenerator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    async with aclosing(steps):
        with pull_bar() as show:
            async for step in steps:
                show(step)
                yield step
