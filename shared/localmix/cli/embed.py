"""`localmix embed`: texts to vectors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from localmix import Client
from localmix.cli import vectors
from localmix.cli.arguments import Json, MaybeModel, Servers, open_client
from localmix.cli.output import console, say, write_json, write_json_line
from localmix.errors import ConfigError
from localmix.following.bars import text_bar

Vector = list[float] | None
_SHOWN = 4
# Texts that are asked for, and then written, at once.
_AT_ONCE = 256
Texts = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT", help="Default: the lines of the input.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write to this file: .jsonl, .npy or .parquet."),
]


def embed(
    texts: Texts = None,
    model: MaybeModel = None,
    output: Output = None,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Turn texts into vectors, one a line as JSON in a pipe; an empty line is null."""
    wanted = texts or _lines()
    with open_client(servers) as client:
        if output:
            _to_file(client, wanted, model, output)
        elif as_json:
            write_json(client.embed(wanted, model=model))
        else:
            for text, vector in zip(wanted, _vectors(client, wanted, model), strict=True):
                _write(text, vector)


def _to_file(client: Client, texts: Sequence[str], model: str | None, output: Path) -> None:
    found = _vectors(client, texts, model)
    with text_bar(texts) if sys.stderr.isatty() else nullcontext() as count:
        vectors.write(output, texts, _counted(found, count) if count else found)
    say(f"Vectors in {output}: {len(texts)}.", error=True)


def _counted(found: Iterator[Vector], count: Callable[[int], None]) -> Iterator[Vector]:
    for vector in found:
        yield vector
        count(1)


def _vectors(client: Client, texts: Sequence[str], model: str | None) -> Iterator[Vector]:
    """Give a vector for each text, and `None` for an empty one, as they come."""
    rest = iter(texts)
    while some := [*islice(rest, _AT_ONCE)]:
        full = [text for text in some if text.strip()]
        result = client.embed(full, model=model) if full else None
        if result and result.route and model is None:
            # One model for all of them, whatever becomes of the servers.
            model = f"{result.route.server.name}/{result.route.model}"
        found = iter(result.vectors if result else ())
        yield from (next(found) if text.strip() else None for text in some)


def _write(text: str, vector: Vector) -> None:
    if not console().is_terminal:
        write_json_line(vector)
    elif vector is None:
        say("(an empty line has no vector)", "dim")
    else:
        begin = ", ".join(f"{number:.3f}" for number in vector[:_SHOWN])
        say(f"{text}: {len(vector)} numbers: {begin}, ...")


def _lines() -> list[str]:
    if sys.stdin.isatty():
        raise ConfigError("There is no text.", hint='Try: localmix embed "a text"')
    return sys.stdin.read().splitlines()
