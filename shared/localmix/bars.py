"""A bar that shows how far something is, in terminals and notebooks; rich or tqdm draws it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Literal, Protocol

from localmix.errors import ConfigError
from localmix.types import PullStep

if TYPE_CHECKING:
    from rich.console import Console

Unit = Literal["bytes", "texts"]


class Bar(Protocol):
    """What is drawn."""

    def show(self, doing: str, done: int, total: int | None) -> None:
        """Show how far it is; without a total, how much is done."""

    def close(self) -> None:
        """Leave it as it is."""


def bar(unit: Unit, console: Console | None = None) -> Bar:
    """Begin to draw a bar, on standard error without a console; elsewhere nothing is written.

    Raises:
        ConfigError: Neither rich nor tqdm is installed.
    """
    # In a notebook rich needs ipywidgets, and tqdm draws well without.
    for kind in (_Tqdm, _Rich) if _is_in_a_notebook() else (_Rich, _Tqdm):
        try:
            return kind(unit, console)
        except ImportError:
            continue
    raise ConfigError(
        "progress=True needs rich or tqdm.",
        hint='Install one of them: pip install "localmix[cli]", or pip install tqdm.',
    )


def _is_in_a_notebook() -> bool:
    return "ipykernel" in sys.modules


class _Rich:
    def __init__(self, unit: Unit, console: Console | None) -> None:
        from rich import progress as parts
        from rich.console import Console

        console = console or Console(stderr=True)
        bytes_done = (parts.DownloadColumn(), parts.TransferSpeedColumn())
        self._progress = parts.Progress(
            parts.TextColumn("{task.description}", markup=False),
            parts.BarColumn(bar_width=None),
            *(bytes_done if unit == "bytes" else (parts.MofNCompleteColumn(),)),
            parts.TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        self._task = self._progress.add_task("", total=None)
        self._progress.start()

    def show(self, doing: str, done: int, total: int | None) -> None:
        self._progress.update(self._task, description=doing, completed=done, total=total)

    def close(self) -> None:
        self._progress.stop()


class _Tqdm:
    def __init__(self, unit: Unit, _: Console | None) -> None:
        from tqdm import auto

        self._bar = auto.tqdm(
            unit="B" if unit == "bytes" else " texts",
            unit_scale=unit == "bytes",
            disable=False if _is_in_a_notebook() else None,  # `None`: where there is no terminal
        )

    def show(self, doing: str, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.set_description_str(doing, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


def show_step(drawn: Bar, step: PullStep) -> None:
    """Show how far a pull is."""
    drawn.show(phase(step), step.completed, step.total)


def phase(step: PullStep) -> str:
    """Say what a pull is doing."""
    return f"{step.status} (break {step.breaks})" if step.breaks else step.status


def drawn(steps: Generator[PullStep]) -> Generator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    with closing(steps), closing(bar("bytes")) as shown:
        for step in steps:
            show_step(shown, step)
            yield step


async def adrawn(steps: AsyncGenerator[PullStep]) -> AsyncGenerator[PullStep]:
    """Hand on the steps of a pull, and draw them."""
    async with aclosing(steps):
        with closing(bar("bytes")) as shown:
            async for step in steps:
                show_step(shown, step)
                yield step
