"""Where servers may be, what answers there, and what is remembered of it for a short time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from localmix.dialects import EMBEDDED, Endpoint
from localmix.discovery.directory import Candidate, Directory
from localmix.discovery.probe import Found, probe, timeouts_of
from localmix.embedded.engine import INSTALL, URL, Engine
from localmix.servers import Memory
from localmix.settings import Settings
from localmix.types import Server
from localmix.wire.flows import Flow, call
from localmix.wire.forks import after_fork

__all__ = ["Directory", "Found", "directory_of", "timeouts_of"]

_MOST_DIRECTORIES = 16
_lock = threading.Lock()
_directories: list[tuple[tuple[Settings, Memory, Callable[[], float]], Directory]] = []


@after_fork
def _unlock() -> None:
    global _lock  # noqa: PLW0603  (the parent may have held it)
    _lock = threading.Lock()


def directory_of(
    settings: Settings, engine: Engine, memory: Memory, clock: Callable[[], float]
) -> Directory:
    """Give the directory for these settings: one in the process, whoever asks."""
    with _lock:
        made_of = settings, memory, clock
        for known, directory in _directories:
            if known == made_of:
                return directory
        candidates = _candidates(settings, engine)
        directory = Directory(candidates, settings.refresh_after, memory, clock)
        _directories.append((made_of, directory))
        del _directories[:-_MOST_DIRECTORIES]
        return directory


def _candidates(settings: Settings, engine: Engine) -> list[Candidate]:
    """List the servers, and last the embedded engine if it has models.

    Servers that the user named are not replaced by it behind the user's back.
    """
    candidates = [
        Candidate(
            server.url,
            server.label,
            partial(probe, server, position, settings),
            settings.order_of(position, None),
        )
        for position, server in enumerate(settings.candidates())
    ]
    if settings.models_path:
        endpoint = Endpoint(URL, timeouts_of(settings), max_bytes=settings.max_reply_bytes)
        ask = partial(_look_into, engine, endpoint, is_reserve=bool(settings.servers))
        candidates.append(Candidate(URL, EMBEDDED.name, ask))
    return candidates


def _look_into(engine: Engine, endpoint: Endpoint, *, is_reserve: bool) -> Flow[Found]:
    """Find the embedded engine's models; it serves what no server can."""
    if not (yield from call(engine.is_installed)):
        problem = f"LOCAL_MODELS_PATH is set, but the engine is not installed: {INSTALL}"
        return Found(Server(URL, problem=problem, name=EMBEDDED.name), endpoint)
    note = "Because you named servers, it serves only `embedded/MODEL`." if is_reserve else ""
    models = yield from call(engine.models)
    server = Server(URL, EMBEDDED.name, name=EMBEDDED.name, note=note)
    last = (float("inf"), 0, 0)
    return Found(server, endpoint, tuple(models), rank=last, is_reserve=is_reserve)
