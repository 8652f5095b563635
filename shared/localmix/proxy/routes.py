"""What a route is: a path, a right, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from localmix.dialects.asking import Asked

Right = Literal["read", "use", "manage"]
READ: Right = "read"
USE: Right = "use"
MANAGE: Right = "manage"
# On every answer.
HEADERS = {
    "Server": "localmix",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
Handler = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint.

    Attributes:
        right: What it takes: to read what there is, to use models, to manage them.
        has_body: Whether it is told something in JSON.
    """

    method: str
    path: str
    right: Right
    handler: Handler
    has_body: bool = False
