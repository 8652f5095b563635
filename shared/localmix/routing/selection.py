"""Where a request may go: what is known of the servers, narrowed down to what can serve it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from math import inf

from localmix.discovery import Directory, Found
from localmix.errors import (
    Attempt,
    LocalMixError,
)
from localmix.routing.affinity import Affinity
from localmix.routing.catalog import NOT_NAMED, Catalog, Place
from localmix.routing.descriptions import Descriptions
from localmix.routing.needs import Needs
from localmix.routing.pins import broken_pin
from localmix.routing.ranking import Ranked, objection_to, order_of, ranked
from localmix.routing.refusals import (
    no_model,
    no_server,
    not_the_same,
    only_in_a_cloud,
    unable,
)
from localmix.routing.sameness import Sameness
from localmix.servers import Memory, Vitals
from localmix.servers.memory import key_of
from localmix.settings import Settings
from localmix.types import ModelInfo, Purpose, Skip
from localmix.types.names import canonical
from localmix.wire.flows import Flow

_log = logging.getLogger("localmix.routing")
_RECENT_SECONDS = 1.0
_OTHER: dict[Purpose, Purpose] = {"chat": "embedding", "embedding": "chat"}


class Selection:
    """The places for a request, the best first.

    Attributes:
        descriptions: What servers tell of a model beyond what they list.
        sameness: Which models are the same.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        memory: Memory,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._memory = memory
        self._clock = clock
        self.sameness = Sameness(memory)
        self._last = Catalog((), {})
        self.descriptions = Descriptions(settings.probe_timeout)
        self._ours: set[str] = set()
        self._affinity = Affinity(clock)

    def places(self, needs: Needs, deadline: float = inf) -> Flow[list[Ranked]]:
        """List the places for a request, the best first.

        Args:
            needs: What the request needs.
            deadline: When to wait no longer for servers to show what they are.

        Raises:
            NoServerError: No server answers.
            AuthenticationError: A server answers, and wants a token; no other one does.
            ModelNotFoundError: No server has the model.
            UnsupportedFeatureError: No server that has it can do what is asked.
        """
        found = yield from self._read(needs, deadline)
        places = self._named(found, needs)
        if not places and self._directory.age > _RECENT_SECONDS:
            found = yield from self._directory.refresh(deadline)
            places = self._named(found, needs)
        apart = self._apart(found, needs, places)
        if not places and not apart:
            raise self._nothing(found, needs)
        if apart:
            self._tell_apart(needs, apart, places)
        return (yield from self._able(places, needs))

    def _apart(
        self, found: Sequence[Found], needs: Needs, places: Sequence[Place]
    ) -> Sequence[Place]:
        """List what is called as the model is, and is not known to be the same."""
        name = self._name(needs)
        alike = self._at_home(name, self._catalog(found).alike(name)) if name else ()
        if len(alike) == len(places):
            return ()
        kept = {place.key for place in places}
        return [place for place in alike if place.key not in kept]

    def _tell_apart(self, needs: Needs, apart: Sequence[Place], places: Sequence[Place]) -> None:
        """Warn once of models of one name that differ, or refuse them if they are all there is.

        Raises:
            ModelNotFoundError: Vectors came from another server before, which is away.
        """
        first = self._before(needs) or places[0].model
        if not places:
            raise not_the_same(first, apart[0])
        for place in apart:
            pair = key_of(first), key_of(place.model)
            if pair not in self._memory.told_apart:
                self._memory.told_apart.add(pair)
                _log.warning("%s", not_the_same(first, place).message)

    def doubtful(self, needs: Needs, deadline: float) -> Flow[list[Place]]:
        """List the models whose vectors must be compared before any of them is used for a request.

        Args:
            needs: What the request needs.
            deadline: When to wait no longer for servers to show what they are.
        """
        if needs.purpose != "embedding" or not needs.model:
            return []
        found = yield from self._read(needs, deadline)
        alike = self._catalog(found).alike(needs.model)
        first = self._before(needs) or (alike[0].model if alike else None)
        unknown = [place for place in alike if first and self._verdict(first, place) is None]
        if not (first and unknown):
            return []
        home = [place for place in alike if key_of(place.model) == key_of(first)]
        return [
            place
            for place in (*home, *unknown)
            if not self.sameness.fingerprint(place.model)
            and self.sameness.may_be_asked(place.model, place.found.asked_at)
        ]

    def _read(self, needs: Needs, deadline: float, *, alone: bool = False) -> Flow[Sequence[Found]]:
        """Ask what there is, until some of it could serve a request."""
        return self._directory.read(
            lambda some: bool(self._named(some, needs)), deadline, alone=alone
        )

    def _verdict(self, first: ModelInfo, place: Place) -> bool | None:
        return self.sameness.verdict(first, place.model)

    def _before(self, needs: Needs) -> ModelInfo | None:
        """Give the model whose vectors have come under the same name before."""
        is_named = needs.purpose == "embedding" and needs.model
        return self._memory.embedders.get(is_named) if is_named else None

    def catalog(self) -> Flow[Catalog]:
        """Ask all servers now.

        Raises:
            NoServerError: No server answers.
            AuthenticationError: A server answers, and wants a token; no other one does.
        """
        found = yield from self._directory.refresh()
        if _is_nobody_there(found):
            raise no_server(found, self._settings)
        return self._catalog(found)

    def known(self, needs: Needs) -> ModelInfo | None:
        """Give the model for a request by what is known; nobody is asked."""
        place = self._likely(needs)
        return self.descriptions.complete(place.model) if place else None

    def _likely(self, needs: Needs) -> Place | None:
        places = self._named(self._directory.known, needs)
        if len(places) > 1 and self._name(needs):
            return self.sort(places, needs)[0].place
        return places[0] if places else None

    def look(self, needs: Needs, deadline: float, *, alone: bool) -> Flow[None]:
        """Learn of the model that a request would go to, as far as nothing fresh is known of it.

        Args:
            needs: What the request needs.
            deadline: When to wait no longer.
            alone: Whether to rely on no probe of others.
        """
        yield from self._read(needs, deadline, alone=alone)
        left = deadline - self._clock()
        if left > 0 and (likely := self._likely(needs)):
            yield from self.descriptions.told_of(likely, left)

    def changed(self, tried: Sequence[Place], needs: Needs, deadline: float) -> Flow[list[Ranked]]:
        """Ask all servers again; list the places that are new since a request was tried in vain."""
        if self._directory.age <= _RECENT_SECONDS:
            return []
        found = yield from self._directory.refresh(deadline)
        keys = {place.key for place in tried}
        first = tried[0].model
        new = [
            place
            for place in self._named(found, needs)
            if place.key not in keys and (not needs.model or self._verdict(first, place))
        ]
        if not any(place.model.remote for place in tried):  # what ran here stays here
            new = [place for place in new if not place.model.remote]
        return (yield from self._able(new, needs)) if new else []

    def sort(self, places: Sequence[Place], needs: Needs) -> list[Ranked]:
        """Sort places by what is known now."""
        known = [(place, self._vitals(place.found)) for place in places]
        return ranked(known, needs, self._affinity.home(needs), self._clock())

    def remember(self, place: Place, needs: Needs) -> None:
        """Keep in mind which server has a conversation in its cache, and whose vectors came."""
        if needs.purpose == "embedding" and needs.model:
            self._memory.embedders[needs.model] = place.model
            self.give_up(place, needs)
        self._affinity.remember(place.found.server.url, needs)

    def claim(self, place: Place, needs: Needs) -> LocalMixError | None:
        """Keep other models away while a place is asked for vectors.

        Where none have come under this name before, nobody knows yet whose come first.

        Returns:
            Why it must not be asked, if vectors of another model have come meanwhile.
        """
        if needs.purpose != "embedding" or not needs.model:
            return None
        first = self._before(needs) or self._memory.claims.setdefault(needs.model, place.model)
        return None if self._verdict(first, place) else not_the_same(first, place)

    def give_up(self, place: Place, needs: Needs) -> None:
        """Let another model give the first vectors."""
        if needs.model and self._memory.claims.get(needs.model) is place.model:
            del self._memory.claims[needs.model]

    def skipped(self, chosen: Place, needs: Needs, tried: Collection[str]) -> tuple[Skip, ...]:
        """List the servers that come before a place in the user's order, and why they do not serve.

        Args:
            chosen: The place that does.
            needs: What the request needs.
            tried: URLs of the servers that were asked.
        """
        if chosen.is_pinned or needs.is_spread:
            return ()
        preferred = [
            each
            for each in self._directory.all
            if each.server.url not in tried and _comes_before(each, chosen.found)
        ]
        if not preferred:
            return ()
        places = self._named(self._directory.known, needs)
        first = {place.found.server.url: place for place in reversed(places)}
        why = [
            (url := each.server.url, self._why_not(each, first.get(url), chosen, needs))
            for each in preferred
        ]
        return tuple(Skip(url, reason) for url, reason in why if reason)

    def _why_not(self, found: Found, place: Place | None, chosen: Place, needs: Needs) -> str:
        """Say why a server was not asked; empty if nobody could expect that it would be."""
        if found.server.problem:
            return self._missed(found) if self._settings.is_named(found.server.url) else ""
        if place is None:
            return ""
        if broken := broken_pin(place.model, self._settings.digests):
            return broken.message
        if lacking := needs.lacking(self.descriptions.complete(place.model)):
            return f"{place.model.name} cannot {lacking}"
        ranks = {id(each.place): each for each in self.sort([place, chosen], needs)}
        return objection_to(ranks[id(place)], ranks[id(chosen)])

    def _vitals(self, found: Found) -> Vitals:
        return self._memory.vitals(found.server.url)

    def _missed(self, found: Found) -> str:
        """Warn of a server that is not there, once until it is there again."""
        problem, vitals = found.server.problem, self._vitals(found)
        if found.error and vitals.missed != problem:
            vitals.missed = problem
            _log.warning("%s cannot be used: %s", found.server.url, problem)
        return problem

    def doubt(self, place: Place) -> None:
        """Have a server asked again that behaves otherwise than it should."""
        self._directory.doubt(place.found.server.url)

    def _catalog(self, found: Sequence[Found]) -> Catalog:
        if found is not self._last.found:
            self._last = Catalog(found, self._settings.aliases, self.sameness)
        return self._last

    def _named(self, found: Sequence[Found], needs: Needs) -> list[Place]:
        """List what the name means; without a name, what would do, the most suitable first."""
        catalog = self._catalog(found)
        if name := self._name(needs):
            return self._at_home(name, catalog.places(name, self._before(needs)))
        for hint in self._settings.usual_models if needs.purpose == "chat" else ():
            if places := catalog.places(hint):
                return places
        now = self._clock()
        ranks = {each.server.url: self._vitals(each).health.rank(now) for each in found}
        suitable = [
            place
            for place in catalog.suitable(needs.purpose)
            if self._vitals(place.found).purposes.get(place.model.name) != _OTHER[needs.purpose]
        ]
        if not any(ranks.values()):
            return suitable
        return sorted(suitable, key=lambda place: ranks[place.found.server.url])

    def _at_home(self, name: str, places: list[Place]) -> list[Place]:
        """Leave out a cloud's model where the name has meant one of ours: that may be back soon."""
        name = canonical(name)
        if not all(place.model.remote for place in places):
            self._ours.add(name)
        return [] if name in self._ours and all(place.model.remote for place in places) else places

    def _able(self, places: Sequence[Place], needs: Needs) -> Flow[list[Ranked]]:
        """Leave out the models that cannot do what is needed, and sort the rest."""
        able: list[Place] = []
        problems: list[Attempt] = []
        waiting = iter(places)
        while place := next(waiting, None):
            if broken := broken_pin(place.model, self._settings.digests):
                problems.append(Attempt(place.found.server.url, broken))
                continue
            model = place.model
            if needs.capabilities and (told := (yield from self.descriptions.told_of(place))):
                model = replace(model, capabilities=told.capabilities, unsaid=told.unsaid)
            if lacking := needs.lacking(model):
                problems.append(unable(place, lacking))
                continue
            able.append(place if model is place.model else replace(place, model=model))
            if place.rule == NOT_NAMED:
                state = "loaded" if model.loaded else "installed"
                able[0] = replace(able[0], rule=f"{NOT_NAMED}: the first that is {state}")
                # A fail-over must not change the model: only its other places are alternatives.
                same = self._last.places(model.name)
                waiting = iter([other for other in same if other.key != place.key])
        if not able:
            raise problems[0].error.tried(tuple(problems))
        candidates = self.sort(able, needs)
        self._explain(candidates, problems, needs)
        return candidates

    def _explain(
        self, candidates: Sequence[Ranked], problems: Sequence[Attempt], needs: Needs
    ) -> None:
        """Write down the choice, for those who look closely."""
        if _log.isEnabledFor(logging.DEBUG):
            wanted = self._name(needs) or f"any model for {needs.purpose}"
            for problem in problems:
                _log.debug("%s: not %s: %s", wanted, problem.server, problem.error)
            _log.debug("%s: %s", wanted, order_of(candidates))

    def _nothing(self, found: Sequence[Found], needs: Needs) -> LocalMixError:
        if _is_nobody_there(found):
            return no_server(found, self._settings)
        name, catalog = self._name(needs), self._catalog(found)
        if clouds := catalog.places(name) if name else ():
            return only_in_a_cloud(clouds[0])
        return no_model(name, needs.purpose, catalog)

    def _name(self, needs: Needs) -> str | None:
        return needs.model or (self._settings.model if needs.purpose == "chat" else None)


def _comes_before(one: Found, other: Found) -> bool:
    """Compare by the user's order; of what nobody knows, nobody knows the kind either."""
    if one.server.kind:
        return one.rank < other.rank
    return (one.rank[0], one.rank[2]) < (other.rank[0], other.rank[2])


def _is_nobody_there(found: Sequence[Found]) -> bool:
    return not any(each.server.kind for each in found if not each.is_reserve)
