"""How proxies of localmix know each other, and themselves.

Every answer of a proxy names the process that gave it, and every request that it sends on names the
proxies that it came through. So a proxy is never its own server, and two that point at each other
say so instead of asking each other for ever.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextvars import ContextVar

from localmix.wire.forks import after_fork

ANSWERED_BY = "localmix-proxy"
CAME_THROUGH = "localmix-via"
ITSELF = "It is this proxy itself."
NOT_NAMED = "It is a localmix proxy on this machine: the servers behind it are used directly."
PROXY = "It is a localmix proxy."
_names = [secrets.token_hex(8)]
# The proxies that the request being answered has come through, this one included.
_path: ContextVar[tuple[str, ...]] = ContextVar("localmix_path", default=())


@after_fork
def _become_another() -> None:
    _names[0] = secrets.token_hex(8)


def own_name() -> str:
    """Give the name of this process among proxies."""
    return _names[0]


def begin() -> None:
    """Mark whatever is sent from now on as this proxy's, also what no caller has asked for.

    Without that, two proxies that point at each other would each wait for what the other waits for.
    """
    _path.set((own_name(),))


def goes_round(came_through: str) -> bool:
    """Note what a request came through; tell whether it has been here before."""
    before = tuple(name.strip()[:32] for name in came_through.split(",") if name.strip())
    _path.set((*before, own_name()))
    return own_name() in before


def trace() -> Mapping[str, str]:
    """Give the header for whatever is sent on behalf of the request being answered."""
    path = _path.get()
    return {CAME_THROUGH: ", ".join(path)} if path else {}
