"""The application: every command, its help, and the options before a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import localmix
from localmix.cli import (
    bench,
    chat,
    config,
    doctor,
    embed,
    exits,
    listing,
    memory,
    pull,
    route,
    search,
    serve,
    status,
)
from localmix.cli.arguments import MARKUP, examples

app = typer.Typer(
    name="localmix",
    help="Name a model, never a server: the model servers of this machine, and their models.",
    epilog=examples("localmix status", "localmix chat", "localmix doctor"),
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add(command: Callable[..., None], *lines: str, name: str = "", also: str = "") -> None:
    """Add a command; `also` lists names that people bring from other tools."""
    name = name or command.__name__
    shown = [f"localmix {name} {line}".rstrip() for line in lines]
    more = f"Also as: {also}." if also else ""
    run = exits.ending(command)
    app.command(name, epilog=examples(*shown, more=more))(run)
    for habit in also.split():
        app.command(habit, epilog=examples(*shown, more=more), hidden=True)(run)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"localmix {localmix.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Say which version this is.",
            callback=lambda v: _version(wanted=v),
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


_add(status.status, "", "--watch 5", "--json", "--server http://box:11434")
_add(listing.models, "", "qwen", "--digests", "--json", also="ls list")
_add(listing.show, "qwen3:8b", "lmstudio/qwen3-8b")
_add(listing.running, "", also="ps")
_add(pull.pull, "qwen3:8b", "lmstudio/qwen/qwen3-8b", "qwen3:8b --json")
_add(search.search, "qwen3", "nomic embed")
_add(memory.load, "qwen3:8b", "qwen3:8b --num-ctx 16384 --keep 2h", "ollama/qwen3:8b")
_add(memory.unload, "qwen3:8b", "--all", also="stop")
_add(memory.copy, "qwen3:8b my-qwen", also="cp")
_add(memory.rm, "my-qwen", "my-qwen my-other --yes")
_add(chat.chat, "", "-m qwen3:8b", '"What is a fjord?"', '"Summarize this:" < text.txt')
_add(
    chat.chat,
    *("qwen3:8b", 'qwen3:8b "What is a fjord?"', "gemma3:4b --image cat.png 'Who is this?'"),
    name="run",
)
_add(embed.embed, '"a river"', "-m nomic-embed-text < lines.txt", "-o a.npy < lines.txt")
_add(route.route, "", "qwen3:8b --need tools", "--embedding --json")
_add(doctor.doctor, "", "--server http://box:1234")
_add(bench.bench, "", "qwen3:8b --rounds 5", "--plot", "--svg speeds.svg")
_add(serve.serve, "", "--port 0", "--server http://box:11434 --server http://box:1234")
_add(config.config, "", "--all", "get model", "set model qwen3:8b", "edit", "trust")
