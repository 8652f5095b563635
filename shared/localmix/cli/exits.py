"""How a command ends: what went wrong in two sentences, and a code that says whose fault it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from localmix.cli.output import say, to_json
from localmix.errors import (
    ConfigError,
    DiscoveryError,
    LocalMixError,
    NoServerError,
    RequestRejectedError,
    ServerError,
    TransportError,
)

P = ParamSpec("P")
TROUBLE, USAGE, NO_SERVER, NO_MODEL, REFUSED, FAILED, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130
# The first class that fits decides.
_CODES: tuple[tuple[type[LocalMixError], int], ...] = (
    (ConfigError, USAGE),
    (NoServerError, NO_SERVER),
    (DiscoveryError, NO_MODEL),
    (RequestRejectedError, REFUSED),
    (TransportError, FAILED),
    (ServerError, FAILED),
)
MEANINGS = {
    0: "It worked.",
    TROUBLE: "`doctor` found trouble; or something else went wrong.",
    USAGE: "The command line or a setting is wrong; nothing was sent.",
    NO_SERVER: "No server answered.",
    NO_MODEL: "No server has the model, or it is not the one you pinned.",
    REFUSED: "The server refused: it cannot do that, needs a token, or the request is too long.",
    FAILED: "The server or the connection to it failed.",
    INTERRUPTED: "Ctrl-C.",
}


def code_of(error: LocalMixError) -> int:
    """Give the exit code that an error means."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), TROUBLE)


def ending(command: Callable[P, None]) -> Callable[P, None]:
    """Let a command end with a sentence and a code instead of a traceback."""

    @wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        try:
            command(*args, **options)
        except LocalMixError as error:
            tell(error, as_json=bool(options.get("as_json")))
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    return run


def tell(error: LocalMixError, *, as_json: bool = False) -> None:
    """Write an error to the standard error."""
    if not as_json:
        say(f"Error: {error}", "red", error=True)
        return
    about = {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "server": error.server,
        "attempts": [
            {"server": each.server, "message": each.error.message} for each in error.attempts
        ],
    }
    sys.stderr.write(to_json({"error": about}) + "\n")
