"""The servers and their models as they are now, for whoever looks again and again.

Looking costs a few requests to each server, so it is done only while somebody wants to know.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from localmix import AsyncClient
from localmix.dialects.serving import Listed
from localmix.errors import LocalMixError
from localmix.proxy.inventory import Inventory
from localmix.proxy.service import MoveStep
from localmix.types import ModelInfo, Server

# Seconds for which a look counts.
FRESH = 1.0
# Seconds after which the last look is given while a new one is on its way.
PATIENCE = 2.0

Reason = Literal["asked", "request", "server"]


class Move(NamedTuple):
    """A model that came into memory, or left it.

    Attributes:
        reason: Who wanted it: `asked` by a caller, for a `request`, or by the `server` itself,
            which also stands for what other programs had it do.
    """

    step: MoveStep
    server: str
    model: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one look."""

    servers: Sequence[Server] = ()
    models: Sequence[Listed] = ()

    @property
    def usable(self) -> set[str]:
        """The base URLs of the servers that can be used."""
        return {server.url for server in self.servers if server.kind}

    @property
    def loaded(self) -> set[tuple[str, str]]:
        """The models in memory, by server and name."""
        places = [place for model in self.models for place in model.places if place.loaded]
        return {(place.server, place.name) for place in places}


class Survey:
    """A look at the servers, seldom enough; what was loaded and unloaded is counted.

    Args:
        is_used: Tells whether a request has gone to a model of a server lately.
    """

    def __init__(
        self,
        client: AsyncClient,
        inventory: Inventory,
        is_used: Callable[[str, str], bool],
    ) -> None:
        self._client = client
        self._inventory = inventory
        self._is_used = is_used
        self._looked_at: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self.seen = Seen()
        self.moves: Counter[Move] = Counter()
        self._asked: dict[tuple[str, str], MoveStep] = {}

    def was_asked(self, step: MoveStep, model: ModelInfo) -> None:
        """Note what a caller has had done; the next look need not wonder about it."""
        self.moves[Move(step, model.server, model.name, "asked")] += 1
        self._asked[model.server, model.name] = step
        self._looked_at = None

    async def look(self) -> Seen:
        """Give what there is; after some patience what there was when it was last looked."""
        if self._looked_at is not None and time.monotonic() - self._looked_at < FRESH:
            return self.seen
        looking = self._looking
        if looking is None or looking.done():
            looking = self._looking = asyncio.create_task(self._look())
        # A task of its own: whoever leaves does not take the look away from the others.
        await asyncio.wait([looking], timeout=PATIENCE)
        if looking.done():
            looking.result()
        return self.seen

    async def close(self) -> None:
        """Look no further."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self) -> None:
        servers = await self._client.servers()
        models: Sequence[Listed] = ()
        with suppress(LocalMixError):  # the servers say why
            models = await self._inventory.models()
        usable = {server.url for server in servers if server.kind}
        there = [replace(each, places=_at(each.places, usable)) for each in models]
        before = self.seen
        self.seen = Seen(servers, [each for each in there if each.places])
        self._looked_at = time.monotonic()
        self._count_moves(before)

    def _count_moves(self, before: Seen) -> None:
        """Compare two looks, at the servers that were there at both."""
        both = before.usable & self.seen.usable
        old, new = before.loaded, self.seen.loaded
        asked, self._asked = self._asked, {}
        for place in new - old:
            if place[0] in both and asked.get(place) != "load":
                reason: Reason = "request" if self._is_used(*place) else "server"
                self.moves[Move("load", *place, reason)] += 1
        for place in old - new:
            if place[0] in both and asked.get(place) != "unload":
                self.moves[Move("unload", *place, "server")] += 1


def _at(places: Sequence[ModelInfo], urls: set[str]) -> list[ModelInfo]:
    """Leave out the places that are gone: a list of models may be a little older."""
    return [place for place in places if place.server in urls]
