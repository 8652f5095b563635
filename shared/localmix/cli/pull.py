"""`localmix pull`: a server fetches a model, and a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from localmix.cli.arguments import Json, ModelName, Servers, open_client
from localmix.cli.output import console, say, size, visible, write_json_line
from localmix.types import PullStep

Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let Ollama fetch from a registry without TLS.")
]


def pull(
    model: ModelName, insecure: Insecure = False, servers: Servers = None, as_json: Json = False
) -> None:
    """Have a server fetch a model; what broke off goes on where it was."""
    with open_client(servers) as client, client.pull(model, insecure=insecure) as steps:
        try:
            if as_json:
                for step in steps:
                    write_json_line(step)
            elif console().is_terminal:
                _bar(steps)
            else:
                _lines(steps)
        except KeyboardInterrupt:
            say("Stopped. The next pull goes on where this one was.", error=True)
            raise


def _bar(steps: Iterable[PullStep]) -> None:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console(), expand=True) as progress:
        task = progress.add_task("preparing", total=None)
        for step in steps:
            progress.update(
                task, description=visible(_phase(step)), completed=step.completed, total=step.total
            )
    _end(step)


def _lines(steps: Iterable[PullStep]) -> None:
    """Write a line for each phase and each tenth of the way."""
    told = ""
    for step in steps:
        tenth = f"{10 * (10 * step.completed // step.total)} %" if step.total else ""
        line = f"{_phase(step)} {tenth} of {size(step.total)}" if tenth else _phase(step)
        if line != told and step.status != "done":
            say(line)
        told = line
    _end(step)


def _phase(step: PullStep) -> str:
    breaks = f" (break {step.breaks})" if step.breaks else ""
    return f"{step.status}{breaks}"


def _end(step: PullStep) -> None:
    fetched = f" ({size(step.total)})" if step.total else ""
    say(f"{step.model} is at {step.server}{fetched}.")
