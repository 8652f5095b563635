"""`localmix models`, `show` and `running`: what there is, and what is in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from localmix.cli.arguments import Json, ModelName, Servers, open_client
from localmix.cli.output import plain, say, size, tokens, write_facts, write_json, write_table
from localmix.types import Model, ModelInfo, Server

Filter = Annotated[
    str, typer.Argument(metavar="FILTER", help="Only models whose names contain this.")
]
Digests = Annotated[bool, typer.Option("--digests", help="Show digests, for pinning.")]


def models(
    wanted: Filter = "",
    digests: Digests = False,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """List the models of all servers, each once, with the places that have it."""
    with open_client(servers) as client:
        found = [model for model in client.models() if _is_wanted(model, wanted)]
        labels = _labels(client.servers())
    if as_json:
        write_json([{**plain(model), "loaded": model.loaded} for model in found])
        return
    heads = ["NAME", "SIZE", "QUANT", "CONTEXT", "CAN", "LOADED", "WHERE"]
    rows = [
        _row(model, place, labels, digests=digests) for model in found for place in model.places
    ]
    if digests:
        heads.insert(1, "DIGEST")
    if rows:
        write_table(heads, rows, spare=("QUANT", "SIZE", "CAN", "LOADED", "CONTEXT"))
    else:
        what = f" whose name contains {wanted!r}" if wanted else ""
        say(f"No server has a model{what}. Get one: localmix pull NAME")


def show(model: ModelName, servers: Servers = None, as_json: Json = False) -> None:
    """Describe one model as fully as its server can."""
    with open_client(servers) as client:
        found = client.show(model)
    if as_json:
        write_json({**plain(found), "details": plain(found.details)})
    else:
        write_model(found)


def write_model(found: ModelInfo) -> None:
    """Write what is known of a model, a fact a line."""
    write_facts(
        {
            "name": found.name,
            "server": found.server,
            "kind": found.kind,
            "purpose": found.purpose,
            "family": found.family,
            "parameters": found.parameters,
            "quantization": found.quantization,
            "size": size(found.size_bytes),
            "trained for": f"{tokens(found.context_length)} tokens" if found.context_length else "",
            "loaded": _loaded(found),
            "vectors": f"{found.embedding_length} numbers" if _embeds(found) else "",
            "can": _abilities(found),
            "digest": found.digest,
            "also called": ", ".join(name for name in found.aliases if name != found.name),
        }
    )


def running(servers: Servers = None, as_json: Json = False) -> None:
    """List the models that are in memory now."""
    with open_client(servers) as client:
        loaded = client.running()
        labels = _labels(client.servers())
    if as_json:
        write_json(loaded)
        return
    rows = [
        (
            model.name,
            size(model.memory_bytes),
            _on_gpu(model),
            tokens(model.loaded_context_length),
            _until(model.unload_at),
            labels.get(model.server, model.server),
        )
        for model in loaded
    ]
    if rows:
        write_table(("NAME", "MEMORY", "GPU", "CONTEXT", "STAYS", "WHERE"), rows, spare=("GPU",))
    else:
        say("No model is loaded.")


def _is_wanted(model: Model, wanted: str) -> bool:
    names = [name for place in model.places for name in (place.name, *place.aliases)]
    return any(wanted.casefold() in name.casefold() for name in names)


def _row(model: Model, place: ModelInfo, labels: dict[str, str], *, digests: bool) -> list[str]:
    is_first = place is model.places[0]
    row = [
        place.name if is_first else f"= {place.name}",
        size(place.size_bytes),
        place.quantization,
        tokens(place.context_length),
        _abilities(place),
        "yes" if place.loaded else "no",
        labels.get(place.server, place.server),
    ]
    if digests:
        row.insert(1, place.digest[:12])
    return row


def _labels(servers: list[Server]) -> dict[str, str]:
    return {server.url: server.name for server in servers}


def _abilities(model: ModelInfo) -> str:
    """Say what a model can do; a question mark where its server does not tell."""
    if model.purpose == "embedding":
        return "embed"
    said = sorted(model.capabilities) if model.capabilities is not None else ["?"]
    return ", ".join(["chat", *said])


def _embeds(model: ModelInfo) -> bool:
    return model.purpose == "embedding" and model.embedding_length is not None


def _loaded(model: ModelInfo) -> str:
    if not model.loaded:
        return "no"
    window = tokens(model.loaded_context_length)
    return f"yes, for {window} tokens" if window else "yes"


def _on_gpu(model: ModelInfo) -> str:
    if not model.memory_bytes or model.gpu_bytes is None:
        return ""
    return f"{100 * model.gpu_bytes / model.memory_bytes:.0f} %"


def _until(at: datetime | None) -> str:
    """Say for how long a model stays."""
    if at is None:
        return ""
    left = max((at - datetime.now(at.tzinfo)).total_seconds(), 0)
    return f"{left / 60:.0f} min" if left >= 60 else f"{left:.0f} s"  # noqa: PLR2004
