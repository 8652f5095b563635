"""What there is to list: each model once, with a date, and soon.

Programs ask for the list every few seconds, and take a list that comes late for a server that is
gone. So what a list costs is paid rarely: a model is described once, for as long as its server
lists the same; and where some server keeps the others waiting, the last list is given meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from localmix import AsyncClient
from localmix.dialects.ollama.listings import with_tag
from localmix.dialects.serving import Listed
from localmix.proxy.aliases import Aliases
from localmix.types import Model, ModelInfo

# Seconds for which a list counts: some programs ask for it several times at once.
_FRESH = 2.0
# Seconds after which the last list is given while a new one is on its way.
PATIENCE = 2.0
_Key = tuple[str, str, str]


class Inventory:
    """The models of all servers, as callers see them."""

    def __init__(self, client: AsyncClient, aliases: Aliases, *, shows_cloud: bool) -> None:
        self._client = client
        self._own_aliases = aliases
        self._shows_cloud = shows_cloud
        self._models: Sequence[Model] = ()
        self._keys: frozenset[_Key] = frozenset()
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._seen: dict[str, datetime] = {}

    async def models(self) -> list[Listed]:
        """List each model once, whatever server has it.

        Raises:
            NoServerError: No server answers.
        """
        await self._refresh()
        by_name: dict[str, Listed] = {}
        now = datetime.now(UTC)
        for name, places in (*self._own_names(), *self._aliases()):
            if listed := self.listed(with_tag(name), places, now):
                by_name.setdefault(listed.name, listed)
        return list(by_name.values())

    def _own_names(self) -> Iterator[tuple[str, Sequence[ModelInfo]]]:
        return ((model.name, model.places) for model in self._models)

    def _aliases(self) -> Iterator[tuple[str, Sequence[ModelInfo]]]:
        """List the user's own names: some programs ask for no name that is not listed."""
        kept = [(alias.name, alias.source) for alias in self._own_aliases]
        for alias, name in (*((each, each) for each in self._client.settings.aliases), *kept):
            meant = self._client.known_model(name)
            for model in self._models:
                if meant and any(_key(place) == _key(meant) for place in model.places):
                    yield alias, model.places

    def listed(self, name: str, places: Sequence[ModelInfo], now: datetime) -> Listed | None:
        """Give a model its date: that of its file, or when it was first seen here."""
        here = [place for place in places if self._shows_cloud or not place.remote]
        if not here:
            return None
        dates = [place.modified_at for place in here if place.modified_at]
        first_seen = self._seen.setdefault(with_tag(here[0].name), now)
        return Listed(name, here, min(dates, default=first_seen))

    def doubt(self) -> None:
        """Have the servers asked again, since something was changed."""
        self._read_at = None

    async def _refresh(self) -> None:
        if self._read_at is not None and time.monotonic() - self._read_at < _FRESH:
            return
        reading = self._reading
        if reading is None:
            reading = self._reading = asyncio.create_task(self._read())
            reading.add_done_callback(self._forget)
        # A task of its own: whoever leaves does not take the list away from the others.
        await asyncio.wait([reading], timeout=PATIENCE if self._models else None)
        if reading.done():
            reading.result()

    def _forget(self, reading: asyncio.Task[None]) -> None:
        self._reading = None
        if not reading.cancelled():
            reading.exception()  # whoever waits for it is told; and somebody may have left

    async def _read(self) -> None:
        listing = await self._client.models_by_server()
        keys = frozenset(map(_key, listing))
        if keys != self._keys:
            self._models, self._keys = await self._client.models(), keys
        else:
            now = {_key(each): each for each in listing}
            self._models = [
                Model(model.name, tuple(_renewed(place, now) for place in model.places))
                for model in self._models
            ]
        self._read_at = time.monotonic()


def _key(model: ModelInfo) -> _Key:
    return model.server, model.name, model.digest


def _renewed(place: ModelInfo, now: Mapping[_Key, ModelInfo]) -> ModelInfo:
    """Take over what changes of a model that is described already."""
    fresh = now[_key(place)]
    return replace(
        place,
        loaded=fresh.loaded,
        loaded_context_length=fresh.loaded_context_length,
        memory_bytes=fresh.memory_bytes,
        gpu_bytes=fresh.gpu_bytes,
        unload_at=fresh.unload_at,
        aliases=fresh.aliases,
    )
