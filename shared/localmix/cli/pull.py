"""`localmix pull`: a server fetches a model, and a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from localmix.bars import bar, phase
from localmix.cli.arguments import Json, ModelName, Servers, open_client
from localmix.cli.output import console, say, size, write_json_line
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
    with bar(console()) as show:
        for step in steps:
            show(step)
    _end(step)


def _lines(steps: Iterable[PullStep]) -> None:
    """Write a line for each phase and each tenth of the way."""
    told = ""
    for step in steps:
        tenth = f"{10 * (10 * step.completed // step.total)} %" if step.total else ""
        line = f"{phase(step)} {tenth} of {size(step.total)}" if tenth else phase(step)
        if line != told and step.status != "done":
            say(line)
        told = line
    _end(step)


def _end(step: PullStep) -> None:
    fetched = f" ({size(step.total)})" if step.total else ""
    say(f"{step.model} is at {step.server}{fetched}.")
