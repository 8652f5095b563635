"""What servers tell of a model beyond what they list."""

from __future__ import annotations

from dataclasses import replace

from localmix.dialects import KINDS, Target
from localmix.errors import LocalMixError
from localmix.routing.catalog import Place
from localmix.servers.memory import ModelKey, key_of
from localmix.types import ModelInfo
from localmix.wire.flows import Flow


class Descriptions:
    """What has been told of each model, for as long as its digest stays the same.

    Args:
        probe_timeout: Seconds that a server has to tell it.
    """

    def __init__(self, probe_timeout: float) -> None:
        self._probe_timeout = probe_timeout
        self._told: dict[ModelKey, ModelInfo] = {}
        self._asked_in_vain: dict[ModelKey, float] = {}

    def show(self, place: Place, within: float | None = None) -> Flow[ModelInfo]:
        """Have a model described as fully as its server can, and keep what it tells."""
        endpoint = place.found.endpoint.within(within) if within else place.found.endpoint
        told = yield from KINDS[place.model.kind].dialect.show(Target(endpoint, place.model))
        self._told[key_of(place.model)] = told
        return told

    def told_of(self, place: Place, within: float | None = None) -> Flow[ModelInfo | None]:
        """Ask what the listing leaves open: once for each model, in vain once for each listing.

        Returns:
            `None` where the listing leaves nothing open, or the server tells nothing.
        """
        model, key, listed_at = place.model, key_of(place.model), place.found.asked_at
        if not KINDS[model.kind].tells_more_by_show or model.capabilities is not None:
            return None
        if key not in self._told and self._asked_in_vain.get(key) != listed_at:
            try:
                yield from self.show(place, within or self._probe_timeout)
            except LocalMixError:  # the request itself will tell what is wrong
                self._asked_in_vain[key] = listed_at
        return self._told.get(key)

    def complete(self, model: ModelInfo) -> ModelInfo:
        """Add what the server told of a model to what it lists."""
        told = self._told.get(key_of(model))
        if told is None:
            return model
        said = told if model.capabilities is None else model
        return replace(
            model,
            capabilities=said.capabilities,
            unsaid=said.unsaid,
            context_length=told.context_length or model.context_length,
            own_context_length=told.own_context_length,
        )
