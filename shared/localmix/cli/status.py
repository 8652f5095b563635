"""`localmix status`: which servers there are, how they are, and what they have loaded."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from localmix import Client
from localmix.cli import exits
from localmix.cli.arguments import Json, Servers, open_client
from localmix.cli.output import console, plain, say, write_json, write_table
from localmix.errors import AuthenticationError, NoServerError
from localmix.types import ModelInfo, Server

Watch = Annotated[
    float | None,
    typer.Option("--watch", "-w", metavar="SECONDS", min=0.1, help="Repeat every so many seconds."),
]


def status(watch: Watch = None, servers: Servers = None, as_json: Json = False) -> None:
    """Show the servers, their health, and what is loaded."""
    with open_client(servers) as client:
        is_served = _show(client, as_json=as_json)
        while watch is not None:
            time.sleep(watch)
            if console().is_terminal:
                console().clear()
            is_served = _show(client, as_json=as_json)
    if not is_served:
        raise typer.Exit(exits.NO_SERVER)


def _show(client: Client, *, as_json: bool) -> bool:
    """Show it once; tell whether anybody serves."""
    found = client.servers()
    running, is_served = _running(client)
    if as_json:
        write_json([{**plain(server), "loaded": _names(server, running)} for server in found])
    else:
        _write(found, running)
    sys.stdout.flush()
    return is_served


def _running(client: Client) -> tuple[list[ModelInfo], bool]:
    """List what is loaded, and tell whether anybody serves at all."""
    try:
        return client.running(), True
    except (NoServerError, AuthenticationError):
        return [], False


def _write(found: list[Server], running: list[ModelInfo]) -> None:
    usable = [server for server in found if server.kind]
    if usable:
        rows = [
            (
                server.url,
                server.kind or "",
                server.version,
                server.state,
                ", ".join(_names(server, running)),
            )
            for server in usable
        ]
        write_table(("SERVER", "KIND", "VERSION", "STATE", "LOADED"), rows, spare=("VERSION",))
    else:
        say("No server answered. Run `localmix doctor` to find out why.")
    for server in found:
        if server.problem or server.note:
            say(f"{server.url}: {server.problem or server.note}", "dim")


def _names(server: Server, running: list[ModelInfo]) -> list[str]:
    return [model.name for model in running if model.server == server.url]
