"""Whatever gets answers, with those that were had before taken from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from localmix.caching.keys import answer_key, may_be_kept, vector_keys
from localmix.caching.records import dump_deltas, dump_vector, load_deltas, load_vector
from localmix.errors import LocalMixError, TimedOutError
from localmix.routing.answering import Answering
from localmix.routing.fleet import Fleet
from localmix.routing.needs import needs_of
from localmix.routing.places import find_places
from localmix.routing.ranking import Ranked
from localmix.routing.weights import weights_of
from localmix.servers.progress import Progress
from localmix.types import (
    ChatResult,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Route,
    SkippedText,
    Timings,
    Usage,
)
from localmix.types.fold import fold, unfold
from localmix.wire.flows import Emit, Flow, Source, call

if TYPE_CHECKING:
    from localmix.caching.store import Store

_REASON = "in the cache: this model was asked the same before"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request would go, and where its answer may be kept."""

    store: Store
    candidates: Sequence[Ranked]

    @property
    def weights(self) -> str:
        """What identifies the weights of the model that would be asked."""
        return weights_of(self.candidates[0].place.model)

    @property
    def route(self) -> Route:
        """The route of an answer that nobody had to be asked for."""
        best = self.candidates[0].place
        return Route(best.found.server, best.model.name, _REASON)

    def weights_at(self, route: Route | None) -> str:
        """Say what identifies the weights of the model that answered; empty if nobody knows."""
        for place in (each.place for each in self.candidates):
            if route and (place.found.server.url, place.model.name) == (
                route.server.url,
                route.model,
            ):
                return weights_of(place.model)
        return ""


class Cached:
    """Answers that are there already; what is not is asked for, and kept.

    Nothing is looked for unless the settings say where. The model that would be asked now decides
    what is found, and the one that has answered under which weights that is kept.
    """

    def __init__(self, answering: Answering, fleet: Fleet) -> None:
        self._one = answering
        self._fleet = fleet
        self._store: Store | None = None

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""
        began = self._fleet.clock()
        place = yield from self._place(request)
        if place is None:
            return (yield from self._one.generate(request))
        if deltas := (yield from _kept(place, request)):
            timings = Timings(total=self._fleet.clock() - began)
            result = replace(fold(deltas), route=place.route, timings=timings)
            with self._fleet.watch(request) as watch:
                watch.result = result
            return result
        result = yield from self._one.generate(request)
        yield from _keep(place, request, [unfold(result)], result.route)
        return result

    def stream(self, request: GenerationRequest, progress: Progress) -> Source[None]:
        """Get an answer as it is written; one that is there comes in the same steps as it did."""
        progress.begin()
        place = yield from self._place(request)
        if place is None:
            yield from self._one.stream(request, progress)
        elif deltas := (yield from _kept(place, request)):
            progress.follow(place.route, None)
            with self._fleet.watch(request, is_streamed=True) as watch:
                for delta in deltas:
                    yield Emit(progress.take(delta))
                watch.result = progress.result
        else:
            deltas = progress.keep()
            yield from self._one.stream(request, progress)
            yield from _keep(place, request, deltas, progress.route)

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of some texts; only those that are not there are asked for."""
        place = yield from self._place(request)
        if place is None or not request.texts:
            return (yield from self._one.embed(request))
        keys, known = yield from call(partial(_known_vectors, place, request))
        missing = dict(zip(keys, request.texts, strict=True))
        missing = {key: text for key, text in missing.items() if key not in known}
        if not missing:
            return self._all_known(request, place, [known[key] for key in keys])
        asked = request.model_copy(update={"texts": tuple(missing.values())})
        result = yield from self._one.embed(asked)
        new = dict(zip(missing, result.vectors, strict=True))
        is_same = place.weights_at(result.route) == place.weights
        is_mixed = known and any(new.values()) and not (is_same and _are_alike(known, new))
        if is_mixed:  # another model had to answer
            return (yield from self._one.embed(request))
        if is_same:
            yield from call(partial(_keep_vectors, place.store, new))
        result = replace(result, route=result.route or place.route)
        return _joined(keys, known, new, result)

    def _place(self, request: GenerationRequest | EmbedRequest) -> Flow[_Place | None]:
        """Find out which model would be asked; `None` where nothing is to be kept of it."""
        if not self._fleet.settings.cache or not may_be_kept(request):
            return None
        store = self._store = self._store or (yield from call(self._open))
        if store is None:
            return None
        try:
            candidates = yield from find_places(self._fleet, needs_of(request))
        except TimedOutError:
            raise
        except LocalMixError:
            return None  # whoever is to answer will say so
        place = _Place(store, candidates)
        return place if place.weights else None

    def _open(self) -> Store | None:
        from localmix.caching.store import store_of

        return store_of(self._fleet.settings)

    def _all_known(
        self, request: EmbedRequest, place: _Place, vectors: list[list[float]]
    ) -> EmbedResult:
        route = place.route
        result = EmbedResult(
            vectors, route.model, Usage(0, 0), Timings(), route, cached=len(vectors)
        )
        with self._fleet.watch(request) as watch:
            watch.result = result
        return result


def _kept(place: _Place, request: GenerationRequest) -> Flow[list[Delta]]:
    key = answer_key(place.weights, request)
    found = yield from call(partial(place.store.get, [key]))
    return load_deltas(found[key]) if key in found else []


def _keep(
    place: _Place, request: GenerationRequest, deltas: Sequence[Delta], route: Route | None
) -> Flow[None]:
    """Keep a whole answer, under the weights that have given it."""
    weights = place.weights_at(route)
    if weights and deltas and deltas[-1].finish_reason:
        key = answer_key(weights, request)
        yield from call(lambda: _put_answer(place.store, key, deltas))


def _put_answer(store: Store, key: bytes, deltas: Sequence[Delta]) -> None:
    if data := dump_deltas(deltas):
        store.put({key: data})


def _known_vectors(
    place: _Place, request: EmbedRequest
) -> tuple[list[bytes], dict[bytes, list[float]]]:
    """Give the keys of all texts, and the vectors that are there."""
    keys = vector_keys(place.weights, request)
    found = place.store.get(list(dict.fromkeys(keys)))
    return keys, {key: vector for key, data in found.items() if (vector := load_vector(data))}


def _keep_vectors(store: Store, new: Mapping[bytes, list[float]]) -> None:
    store.put({key: dump_vector(vector) for key, vector in new.items() if vector})


def _are_alike(known: Mapping[bytes, list[float]], new: Mapping[bytes, list[float]]) -> bool:
    """Tell whether vectors have one length; those of texts that were left out are empty."""
    lengths = {len(vector) for vector in (*known.values(), *new.values())}
    return len(lengths - {0}) == 1


def _joined(
    keys: Sequence[bytes],
    known: Mapping[bytes, list[float]],
    new: Mapping[bytes, list[float]],
    result: EmbedResult,
) -> EmbedResult:
    """Put the vectors into the order of the texts."""
    order = list(new)
    reasons = {order[text.index]: text.reason for text in result.skipped}
    return replace(
        result,
        vectors=[known[key] if key in known else new[key] for key in keys],
        skipped=tuple(
            SkippedText(place, reasons[key]) for place, key in enumerate(keys) if key in reasons
        ),
        cached=sum(key in known for key in keys),
    )
