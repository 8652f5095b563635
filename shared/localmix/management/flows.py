"""The flows behind the managing methods, on top of what the fleet knows of the servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from localmix.dialects import EMBEDDED, KINDS, Keeper, PullMeter, Target
from localmix.discovery import Found
from localmix.errors import (
    Attempt,
    ConfigError,
    DownloadError,
    LocalMixError,
    ModelNotFoundError,
    NoServerError,
    OverloadedError,
    TransportError,
    UnsupportedFeatureError,
)
from localmix.management.embedded import EmbeddedModels
from localmix.routing import Fleet
from localmix.routing.catalog import Catalog, Place
from localmix.routing.loading import Turn, endpoint_for, window_for
from localmix.routing.needs import Needs
from localmix.routing.pins import broken_pin
from localmix.routing.ranking import is_loaded
from localmix.routing.refusals import no_model
from localmix.types import ChatRequest, Kind, LoadRequest, Model, ModelInfo, Table
from localmix.types.names import canonical, split_pin
from localmix.wire.flows import Emit, Flow, Source, together, wait

# How many models are asked at once what they can do.
_AT_ONCE = 8
# Seconds before a pull that broke off goes on; doubled by each break that brought nothing.
_PAUSE = 0.5
_MAY_PASS = (TransportError, OverloadedError, DownloadError)
# What one server cannot fetch, another may.
_NOT_FROM_THERE = (ModelNotFoundError, DownloadError, UnsupportedFeatureError)


class Management:
    """The models of all servers."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @property
    def _keepers(self) -> dict[Kind, Keeper]:
        keepers = {name: kind.keeper for name, kind in KINDS.items() if kind.keeper}
        return {**keepers, EMBEDDED.name: EmbeddedModels(self._fleet.engine)}

    # What there is

    def models(self) -> Flow[list[Model]]:
        """List each model once, with all its places, described as fully as the servers can."""
        catalog = yield from self._fleet.selection.catalog()
        groups: list[list[Place]] = []
        seen: set[object] = set()
        for place in catalog.everything:
            if place.key not in seen:
                same = [each for each in catalog.same(place.model.name) if each.key != place.key]
                groups.append([place, *(each for each in same if each.key not in seen)])
                seen |= {each.key for each in groups[-1]}
        flat = [place for group in groups for place in group]
        described = yield from together([_described(place) for place in flat], at_most=_AT_ONCE)
        known = iter(described)
        return Table(Model(each[0].model.name, tuple(next(known) for _ in each)) for each in groups)

    def running(self) -> Flow[list[ModelInfo]]:
        """List what is in memory now, one entry for each server."""
        catalog = yield from self._fleet.selection.catalog()
        return Table(place.model for place in catalog.everything if place.model.loaded)

    def count_tokens(self, request: ChatRequest) -> Flow[int | None]:
        """Have a prompt counted by the server that it would go to; `None` if that cannot count."""
        best = (yield from self._fleet.selection.places(Needs(request.model)))[0]
        place, kind = best.place, KINDS[best.place.model.kind]
        is_there = is_loaded(place, best.vitals) or not kind.is_started_here
        if kind.count_tokens is None or not is_there:
            return None  # no engine is started for that alone
        patience = place.found.endpoint.timeouts.first_byte
        try:
            endpoint = yield from endpoint_for(place, self._fleet.engine, patience)
            return (yield from kind.count_tokens(Target(endpoint, place.model), request))
        except LocalMixError:
            return None  # not every server of the kind has the endpoints

    # In memory

    def load(self, request: LoadRequest) -> Flow[ModelInfo]:
        """Load a model at the place where a request for it would go."""
        needs = Needs(request.model, window=request.num_ctx)
        best = (yield from self._fleet.selection.places(needs))[0]
        vitals, model = best.vitals, best.place.model.name
        with Turn(vitals, best.place) as turn:
            yield from turn.wait(best.place.found.endpoint.timeouts.first_byte)
            place = yield from self._afresh(best.place)
            window = request.num_ctx or window_for(place, vitals, Needs(model))
            target = Target(place.found.endpoint, place.model, window)
            yield from self._keepers[place.model.kind].load(target, request)
            vitals.windows[model] = window or 0  # requests ask for the same, lest it load anew
            return (yield from self._afresh(place)).model

    def preload(self, requests: Iterable[LoadRequest]) -> Flow[list[ModelInfo]]:
        """Load models side by side."""
        return Table((yield from together([self.load(request) for request in requests])))

    def unload(self, name: str) -> Flow[list[ModelInfo]]:
        """Unload a model wherever it is loaded; give what was unloaded, as it is now."""
        catalog = yield from self._fleet.selection.catalog()
        named = catalog.exact(name) or catalog.instances(name)
        if not named:
            raise not_exact(name, catalog)
        loaded = [place for place in named if place.model.loaded]
        for place in loaded:
            yield from self._keepers[place.model.kind].unload(_target(place))
        unloaded = yield from together([self._afresh(place) for place in loaded])
        return Table(place.model for place in unloaded)

    # On the disk

    def named(self, name: str) -> Flow[list[ModelInfo]]:
        """List the models that have exactly this name: what a deletion could mean."""
        catalog = yield from self._fleet.selection.catalog()
        return Table(place.model for place in _exact(catalog, name))

    def delete(self, name: str) -> Flow[ModelInfo]:
        """Delete a model from the one server that has it; give what was deleted."""
        catalog = yield from self._fleet.selection.catalog()
        place = _only(_exact(catalog, name), name)
        yield from self._keepers[place.model.kind].delete(_target(place))
        yield from self._fleet.directory.refresh(url=place.found.server.url)
        return place.model

    def copy(self, source: str, destination: str) -> Flow[ModelInfo]:
        """Give a model a second name at its server; what has that name there is replaced."""
        catalog = yield from self._fleet.selection.catalog()
        places = catalog.exact(source) or catalog.places(source)
        if not places:
            raise no_model(source, "chat", catalog)
        place = places[0]
        if any(Place(place.found, each, "").is_called(destination) for each in place.found.models):
            place = _only(_exact(catalog, source), source)
        yield from self._keepers[place.model.kind].copy(_target(place), destination)
        return (yield from self._afresh(place, destination)).model

    def pull(self, name: str, *, insecure: bool) -> Source[None]:
        """Have the first server fetch a model that has it in its catalogue."""
        attempts: list[Attempt] = []
        for found, model in (yield from self._fetchers(name)):
            meter = PullMeter(model, found.server.url, attempts=tuple(attempts))
            try:
                yield from self._fetch(found, meter, insecure=insecure)
            except _NOT_FROM_THERE as error:
                attempts.append(Attempt(meter.server, error))
            else:
                yield from self._check(meter.server, model)
                yield Emit(meter.step("done"))
                return
        raise attempts[-1].error.tried(tuple(attempts))

    def _fetch(self, found: Found, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Fetch a model; go on after a break for as long as that brings anything."""
        bounds = found.endpoint.timeouts
        # A server that checks what it has fetched says nothing meanwhile.
        patient = replace(found.endpoint, timeouts=replace(bounds, between=bounds.first_byte))
        keeper = self._keepers[cast("Kind", found.server.kind)]
        in_vain = 0
        while True:
            try:
                yield from keeper.pull(patient, meter, insecure=insecure)
                break
            except _MAY_PASS as error:
                in_vain = 0 if meter.has_advanced else in_vain + 1
                is_refused = isinstance(error, DownloadError) and not meter.has_advanced
                if is_refused or in_vain > self._fleet.settings.max_retries:
                    raise
            meter.broke()
            yield from wait(_PAUSE * 2**in_vain)

    def _check(self, url: str, name: str) -> Flow[None]:
        """Look at what was fetched.

        Raises:
            ModelChangedError: It is not the model that was pinned.
        """
        for found in (yield from self._fleet.directory.refresh(url=url)):
            for model in found.models if found.server.url == url else ():
                broken = broken_pin(model, self._fleet.settings.digests)
                if broken and canonical(model.name) == canonical(name):
                    raise broken

    # Finding

    def _afresh(self, place: Place, name: str = "") -> Flow[Place]:
        """Ask its server again how a model stands."""
        url, wanted = place.found.server.url, canonical(name or place.model.name)
        for found in (yield from self._fleet.directory.refresh(url=url)):
            for model in found.models if found.server.url == url else ():
                if canonical(model.name) == wanted:
                    return Place(found, model, place.rule)
        raise ModelNotFoundError(f"{wanted} is no longer at {url}", server=url)

    def _fetchers(self, name: str) -> Flow[list[tuple[Found, str]]]:
        """List who may fetch a model, the likeliest first; a pin leaves those it names."""
        catalog = yield from self._fleet.selection.catalog()
        servers = sorted((each for each in catalog.found if each.server.kind), key=_rank)
        pin, rest = split_pin(name)
        pinned = [each for each in servers if pin and _is_pinned_to(each, pin)]
        if pinned:
            return [(each, rest) for each in pinned]
        if pin.casefold() in self._keepers:
            raise NoServerError(
                f"No server of the kind {pin} answered.", hint="Start one, or pull without the pin."
            )
        able = [each for each in servers if KINDS[cast("Kind", each.server.kind)].can_pull]
        able.sort(key=lambda each: not _is_named_as_in_its_catalogue(each, name))
        return [(each, name) for each in able or servers[:1]]


def _described(place: Place) -> Flow[ModelInfo]:
    """Ask what a model can do, where the listing leaves it open."""
    model = place.model
    if not KINDS[model.kind].tells_more_by_show or model.capabilities is not None:
        return model
    try:
        return (yield from KINDS[model.kind].dialect.show(_target(place)))
    except LocalMixError:
        return model  # what the listing says is true all the same


def _exact(catalog: Catalog, name: str) -> list[Place]:
    places = catalog.exact(name)
    if not places:
        raise not_exact(name, catalog)
    return places


def _only(places: Sequence[Place], name: str) -> Place:
    """Refuse to choose which of several models is meant."""
    if len(places) > 1:
        pins = ", ".join(map(_pinned, places))
        raise ConfigError(f"{name} is on {len(places)} servers.", hint=f"Name one: {pins}.")
    return places[0]


def not_exact(name: str, catalog: Catalog) -> ModelNotFoundError:
    """Say that nothing is called exactly so, and what a request for the name would take."""
    meant = catalog.places(name)
    if not meant:
        return no_model(name, "chat", catalog)
    names = [place.model.name for place in meant]
    return ModelNotFoundError(
        f"No server has a model that is called exactly {name!r}.",
        hint=f"Nothing was changed. If you mean {' or '.join(map(_pinned, meant))}, say so.",
        available=tuple(dict.fromkeys([*names, *catalog.nearest(name)])),
    )


def _pinned(place: Place) -> str:
    return f"{place.found.server.name}/{place.model.name}"


def _target(place: Place) -> Target:
    return Target(place.found.endpoint, place.model)


def _rank(found: Found) -> tuple[object, ...]:
    return found.rank


def _is_pinned_to(found: Found, pin: str) -> bool:
    return pin.casefold() in (found.server.kind, found.server.name.casefold())


def _is_named_as_in_its_catalogue(found: Found, name: str) -> bool:
    """Tell `publisher/name` from `name:tag`; what begins with a host is in nobody's catalogue."""
    before, rest = split_pin(name)
    has_publisher = bool(before) and "." not in before and ":" not in rest
    return KINDS[cast("Kind", found.server.kind)].names_publishers is has_publisher
