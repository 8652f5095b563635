"""`localmix bench`: how fast each model is at each server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from localmix import ChatResult, Client
from localmix.cli import bench_history, exits
from localmix.cli.arguments import Json, Servers, complete_model, open_client
from localmix.cli.bench_history import Speed
from localmix.cli.output import console, say, visible, write_json, write_table
from localmix.errors import LocalMixError, ModelNotFoundError
from localmix.types import ModelInfo

_PROMPT = "Write a long story about a lighthouse."
Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="MODEL",
        help="Default: every chat model.",
        autocompletion=complete_model,
    ),
]
Rounds = Annotated[
    int, typer.Option("--rounds", "-r", min=1, help="Number of answers to take the median of.")
]
Length = Annotated[int, typer.Option("--tokens", "-t", min=2, help="Maximum tokens per answer.")]


Plot = Annotated[bool, typer.Option("--plot", help="Plot the results, with earlier ones.")]
Svg = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Save it as an SVG file.")]


def bench(
    models: Models = None,
    rounds: Rounds = 3,
    tokens: Length = 64,
    plot: Plot = False,
    svg: Svg = None,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Measure tokens per second and the time to the first token, and compare with last time."""
    history = bench_history.before()
    with open_client(servers) as client:
        found = _chosen(client, models or ())
        speeds = []
        for name, model in found.items():
            with console(error=True).status(visible(f"{model.name} at {model.server}")):
                speeds.append(_measured(client, name, model, rounds, tokens))
    if as_json:
        write_json(speeds)
    else:
        _write(speeds, history)
    bench_history.remember(speeds)
    if plot and not as_json:
        bench_history.draw(speeds, history)
    if svg:
        bench_history.write_svg(speeds, svg)
    if any(speed.problem for speed in speeds):
        raise typer.Exit(exits.TROUBLE)


def _chosen(client: Client, names: Sequence[str]) -> dict[str, ModelInfo]:
    """List what to measure, by names that pin each model to its server."""
    labels = {server.url: server.name for server in client.servers()}
    found: dict[str, ModelInfo] = {}
    for model in client.models():
        for place in model.places:
            known_as = {model.name, place.name, place.name.removesuffix(":latest")}
            is_wanted = not names or known_as & {*names}
            if is_wanted and place.purpose == "chat" and not place.remote:
                found[f"{labels[place.server]}/{place.name}"] = place
    if not found:
        wanted = f" called {', '.join(names)}" if names else ""
        raise ModelNotFoundError(
            f"No server has a chat model{wanted}.", hint="localmix models lists them."
        )
    return found


def _measured(client: Client, name: str, model: ModelInfo, rounds: int, tokens: int) -> Speed:
    """Ask once so that the model is loaded, then measure."""
    first: list[float] = []
    rate: list[float] = []
    try:
        client.chat(_PROMPT, model=name, max_tokens=1)
        for _ in range(rounds):
            with client.stream(_PROMPT, model=name, max_tokens=tokens, temperature=0.0) as stream:
                for _delta in stream:
                    pass
                result = stream.result
            first.append(result.timings.first_token or 0.0)
            rate += _rate(result)
    except LocalMixError as error:
        return Speed(model.name, model.server, problem=error.message)
    return Speed(model.name, model.server, median(first), median(rate) if rate else None)


def _rate(result: ChatResult) -> list[float]:
    """Count the tokens after the first one, by our own clock: the same measure for all servers."""
    first, total = result.timings.first_token or 0.0, result.timings.total or 0.0
    more = result.usage.output_tokens - 1 if result.usage else 0
    return [more / (total - first)] if more > 0 and total > first else []


def _write(speeds: Sequence[Speed], history: Mapping[tuple[str, str], list[float]]) -> None:
    rows = [
        (
            speed.model,
            speed.server,
            f"{speed.first_token:.3f} s" if speed.first_token is not None else "-",
            f"{speed.tokens_per_second:.1f}" if speed.tokens_per_second else "-",
            bench_history.change(speed, history.get(speed.place, ())),
        )
        for speed in speeds
    ]
    write_table(("MODEL", "SERVER", "FIRST TOKEN", "TOKENS/S", "CHANGE"), rows, spare=("CHANGE",))
    for speed in speeds:
        if speed.problem:
            say(f"{speed.model} at {speed.server}: {speed.problem}", error=True)
