"""A model is loaded once: however many ask for it at the same moment, and whatever they ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from localmix.dialects import KINDS, Endpoint
from localmix.embedded import started
from localmix.embedded.engine import Engine
from localmix.errors import LocalMixError, TimedOutError
from localmix.routing.catalog import Place
from localmix.routing.needs import Needs
from localmix.routing.ranking import answered_since, is_loaded
from localmix.servers import Vitals
from localmix.wire.flows import Flow, wait
from localmix.wire.gate import Gate

# Seconds between looks whether the model that somebody else loads is there.
_LOOK_EVERY = 1.0


def window_for(place: Place, vitals: Vitals, needs: Needs) -> int | None:
    """Choose the context window to ask for: the one that stands, if it is wide enough.

    Quirk (ollama 0.12.11, 0.33.0-rc2): another `num_ctx` than the model was loaded with, or none
    where it was loaded with one, loads it anew. The listing tells the window after it was cut to
    what the model was trained for: at that length nobody knows what was asked for, mostly nothing.
    """
    model = place.model
    if not KINDS[model.kind].reloads_for_window:
        return None
    listed, ours = model.loaded_context_length or 0, vitals.windows.get(model.name, 0)
    is_ours = ours == listed or answered_since(place, vitals)
    if needs.window:
        return max(needs.window, listed, ours if is_ours else 0)
    if is_ours:
        return ours or None
    is_cut = model.context_length is not None and listed >= model.context_length
    return None if is_cut else listed or None


def endpoint_for(place: Place, engine: Engine, patience: float) -> Flow[Endpoint]:
    """Say where the bytes go; the embedded engine is started for it, within so many seconds."""
    endpoint = place.found.endpoint
    if not KINDS[place.model.kind].is_started_here:
        return endpoint
    bound = min(endpoint.timeouts.first_byte, patience)
    url, headers = yield from started(engine, place.model.name, bound)
    return replace(endpoint, url=url, headers=headers)


class Turn:
    """The right to load a model at its server, in a `with` block; others wait for it."""

    def __init__(self, vitals: Vitals, place: Place) -> None:
        self._vitals = vitals
        self._place = place
        self._is_ours = False

    def wait(self, patience: float) -> Flow[None]:
        """Wait for as long as somebody else loads the model.

        Raises:
            TimedOutError: That takes longer than our patience.
        """
        while gate := self._take():
            if not (yield from wait(patience, gate)):
                raise self._still_loading(patience)

    def _take(self) -> Gate | None:
        gate = self._vitals.begin_loading(self._place.model.name)
        self._is_ours = gate is None
        return gate

    def _still_loading(self, seconds: float) -> TimedOutError:
        server, name = self._place.found.server.url, self._place.model.name
        return TimedOutError(
            f"{server} is still loading {name} for another request, after {seconds:.3g} s."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        if self._is_ours:
            self._vitals.end_loading(self._place.model.name)


class Loading(Turn):
    """The load that one request causes, in a `with` block; the others are held back meanwhile.

    Quirk (lmstudio 0.3, 0.4): requests for a model that is not loaded each load a copy of it
    (lmstudio-bug-tracker#1751). Ollama puts such requests in a queue by itself.
    """

    def __init__(self, place: Place, vitals: Vitals, clock: Callable[[], float]) -> None:
        super().__init__(vitals, place)
        self._clock = clock

    def wait_for_others(self, deadline: float) -> Flow[None]:
        """Go on when the model is loaded, or when this request is the one to load it.

        Raises:
            TimedOutError: Nobody has loaded it in time.
        """
        while KINDS[self._place.model.kind].copies_on_load and not self._is_loaded:
            gate = self._take()
            if gate is None:
                return
            began = self._clock()
            patience = self._place.found.endpoint.timeouts.first_byte
            deadline = min(deadline, began + patience)
            while not (yield from wait(min(_LOOK_EVERY, deadline - self._clock()), gate)):
                if (yield from self._is_listed_as_loaded()):
                    return
                if self._clock() >= deadline:
                    raise self._still_loading(self._clock() - began)

    @property
    def _is_loaded(self) -> bool:
        return is_loaded(self._place, self._vitals)

    def _is_listed_as_loaded(self) -> Flow[bool]:
        try:
            dialect = KINDS[self._place.model.kind].dialect
            place = self._place.found.endpoint.within(_LOOK_EVERY)
            models = (yield from dialect.list_models(place)).models
        except LocalMixError:
            return False
        return any(model.loaded for model in models if model.name == self._place.model.name)
