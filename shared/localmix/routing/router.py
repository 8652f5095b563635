"""The flows behind the façade's methods."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from localmix.dialects import DIALECTS, Dialect, Target
from localmix.discovery import Directory, Found, directory_of
from localmix.embedded.engine import Engine
from localmix.routing.dispatch import Answered, Dispatch, Errand, route_to
from localmix.routing.needs import Needs, needs_of
from localmix.routing.retries import RetryBudget
from localmix.routing.selection import Selection
from localmix.servers import Lease, vitals_of
from localmix.settings import Settings
from localmix.types import (
    ChatRequest,
    ChatResult,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    ModelInfo,
    Purpose,
    Route,
    RouteRequest,
    Server,
)
from localmix.types.fold import fold, unfold
from localmix.wire.flows import (
    Flow,
    Gather,
    Open,
    Opened,
    Outcome,
    Request,
    Response,
    Returned,
    spawn,
    wait,
)

A = TypeVar("A", ChatResult, EmbedResult)


@dataclass(frozen=True, slots=True)
class Started:
    """Hold a stream that has spoken: opened, or given whole by a server that does not stream."""

    route: Route
    lease: Lease | None = None
    opened: Opened | None = None
    whole: tuple[Delta, ...] = ()


class Router:
    """Find a place for each request, and carry on elsewhere when one fails."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = Engine(settings.models_path, settings.embedded_context_length)
        self.directory = directory_of(settings, self.engine, clock)
        self.selection = Selection(settings, self.directory, clock)
        self._dispatch = Dispatch(settings, self.selection, self.engine, RetryBudget(), clock)
        self._watch = _Watch()

    # What there is

    def servers(self) -> Flow[list[Server]]:
        """Ask all candidates now and give the verdict on each."""
        found = yield from self.directory.refresh()
        return [self._with_state(each) for each in found]

    def listing(self) -> Flow[list[ModelInfo]]:
        """List the models of all servers, read now."""
        catalog = yield from self.selection.catalog()
        return [place.model for place in catalog.everything]

    def show(self, name: str) -> Flow[ModelInfo]:
        """Describe one model as fully as its server can."""
        best = (yield from self.selection.places(Needs(name)))[0].place
        if best.model.kind == "embedded":
            return best.model
        target = Target(best.found.endpoint, best.model)
        return (yield from DIALECTS[best.model.kind].show(target))

    def known(self, name: str | None, purpose: Purpose) -> ModelInfo | None:
        """Give the model that a request would go to, by what is known now; nobody is asked."""
        best = next(iter(self.selection.known(Needs(name, purpose))), None)
        return best.place.model if best else None

    def route(self, request: RouteRequest) -> Flow[Route]:
        """Tell where a request would go, and where next, without sending it."""
        needs = Needs(request.model, request.purpose, request.needs, request.num_ctx)
        candidates = yield from self.selection.places(needs)
        routes = [route_to(candidates[place:]) for place in range(len(candidates))]
        best = candidates[0].place
        skipped = self.selection.skipped(best, needs, {best.found.server.url})
        return replace(routes[0], alternatives=tuple(routes[1:]), skipped=skipped)

    # Requests

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""

        def step(dialect: Dialect, target: Target, is_watched: bool) -> Request | Gather:
            # Quirk (xllamacpp 2026.9): whoever leaves a stream stops the engine, but an answer that
            # is not streamed is written to its end.
            if is_watched or target.model.kind == "embedded":
                return Gather(_opening(dialect, target, request))
            return dialect.generation_request(target, request, stream=False)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> ChatResult:
            if isinstance(outcome, Returned):
                return fold(outcome.value)
            return dialect.parse_generation(target, request, cast("Response", outcome))

        errand = Errand(needs_of(request), step, read, is_heard=_loses_nothing(request))
        return (yield from self._whole(errand))

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of some texts, all from one model."""
        if not request.texts:
            return EmbedResult(vectors=[], model=request.model or "")

        def step(dialect: Dialect, target: Target, _: bool) -> Request:
            return dialect.embed_request(target, request)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> EmbedResult:
            return dialect.parse_embed(target, request, cast("Response", outcome))

        return (yield from self._whole(Errand(needs_of(request), step, read)))

    def start(self, request: GenerationRequest) -> Flow[Started]:
        """Open a stream and wait for its first delta."""

        def step(dialect: Dialect, target: Target, _: bool) -> Open:
            return _opening(dialect, target, request)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> Opened | ChatResult:
            if isinstance(outcome, Opened):
                return outcome
            return dialect.parse_generation(target, request, cast("Response", outcome))

        yield from self._begin_watch()
        errand = Errand(needs_of(request), step, read, is_heard=True)
        done = yield from self._dispatch.run(errand)
        if isinstance(done.answer, Opened):
            return Started(done.route, done.lease, opened=done.answer)
        return Started(done.route, done.lease, whole=(unfold(done.answer),))

    def _whole(self, errand: Errand[A]) -> Flow[A]:
        yield from self._begin_watch()
        started = self.clock()
        done: Answered[A] = yield from self._dispatch.run(errand)
        with done.lease:
            timings = done.answer.timings
            total = timings.total or self.clock() - started
            timings = replace(timings, total=total)
            done.lease.succeeded(done.answer.usage, timings)
            return replace(done.answer, route=done.route, timings=timings)

    # Beside the requests

    def _begin_watch(self) -> Flow[None]:
        """Begin to look at all servers again and again, if the user wants that."""
        pause = self.settings.monitor_every
        if pause and not self._watch.is_kept:
            yield from spawn(self._watch.keep(self.directory, pause))

    def _with_state(self, found: Found) -> Server:
        state = vitals_of(found.server.url).health.state(self.clock())
        return replace(found.server, state=state)


class _Watch:
    """Whether somebody looks at the servers again and again; it keeps no client alive.

    It ends with the driver that it runs in, and has to be begun anew in a forked child.
    """

    def __init__(self) -> None:
        self._process = 0

    @property
    def is_kept(self) -> bool:
        """Whether it runs in this process."""
        return self._process == os.getpid()

    def keep(self, directory: Directory, pause: float) -> Flow[None]:
        """Look again and again, unless somebody does."""
        if self.is_kept:
            return
        self._process = os.getpid()
        try:
            while True:
                yield from wait(pause)
                yield from directory.refresh()
        finally:
            self._process = 0


def _loses_nothing(request: GenerationRequest) -> bool:
    """Tell whether a whole answer may as well be asked for as a stream.

    Calls of tools are safer whole, and nobody knows what is asked for in `extra`.
    """
    return not request.extra and not (isinstance(request, ChatRequest) and request.tools)


def _opening(dialect: Dialect, target: Target, request: GenerationRequest) -> Open:
    return Open(
        dialect.generation_request(target, request, stream=True),
        dialect.generation_decoder(target, request),
    )
