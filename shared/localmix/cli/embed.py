"""`localmix embed`: texts to vectors."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from localmix.cli.arguments import Json, MaybeModel, Servers, open_client
from localmix.cli.output import console, say, write_json, write_json_line
from localmix.errors import ConfigError

_SHOWN = 4
Texts = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT", help="Without one: lines of the input.")
]


def embed(
    texts: Texts = None, model: MaybeModel = None, servers: Servers = None, as_json: Json = False
) -> None:
    """Turn texts into vectors: in a pipe, one a line as JSON."""
    wanted = texts or _lines()
    with open_client(servers) as client:
        result = client.embed(wanted, model=model)
    if as_json:
        write_json(result)
    elif not console().is_terminal:
        for vector in result.vectors:
            write_json_line(vector)
    else:
        for text, vector in zip(wanted, result.vectors, strict=True):
            begin = ", ".join(f"{number:.3f}" for number in vector[:_SHOWN])
            say(f"{text}: {len(vector)} numbers: {begin}, ...")


def _lines() -> list[str]:
    if sys.stdin.isatty():
        raise ConfigError("There is no text.", hint='Try: localmix embed "a text"')
    return [line for line in sys.stdin.read().splitlines() if line.strip()]
