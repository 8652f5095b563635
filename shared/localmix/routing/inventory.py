"""What there is: servers, models, and where a request would go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from localmix.discovery import Found
from localmix.errors import LocalMixError
from localmix.routing.dispatch import route_to
from localmix.routing.fleet import Fleet
from localmix.routing.needs import Needs
from localmix.types import ModelInfo, Purpose, Route, RouteRequest, Server, Table
from localmix.wire.flows import Flow


class Inventory:
    """What the servers are and hold; none is asked for an answer."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def servers(self) -> Flow[list[Server]]:
        """Ask all candidates now and give the verdict on each."""
        found = yield from self._fleet.directory.refresh()
        return Table(self._with_state(each) for each in found)

    def listing(self) -> Flow[list[ModelInfo]]:
        """List the models of all servers, read now."""
        catalog = yield from self._fleet.selection.catalog()
        return Table(place.model for place in catalog.everything)

    def show(self, name: str) -> Flow[ModelInfo]:
        """Describe one model as fully as its server can."""
        best = (yield from self._fleet.selection.places(Needs(name)))[0].place
        return (yield from self._fleet.selection.descriptions.show(best))

    def look_up(
        self, name: str | None, purpose: Purpose, within: float | None
    ) -> Flow[ModelInfo | None]:
        """Give the model that a request would go to, asking for what is not known yet."""
        fleet = self._fleet
        bound = within or max(fleet.settings.probe_timeout, fleet.settings.named_probe_timeout)
        with suppress(LocalMixError):  # what nobody tells is not known
            deadline, alone = fleet.clock() + bound, within is not None
            yield from fleet.selection.look(Needs(name, purpose), deadline, alone=alone)
        return self.known(name, purpose)

    def route(self, request: RouteRequest) -> Flow[Route]:
        """Tell where a request would go, and where next, without sending it."""
        needs = Needs(request.model, request.purpose, request.needs, request.num_ctx)
        selection = self._fleet.selection
        candidates = yield from selection.places(needs)
        routes = [route_to(candidates[place:]) for place in range(len(candidates))]
        best = candidates[0].place
        skipped = selection.skipped(best, needs, {best.found.server.url})
        return replace(routes[0], alternatives=tuple(routes[1:]), skipped=skipped)

    def known(self, name: str | None, purpose: Purpose) -> ModelInfo | None:
        """Give the model that a request would go to, by what is known now; nobody is asked."""
        if not self._fleet.is_prepared:
            return None
        return self._fleet.selection.known(Needs(name, purpose))

    def _with_state(self, found: Found) -> Server:
        fleet, server = self._fleet, found.server
        health = fleet.vitals(server.url).health
        return replace(server, state=health.state(fleet.clock()) if server.kind else "unavailable")
