"""Showing that embedding models which are called alike are one: by the vectors of a fixed text."""

from __future__ import annotations

from typing import cast

from localmix.dialects import KINDS, Target
from localmix.errors import LocalMixError
from localmix.routing.catalog import Place
from localmix.routing.fleet import Fleet
from localmix.routing.loading import Loading, endpoint_for, window_for
from localmix.routing.needs import Needs
from localmix.types import EmbedRequest
from localmix.wire.flows import Flow, Response, together

TEXT = "The quick brown fox jumps over the lazy dog."


class Comparing:
    """The comparison of models: each is asked for its vector once, when it matters."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def settle(self, needs: Needs, deadline: float) -> Flow[None]:
        """Have those models compared that a request could go to, and of which too little is known.

        Args:
            needs: What the request needs.
            deadline: When to wait no longer.
        """
        doubtful = yield from self._fleet.selection.doubtful(needs, deadline)
        if doubtful:
            bound = min(self._fleet.settings.probe_timeout, deadline - self._fleet.clock())
            yield from together([self._ask(place, bound) for place in doubtful])

    def _ask(self, place: Place, bound: float) -> Flow[None]:
        sameness = self._fleet.selection.sameness
        slots = self._fleet.vitals(place.found.server.url).slots
        if not slots.reserve(place.found.limit):
            return
        try:
            sameness.learn(place.model, (yield from self._vector(place, bound)))
        except LocalMixError:
            sameness.give_up(place.model, place.found.asked_at)
        finally:
            slots.release()

    def _vector(self, place: Place, bound: float) -> Flow[list[float]]:
        fleet, model = self._fleet, place.model
        dialect, vitals = KINDS[model.kind].dialect, fleet.vitals(place.found.server.url)
        request = EmbedRequest(texts=(TEXT,), model=model.name)
        with Loading(place, vitals, fleet.clock) as loading:
            yield from loading.wait_for_others(fleet.clock() + bound)
            endpoint = yield from endpoint_for(place, fleet.engine, bound)
            window = window_for(place, vitals, Needs(model.name, "embedding"))
            target = Target(endpoint.within(bound), model, window)
            (outcome,) = yield [dialect.embed_request(target, request)]
            if isinstance(outcome, LocalMixError):
                raise outcome
            return dialect.parse_embed(target, request, cast("Response", outcome)).vectors[0]
