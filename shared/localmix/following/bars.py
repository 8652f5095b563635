"""Bars for pulls and jobs in bulk, in terminals and notebooks; rich or tqdm draws them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, closing, contextmanager
from operator import length_hint
from typing import TYPE_CHECKING, Any, Literal, Protocol

from localmix.errors import ConfigError
from localmix.types import PullProgress

if TYPE_CHECKING:
    from rich.console import Console

Unit = Literal["bytes", "texts"]


@contextmanager
def pull_bar(console: Console | None = None) -> Iterator[Callable[[PullProgress], None]]:
    """Draw a bar of a pull, on standard error without a console; give what moves it.

    Raises:
        ConfigError: Neither rich nor tqdm is installed.
    """
    with closing(_bar("bytes", console)) as bar:
        yield lambda step: bar.show(phase(step), step.completed, step.total)


@contextmanager
def text_bar(texts: Iterable[object]) -> Iterator[Callable[[int], None]]:
    """Draw a bar of texts that are embedded, on standard error; give what counts some more.

    Raises:
        ConfigError: Neither rich nor tqdm is installed.
    """
    total, done = length_hint(texts) or None, 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        bar.show("embedding", done, total)

    with closing(_bar("texts")) as bar:
        yield count


class _Bar(Protocol):
    def show(self, doing: str, done: int, total: int | None) -> None: ...

    def close(self) -> None: ...


def _bar(unit: Unit, console: Console | None = None) -> _Bar:
    # In a notebook rich needs ipywidgets and is silent without; tqdm falls back on text.
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

        counted: list[Any] = [parts.MofNCompleteColumn()]
        if unit == "bytes":
            counted = [parts.DownloadColumn(), parts.TransferSpeedColumn()]
        self._progress = parts.Progress(
            parts.TextColumn("{task.description}", markup=False),
            parts.BarColumn(bar_width=None),
            *counted,
            parts.TimeRemainingColumn(compact=True),
            console=console or Console(stderr=True),
            expand=True,
        )
        self._task = self._progress.add_task("preparing", total=None)
        self._progress.start()

    def show(self, doing: str, done: int, total: int | None) -> None:
        self._progress.update(self._task, description=doing, completed=done, total=total)

    def close(self) -> None:
        self._progress.stop()


class _Tqdm:
    def __init__(self, unit: Unit, _: Console | None) -> None:
        from tqdm import auto

        is_size = unit == "bytes"
        self._bar = auto.tqdm(unit="B" if is_size else " texts", unit_scale=is_size)

    def show(self, doing: str, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.set_description_str(doing, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.refresh()  # it draws only now and then
        self._bar.close()


def phase(step: PullProgress) -> str:
    """Say what a pull is doing."""
    return f"{step.status} (break {step.breaks})" if step.breaks else step.status


def drawn(steps: Generator[PullProgress]) -> Generator[PullProgress]:
    """Hand on the steps of a pull, and draw them."""
    with closing(steps), pull_bar() as show:
        for step in steps:
            show(step)
            yield step


async def adrawn(steps: AsyncGenerator[PullProgress]) -> AsyncGenerator[PullProgress]:
    """Hand on the steps of a pull, and draw them."""
    async with aclosing(steps):
        with pull_bar() as show:
            async for step in steps:
                show(step)
                yield step
