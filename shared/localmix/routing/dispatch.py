"""Carry a request to an answer: one server after the other, until one has spoken.

Before the first delta whatever fails here may work elsewhere; from then on an error is final, so
that there are never two answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from localmix.dialects import KINDS, Dialect, Target, unreadable
from localmix.errors import (
    Attempt,
    AuthenticationError,
    ConfigError,
    LocalMixError,
    ModelNotFoundError,
    ProtocolError,
    RequestRejectedError,
    TimedOutError,
    TransportError,
    UnsupportedFeatureError,
    UnusableAnswerError,
)
from localmix.observing import Watch
from localmix.routing.catalog import Place
from localmix.routing.fleet import Fleet
from localmix.routing.loading import Loading, endpoint_for, window_for
from localmix.routing.needs import Needs
from localmix.routing.places import deadline_of, find_places
from localmix.routing.queueing import Queue
from localmix.routing.ranking import Ranked, is_loaded, reason_of
from localmix.routing.refusals import call_mute, out_of_time
from localmix.routing.retries import Retry, RetryBudget
from localmix.servers import Lease
from localmix.types import Route
from localmix.wire.flows import Flow, Gather, Open, Outcome, Request, Timeouts, wait

T = TypeVar("T")

# How much longer than foretold a loaded model may take over a prompt before it counts as silent.
_PATIENCE = 4.0
# No server is believed busy for longer only because it was hung up on.
_LONGEST_BELIEF = 60.0


@dataclass(frozen=True, slots=True)
class Errand(Generic[T]):
    """What is to be done: what a request needs, how it is put, how its answer is read.

    Attributes:
        watch: Whom to tell how it goes.
        step: How it is put; the last argument says whether silence is to be noticed, so that the
            answer must be sent piece by piece.
        is_heard: Whether it can be put so.
    """

    needs: Needs
    step: Callable[[Dialect, Target, bool], Request | Open | Gather]
    read: Callable[[Dialect, Target, Outcome], T]
    watch: Watch
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer, or its beginning, and the hold on the server that gives it."""

    answer: T
    route: Route
    lease: Lease


@dataclass(slots=True)
class _Log:
    """What has been tried for one request."""

    deadline: float
    watch: Watch
    attempts: list[Attempt] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


