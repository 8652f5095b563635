"""A bar that shows how far a pull is, in terminals and notebooks; rich draws it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING

from localmix.errors import ConfigError
from localmix.types import PullStep

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def bar(console: Console | None = None) -> Iterator[Callable[[PullStep], None]]:
    """Draw a bar, on standard error without a console; give what moves it.

    Raises:
        ConfigError: rich is not installed.
    """
    try:
        from rich import progress as parts
        from rich.console import Console
    except ImportError as error:
        raise ConfigError(
            "progress=True needs rich.", hint='Install it: pip install "localmix[cli]".'
        ) from error

    columns = (
        parts.TextColumn("{task.description}", markup=False),
        parts.BarColumn(bar_width=None),
        parts.DownloadColumn(),
        parts.TransferSpeedColumn(),
        parts.TimeRemainingColumn(compact=True),
    )
    console = console or Console(stderr=True)
    with parts.Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task("preparing", total=None)
        yield lambda step: progress.update(
            task, description=phase(step), completed=step.completed, total=step.total
        )


def phase(step: PullStep) -> str:
    """Say what a pull is doing."""
    return f"{step.status} (break {step.breaks})" if step.breaks else step.status


def drawn(steps: Generator[PullStep]) -> Generator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    with closing(steps), bar() as show:
        for step in steps:
            show(step)
            yield step


async def adrawn(steps: AsyncGenerator[PullStep]) -> AsyncGenerator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    async with aclosing(steps):
        with bar() as show:
            async for step in steps:
                show(step)
                yield step
