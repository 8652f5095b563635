"""`localmix pull`: a server fetches a model, and a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Annotated

import typer

from localmix import Client
from localmix.bars import bar, phase
from localmix.cli.arguments import Json, ModelName, Servers, open_client
from localmix.cli.output import console, say, size, write_json_line
from localmix.errors import DownloadError, ModelNotFoundError
from localmix.types import PullStep
from localmix.types.names import split_pin

_FETCHERS = ("ollama", "lmstudio")

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
    """Have the server fetch a model that has it in its catalogue, and show how far it is.

    Raises:
        LocalMixError: No server can fetch it; the error is the last one's.
    """
    with closing(_begun(client, model, insecure=insecure)) as steps:
        try:
            if as_json:
                for step in steps:
                    write_json_line(step)
            elif console().is_terminal:
                _bar(steps)
            else:
                _lines(steps)
        except KeyboardInterrupt:
            say("Stopped. The next pull resumes where this one stopped.", error=True)
            raise


def _begun(client: Client, model: str, *, insecure: bool) -> Generator[PullStep]:
    """Ask one server after the other, until one has the model in its catalogue."""
    *others, last = _names(client, model)
    for name in others:
        try:
            with client.pull(name, insecure=insecure) as steps:
                early = []
                for step in steps:
                    early.append(step)
                    if step.status != "preparing":
                        break
                say(f"{step.server} is fetching {step.model}.", "dim", error=True)
                yield from early
                yield from steps
                return
        except (ModelNotFoundError, DownloadError) as error:
            say(f"{error.server or name}: {error.message}", "dim", error=True)
    with client.pull(last, insecure=insecure) as steps:
        yield from steps


def _names(client: Client, model: str) -> list[str]:
    """Pin a name to each server that fetches models, the likeliest first; a pin stays."""
    able = [server for server in client.servers() if server.kind in _FETCHERS]
    pin = split_pin(model)[0].casefold()
    if len(able) < 2 or any(pin in (each.kind, each.name.casefold()) for each in able):  # noqa: PLR2004
        return [model]
    # LM Studio's catalogue has PUBLISHER/NAME, Ollama's has NAME:TAG, both take hf.co/...
    usual = "lmstudio" if pin and ":" not in model and not model.startswith("hf.co/") else "ollama"
    able.sort(key=lambda server: server.kind != usual)
    return [f"{server.name}/{model}" for server in able]


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
