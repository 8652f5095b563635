"""`localmix load`, `unload`, `copy` and `rm`: models in memory and on the disk."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from localmix import Client
from localmix.cli.arguments import (
    Context,
    Json,
    ModelName,
    ModelNames,
    Servers,
    complete_model,
    open_client,
    seconds,
)
from localmix.cli.output import say, size, tokens, visible, write_json
from localmix.errors import ConfigError, ModelNotFoundError
from localmix.types import ModelInfo

Keep = Annotated[
    str | None,
    typer.Option(
        "--keep", "-k", metavar="TIME", help="How long to keep it unused: 10m, 2h, forever."
    ),
]
MaybeName = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="Its exact name.", autocompletion=complete_model),
]
Everything = Annotated[bool, typer.Option("--all", "-a", help="Unload every model.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]


def load(
    model: ModelName,
    context: Context = None,
    keep: Keep = None,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Load a model before it is needed."""
    keep_alive, started = seconds(keep), time.monotonic()
    with open_client(servers) as client:
        loaded = client.load(model, num_ctx=context, keep_alive=keep_alive)
    if as_json:
        write_json(loaded)
        return
    window = tokens(loaded.loaded_context_length)
    room = f", for {window} tokens" if window else ""
    say(f"{loaded.name} is loaded at {loaded.server}{room} ({time.monotonic() - started:.1f} s).")


def unload(
    model: MaybeName = None,
    everything: Everything = False,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Take a model out of memory, wherever it is loaded."""
    if (model is None) is not everything:
        raise ConfigError("Name a model, or use --all.")
    with open_client(servers) as client:
        unloaded = client.unload(model) if model else _unload_all(client)
    if as_json:
        write_json(unloaded)
        return
    for each in unloaded:
        say(f"{each.name} was unloaded from {each.server}.")
    if not unloaded:
        say(f"{model} was not loaded." if model else "No model is loaded.")


def copy(
    model: ModelName,
    new: NewName,
    yes: Yes = False,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Give a model a second name."""
    with open_client(servers) as client:
        for gone in () if yes else _replaced(client, model, new):
            _ask(f"Replace {_described(gone)} with {model}?")
        made = client.copy(model, new)
    if as_json:
        write_json(made)
    else:
        say(f"{made.name} is {model} at {made.server}.")


def rm(
    models: ModelNames, yes: Yes = False, servers: Servers = None, as_json: Json = False
) -> None:
    """Delete models from the disk."""
    with open_client(servers) as client:
        meant = [client.named(model) for model in models]  # before any is gone
        for named in () if yes else meant:
            if len(named) == 1:  # else it is refused
                _ask(f"Delete {_described(named[0])}?")
        deleted = [client.delete(model) for model in models]
    if as_json:
        write_json(deleted if len(deleted) > 1 else deleted[0])
        return
    for each in deleted:
        say(f"{each.name} ({size(each.size_bytes)}) was deleted from {each.server}.")


def _unload_all(client: Client) -> list[ModelInfo]:
    """Unload what is loaded, each at its own server."""
    labels = {server.url: server.name for server in client.servers()}
    names = [f"{labels[model.server]}/{model.name}" for model in client.running()]
    return [gone for name in names for gone in client.unload(name)]


def _replaced(client: Client, model: str, new: str) -> list[ModelInfo]:
    """List what a copy would overwrite."""
    try:
        server = client.named(model)[0].server
        return [each for each in client.named(new) if each.server == server]
    except ModelNotFoundError:
        return []


def _described(model: ModelInfo) -> str:
    return f"{model.name} ({size(model.size_bytes) or 'of unknown size'}) at {model.server}"


def _ask(question: str) -> None:
    """Have a person agree to what cannot be undone."""
    if not sys.stdin.isatty():
        raise ConfigError("There is no terminal to confirm at.", hint="Add --yes to confirm.")
    typer.confirm(visible(question), abort=True)
