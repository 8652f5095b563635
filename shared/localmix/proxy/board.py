"""What the page shows, as JSON: written anew whenever something has happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import localmix
from localmix.dialects.serving import Listed
from localmix.proxy.activity import Activity
from localmix.proxy.survey import FRESH, Seen, Survey
from localmix.types import ModelInfo, Server
from localmix.wire import jsontext

# Seconds between two states at least, however much happens, and at most, so that silence tells.
_LEAST, _MOST = 0.2, 10.0
# How far back the plots go, in seconds, and how many requests are listed that are over.
_BACK, _LISTED = 600.0, 30


class Board:
    """What there is and what happens, put together.

    Args:
        is_read_only: Whether models may not be unloaded.
    """

    def __init__(self, activity: Activity, survey: Survey, *, is_read_only: bool) -> None:
        self._activity = activity
        self._survey = survey
        self._is_read_only = is_read_only
        self._viewers = 0
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    async def states(self) -> AsyncGenerator[bytes]:
        """Give the state now, and whenever it has changed; the servers are looked at meanwhile."""
        self._viewers += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            while not self._is_closed:
                changed = self._activity.changed  # before the state is read: nothing is missed
                yield jsontext.dump(self._state())
                await asyncio.sleep(_LEAST)
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _MOST)
        finally:
            self._viewers -= 1

    async def close(self) -> None:
        """Let the viewers go."""
        self._is_closed = True
        self._activity.change()
        if self._looking:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self._survey.close()

    async def _look(self) -> None:
        """Look at the servers while anybody watches."""
        try:
            while self._viewers:
                before = self._survey.seen
                if await self._survey.look() != before:
                    self._activity.change()
                await asyncio.sleep(FRESH)
        finally:
            self._looking = None

    def _state(self) -> dict[str, Any]:
        now, seen, activity = time.time(), self._survey.seen, self._activity
        recent = [each for each in activity.done if each.ended_at > now - _BACK]
        return {
            "version": localmix.__version__,
            "now": now,
            "back": _BACK,
            "is_read_only": self._is_read_only,
            "servers": [_server(each, seen, activity.in_flight) for each in seen.servers],
            "models": [_model(each, seen.servers) for each in seen.models],
            "queued": activity.queued,
            "doing": [asdict(each) for each in activity.doing],
            "done": [asdict(each) for each in list(activity.done)[: -_LISTED - 1 : -1]],
            "points": [
                {"at": each.ended_at, "speed": each.speed, "first_token": each.first_token}
                for each in recent
                if each.speed or each.first_token
            ],
        }


def _server(server: Server, seen: Seen, in_flight: dict[str, int]) -> dict[str, Any]:
    return {
        "url": server.url,
        "name": server.name,
        "kind": server.kind or "",
        "version": server.version,
        "state": server.state if server.kind else "missing",
        "about": server.problem or server.note,
        "in_flight": in_flight.get(server.url, 0),
        "loaded": [name for url, name in sorted(seen.loaded) if url == server.url],
    }


def _model(model: Listed, servers: Sequence[Server]) -> dict[str, Any]:
    names = {server.url: server.name for server in servers}
    return {
        "name": model.name,
        "purpose": model.first.purpose,
        "parameters": model.first.parameters,
        "quantization": model.first.quantization,
        "size_bytes": model.first.size_bytes,
        "context_length": model.first.context_length,
        "places": [_place(place, names.get(place.server, "")) for place in model.places],
    }


def _place(place: ModelInfo, server: str) -> dict[str, Any]:
    return {
        "server": server or place.server,
        "name": place.name,
        "pinned": f"{server}/{place.name}",
        "loaded": place.loaded,
        "unload_at": place.unload_at.timestamp() if place.unload_at else None,
    }
