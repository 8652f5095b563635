"""Requests carried to an answer: how each is put to a server, and how its answer is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, cast

from localmix.dialects import KINDS, Dialect, Target
from localmix.errors import LocalMixError
from localmix.routing.dispatch import Answered, Dispatch, Errand
from localmix.routing.fleet import Fleet
from localmix.routing.monitoring import Monitor
from localmix.routing.needs import needs_of
from localmix.servers.progress import Progress, reckoned
from localmix.types import (
    ChatRequest,
    ChatResult,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
)
from localmix.types.fold import fold, unfold
from localmix.wire.flows import (
    Emit,
    Flow,
    Forward,
    Gather,
    Open,
    Opened,
    Outcome,
    Request,
    Response,
    Returned,
    Source,
)

A = TypeVar("A", ChatResult, EmbedResult)


class Requests:
    """Requests on their way: each finds a place, and goes on elsewhere when one fails."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._dispatch = Dispatch(fleet)
        self._monitor = Monitor()

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""

        def step(dialect: Dialect, target: Target, is_watched: bool) -> Request | Gather:
            if is_watched or KINDS[target.model.kind].stops_only_streams:
                return Gather(_opening(dialect, target, request))
            return dialect.generation_request(target, request, stream=False)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> ChatResult:
            if isinstance(outcome, Returned):
                return fold(outcome.value)
            return dialect.parse_generation(target, request, cast("Response", outcome))

        with self._fleet.watch(request) as watch:
            is_heard = _loses_nothing(request)
            errand = Errand(needs_of(request), step, read, watch, is_heard=is_heard)
            return (yield from self._whole(errand))

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of some texts, all from one model."""
        if not request.texts:
            return EmbedResult(vectors=[], model=request.model or "")

        def step(dialect: Dialect, target: Target, _: bool) -> Request:
            return dialect.embed_request(target, request)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> EmbedResult:
            return dialect.parse_embed(target, request, cast("Response", outcome))

        with self._fleet.watch(request) as watch:
            return (yield from self._whole(Errand(needs_of(request), step, read, watch)))

    def stream(self, request: GenerationRequest, progress: Progress) -> Source[None]:
        """Get an answer as it is written; one that is not streamed comes as a single delta."""

        def step(dialect: Dialect, target: Target, _: bool) -> Open:
            return _opening(dialect, target, request)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> Opened | ChatResult:
            if isinstance(outcome, Opened):
                return outcome
            return dialect.parse_generation(target, request, cast("Response", outcome))

        progress.begin()
        with self._fleet.watch(request, is_streamed=True) as watch:
            try:
                yield from self._monitor.begin(self._fleet)
                errand = Errand(needs_of(request), step, read, watch, is_heard=True)
                done = yield from self._dispatch.run(errand)
                progress.follow(done.route, done.lease, watch.spoke)
                yield from _told(done.answer, progress)
            except LocalMixError as error:
                progress.fail(error)
                raise
            finally:
                progress.end()
                watch.result = progress.result if watch else None

    def _whole(self, errand: Errand[A]) -> Flow[A]:
        yield from self._monitor.begin(self._fleet)
        began = self._fleet.clock()
        done: Answered[A] = yield from self._dispatch.run(errand)
        with done.lease:
            timings = reckoned(done.answer.timings, began, None, self._fleet.clock())
            done.lease.succeeded(done.answer.usage, timings)
            result = replace(done.answer, route=done.route, timings=timings)
            errand.watch.result = result
            return result


def _told(answer: Opened | ChatResult, progress: Progress) -> Source[None]:
    """Hand on what comes of a stream."""
    if isinstance(answer, ChatResult):
        yield Emit(progress.take(unfold(answer)))
        return
    for outcome in (yield Forward(answer, progress.take)):
        if isinstance(outcome, LocalMixError):
            raise outcome


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
