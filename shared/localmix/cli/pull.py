"""`localmix pull`: a server fetches a model, and a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from localmix import Client
from localmix.cli.arguments import Json, ModelName, Servers, open_client
from localmix.cli.output import console, say, size, write_json_line
from localmix.following.bars import phase, pull_bar
from localmix.types import PullProgress

Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let Ollama fetch from a registry without TLS.")
]


def pull(
    model: ModelName, insecure: Insecure = False, servers: Servers = None, as_json: Json = False
) -> None:
    """Have a server fetch a model; a pull that broke off resumes where it stopped."""
    with open_client(servers) as client:
        fetch(client, model, insecure=insecure, as_json=as_json)


def fetch(client: Client, model: str, *, insecure: bool = False, as_json: bool = False) -> None:
    """Have a server fetch a model, and show how far it is.

    Raises:
        LocalMixError: No server can fetch it; the error is the last one's.
    """
    with client.pull(model, insecure=insecure) as steps:
        try:
            if as_json:
                for step in steps:
                    write_json_line(step)
            elif console().is_terminal:
                _bar(_told(steps))
            else:
                _lines(_told(steps))
        except KeyboardInterrupt:
            say("Stopped. The next pull resumes where this one stopped.", error=True)
            raise


def _told(steps: Iterable[PullProgress]) -> Iterator[PullProgress]:
    """Say which servers cannot fetch it, and which one does."""
    seen, fetching = 0, ""
    for step in steps:
        for attempt in step.attempts[seen:]:
            say(attempt.error.message, "dim", error=True)
        seen = len(step.attempts)
        if step.status == "downloading" and step.server != fetching:
            fetching = step.server
            say(f"{fetching} is fetching {step.model}.", "dim", error=True)
        yield step


def _bar(steps: Iterable[PullProgress]) -> None:
    with pull_bar(console()) as show:
        for step in steps:
            show(step)
    _end(step)


def _lines(steps: Iterable[PullProgress]) -> None:
    """Write a line for each phase and each tenth of the way."""
    told = ""
    for step in steps:
        tenth = f"{10 * (10 * step.completed // step.total)} %" if step.total else ""
        line = f"{phase(step)} {tenth} of {size(step.total)}" if tenth else phase(step)
        if line != told and step.status != "done":
            say(line)
        told = line
    _end(step)


def _end(step: PullProgress) -> None:
    fetched = f" ({size(step.total)})" if step.total else ""
    say(f"{step.model} is at {step.server}{fetched}.")
