"""The options that commands share, and the client that they ask for."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from localmix import Client
from localmix.errors import ConfigError, LocalMixError

# Help with boxes and colours is for people; in a pipe it is plain.
MARKUP: Any = "rich" if sys.stdout.isatty() else None
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
# A person waits for a completion: who does not answer at once is left out.
_COMPLETION_SECONDS = 0.5


def examples(*lines: str, more: str = "") -> str:
    """Write examples for the end of a help page, one a line, and perhaps a sentence more."""
    if MARKUP:
        return "\n\n".join(["Examples:", *lines, more])
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines), more]).rstrip()


def open_client(servers: Sequence[str] | None, **settings: Any) -> Client:
    """Make the client of a command."""
    return Client(list(servers) if servers else None, **settings)


def complete_model(incomplete: str) -> list[str]:
    """List the models that begin so, for the shell."""
    try:
        bound = _COMPLETION_SECONDS
        with Client(probe_timeout=bound, named_probe_timeout=bound) as client:
            names = sorted({model.name for model in client.models_by_server()})
    except LocalMixError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def seconds(text: str | None) -> float | None:
    """Read a duration: `90`, `90s`, `10m`, `2h`, `forever`.

    Raises:
        ConfigError: It is none.
    """
    if text is None:
        return None
    if text == "forever":
        return -1.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise ConfigError(f"{text!r} is not a duration.", hint="Write 90s, 10m, 2h or forever.")
    return float(match[1]) * _UNITS[match[2]]


Servers = Annotated[
    list[str] | None,
    typer.Option("--server", "-s", metavar="URL", help="Use this server; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="Name of the model; KIND/NAME or SERVER/NAME chooses the server.",
        autocompletion=complete_model,
    ),
]
ModelNames = Annotated[
    list[str],
    typer.Argument(metavar="MODEL...", help="Exact names.", autocompletion=complete_model),
]
MaybeModel = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Its name.", autocompletion=complete_model),
]
Context = Annotated[
    int | None,
    typer.Option("--num-ctx", "--context", "-c", min=1, help="Context window in tokens."),
]
