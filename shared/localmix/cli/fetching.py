"""A model that no server has: whether somebody shall fetch it."""

from __future__ import annotations

import sys

import typer

from localmix import Client
from localmix.cli.output import visible
from localmix.cli.pull import fetch
from localmix.errors import ModelNotFoundError
from localmix.types import Route


def routed(client: Client, model: str | None) -> Route:
    """Find where a request would go; a person is asked whether to fetch a missing model.

    Raises:
        LocalMixError: It would go nowhere.
    """
    try:
        return client.route(model)
    except ModelNotFoundError as error:
        if not model or not _is_wanted(error):
            raise
    fetch(client, model)
    return client.route(model)


def _is_wanted(error: ModelNotFoundError) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(visible(f"{error} Pull it?"), err=True)
