"""`localmix route`: where a request would go, and why."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from localmix.cli.arguments import Context, Json, Servers, complete_model, open_client
from localmix.cli.output import say, write_json
from localmix.types import Capability, Route

Asked = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL", help="Default: the model it would use.", autocompletion=complete_model
    ),
]
_CAPABILITIES = ", ".join(get_args(Capability))
Needs = Annotated[
    list[str] | None,
    typer.Option("--need", "-n", help=f"What it must be able to do: {_CAPABILITIES}."),
]
Embedding = Annotated[bool, typer.Option("--embedding", help="Ask for an embedding, not a chat.")]


def route(
    model: Asked = None,
    need: Needs = None,
    context: Context = None,
    embedding: Embedding = False,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Tell where a request would go, why, and where next."""
    needs: Any = frozenset(need or ())
    purpose: Any = "embedding" if embedding else "chat"
    with open_client(servers) as client:
        found = client.route(model, needs=needs, purpose=purpose, num_ctx=context)
    if as_json:
        write_json(found)
        return
    say(_place(found))
    say(f"  because: {found.reason}")
    for each in found.skipped:
        say(f"  not {each.server}: {each.reason}")
    for other in found.alternatives:
        say(f"then {_place(other)}")


def _place(route: Route) -> str:
    return f"{route.model} at {route.server.url} ({route.server.kind})"