class Dispatch:
    """The tries at one server after the other, until one answers."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._clock = fleet.clock
        self._budget = RetryBudget()
        self._queue = Queue(fleet)

    def run(self, errand: Errand[T]) -> Flow[Answered[T]]:
        """Get an answer, or the error of the last server with every attempt in it."""
        log = _Log(deadline_of(self._fleet), errand.watch)
        retry = Retry(self._fleet.settings.max_retries, self._budget)
        candidates = yield from find_places(self._fleet, errand.needs, log.deadline)
        while True:
            seen = len(log.attempts)
            answered = yield from self._round(errand, candidates, log)
            if answered:
                self._budget.refund()
                return answered
            errors = [attempt.error for attempt in log.attempts[seen:]]
            new = yield from self._elsewhere(errand, errors, log)
            if not new and not (yield from self._pause(retry, errors, log)):
                raise errors[-1].tried(tuple(log.attempts))
            candidates = new or candidates

    def _round(
        self, errand: Errand[T], candidates: Sequence[Ranked], log: _Log
    ) -> Flow[Answered[T] | None]:
        """Try each place once, the best first; `None` if all have failed with what may pass."""
        left = list(candidates)
        while left:
            queued_at = self._clock()
            chosen = yield from self._queue.slot(errand.needs, left, log.deadline, log.attempts)
            waited = self._clock() - queued_at
            left = [each for each in left if each.place is not chosen.place]
            if refusal := self._fleet.selection.claim(chosen.place, errand.needs):
                chosen.vitals.slots.release()
                log.attempts.append(Attempt(chosen.place.found.server.url, refusal))
                continue
            reason = reason_of([chosen, *left])
            log.places.append(chosen.place)
            log.watch.tried(chosen.place.found.server, chosen.place.model.name, reason, waited)
            lease = self._lease(chosen, errand.needs)
            try:
                answer = yield from self._try(errand, chosen, lease, log, is_last=not left)
            except Exception as raised:  # noqa: BLE001  (the last wall: what nobody foresaw)
                url = chosen.place.found.server.url
                error = raised if isinstance(raised, LocalMixError) else unreadable(url, raised)
                lease.failed(error)
                lease.release()
                self._fleet.selection.give_up(chosen.place, errand.needs)
                self._note(error, chosen.place, log)
            except BaseException:
                lease.release()
                self._fleet.selection.give_up(chosen.place, errand.needs)
                raise
            else:
                self._fleet.selection.remember(chosen.place, errand.needs)
                return Answered(answer, self._route(chosen.place, reason, errand.needs, log), lease)
        return None

    def _route(self, place: Place, reason: str, needs: Needs, log: _Log) -> Route:
        tried = {each.found.server.url for each in log.places}
        skipped = self._fleet.selection.skipped(place, needs, tried)
        log.watch.skipped(skipped)
        route = Route(place.found.server, place.model.name, reason, tuple(log.attempts), skipped)
        log.watch.accepted(route)
        return route

    def _lease(self, chosen: Ranked, needs: Needs) -> Lease:
        """Hold the server."""
        model, vitals = chosen.place.model, chosen.vitals
        goes_on = 0.0
        if KINDS[model.kind].may_write_on:
            seconds = vitals.rates[model.name].seconds(0, needs.output_tokens, is_loaded=True)
            goes_on = min(seconds, _LONGEST_BELIEF)
        return Lease(
            vitals, model.name, self._clock, self._fleet.settings.max_failures, goes_on=goes_on
        )

    def _try(
        self, errand: Errand[T], chosen: Ranked, lease: Lease, log: _Log, *, is_last: bool
    ) -> Flow[T]:
        place, dialect = chosen.place, KINDS[chosen.place.model.kind].dialect
        with Loading(place, chosen.vitals, self._clock) as loading:
            yield from loading.wait_for_others(log.deadline)
            left = log.deadline - self._clock()
            endpoint = yield from endpoint_for(place, self._fleet.engine, left)
            is_warm = is_loaded(place, chosen.vitals)
            is_watched = is_warm and errand.is_heard and not is_last
            timeouts = self._bounds(errand, chosen, log, is_watched=is_watched)
            if timeouts is not endpoint.timeouts:
                endpoint = replace(endpoint, timeouts=timeouts)
            window = window_for(place, chosen.vitals, errand.needs)
            target = Target(endpoint, place.model, window, place.found.server.own_version)
            began = self._clock()
            (outcome,) = yield [errand.step(dialect, target, is_watched)]
            if isinstance(outcome, LocalMixError):
                if is_warm and self._clock() - began >= timeouts.first_byte:
                    call_mute(outcome, place)
                raise outcome
            answer = errand.read(dialect, target, outcome)
            lease.spoke(window)
            return answer

    def _bounds(
        self, errand: Errand[T], chosen: Ranked, log: _Log, *, is_watched: bool
    ) -> Timeouts:
        """Bound the waiting: a model that is loaded should begin soon, if there is another place.

        An answer that is sent whole comes at once, and may take its time.
        """
        bounds = chosen.place.found.endpoint.timeouts
        if log.deadline < float("inf"):
            bounds = replace(bounds, total=log.deadline - self._clock())
        if not is_watched:
            return bounds
        rates = chosen.vitals.rates[chosen.place.model.name]
        reading = _PATIENCE * rates.prompt_seconds(errand.needs.prompt_tokens)
        warm = max(self._fleet.settings.warm_first_byte_timeout, reading)
        if warm >= bounds.first_byte:
            return bounds
        return replace(bounds, first_byte=warm, first_byte_by="warm_first_byte_timeout")

    def _note(self, error: LocalMixError, place: Place, log: _Log) -> None:
        """Keep a failure; raise it if no other server would do better."""
        url = place.found.server.url
        error.server = error.server or url
        log.attempts.append(Attempt(url, error))
        log.watch.failed(place.found.server, place.model.name, error)
        if isinstance(error, _CHANGED):
            self._fleet.selection.doubt(place)
        is_late = self._clock() >= log.deadline
        if is_final(error) or (is_late and isinstance(error, TimedOutError)):
            raise error.tried(tuple(log.attempts)) from error.__cause__
        if is_late:
            raise out_of_time(self._fleet.settings).tried(tuple(log.attempts)) from error

    def _elsewhere(
        self, errand: Errand[T], errors: Sequence[LocalMixError], log: _Log
    ) -> Flow[list[Ranked]]:
        """Look for servers that came, or changed, since the request was sent out."""
        if not any(isinstance(error, _CHANGED) for error in errors):
            return []
        try:
            if errand.needs.model is None and any(map(_is_for_something_else, errors)):
                # The model was a guess, and a wrong one: there may be a better one.
                found = yield from self._fleet.selection.places(errand.needs, log.deadline)
                tried = {place.key for place in log.places}
                return [each for each in found if each.place.key not in tried]
            return (
                yield from self._fleet.selection.changed(log.places, errand.needs, log.deadline)
            )
        except LocalMixError:
            return []  # what was tried tells more

    def _pause(self, retry: Retry, errors: Sequence[LocalMixError], log: _Log) -> Flow[bool]:
        pause = retry.pause_after(errors)
        if pause is None or self._clock() + pause >= log.deadline:
            return False
        yield from wait(pause)
        return True


# After these a server may be another one, or none, or hold other models than it did.
_CHANGED = (TransportError, ModelNotFoundError, ProtocolError, UnsupportedFeatureError)


def _is_for_something_else(error: LocalMixError) -> bool:
    return isinstance(error, UnsupportedFeatureError) and bool(error.purpose)


def is_final(error: LocalMixError) -> bool:
    """Tell whether the next server would only say the same."""
    return isinstance(
        error, ConfigError | RequestRejectedError | UnusableAnswerError
    ) and not isinstance(error, UnsupportedFeatureError | AuthenticationError)


def route_to(candidates: Sequence[Ranked]) -> Route:
    """Write down the choice of the first of some candidates."""
    best = candidates[0].place
    return Route(best.found.server, best.model.name, reason_of(candidates))
