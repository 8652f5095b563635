"""Which of several places is the best for a request, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from localmix.routing.catalog import Place
from localmix.routing.needs import Needs
from localmix.servers import Vitals
from localmix.settings import Rank

# Predictions are rough: whatever takes less than so many times the shortest counts as equal to it.
_TELLING = 1.5
_NO_ORDER: Rank = (0, 0, 0)


class Key(NamedTuple):
    """What speaks against a place, in the order in which it is looked at; less is better."""

    health: int
    is_full: bool
    is_elsewhere: bool
    order: Rank
    is_cold: bool
    load: float
    slowness: int
    turn: float


# What decided for a place, and what decided against the other.
_REASONS = {
    "health": "its server is healthy",
    "is_full": "its server has a free slot",
    "is_elsewhere": "the conversation is there",
    "order": "first in your order",
    "is_cold": "loaded",
    "load": "least busy",
    "slowness": "likely the fastest",
    "turn": "its turn among equals",
}
_OBJECTIONS = {
    "health": "it failed a moment ago, or is busy",
    "is_full": "it has no free slot",
    "is_elsewhere": "the conversation is elsewhere",
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place with what speaks for it; the lowest key is the best."""

    place: Place
    vitals: Vitals
    key: Key

    @property
    def is_out(self) -> bool:
        """Whether its server should rest, and serve only if nobody else can."""
        return self.key.health == 2  # noqa: PLR2004


def ranked(
    places: Sequence[tuple[Place, Vitals]], needs: Needs, home: str | None, now: float
) -> list[Ranked]:
    """Sort places, the best first.

    Args:
        places: Where the request could go, with what is remembered of the servers.
        needs: What it needs.
        home: URL of the server that has the conversation in its cache.
        now: The time by the fleet's clock.
    """
    seconds = [_seconds(place, vitals, needs) for place, vitals in places]
    shortest = min(filter(None, seconds), default=0.0)
    found = []
    for (place, vitals), predicted in zip(places, seconds, strict=True):
        # What has never answered is tried, and so becomes known.
        slowness = int(math.log(predicted / shortest, _TELLING)) if predicted else -1
        key = _key(place, vitals, home, now, slowness)
        if needs.is_spread:
            key = key._replace(order=_NO_ORDER, is_cold=False)
        found.append(Ranked(place, vitals, key))
    return sorted(found, key=lambda each: each.key)


def reason_of(candidates: Sequence[Ranked]) -> str:
    """Say by what rule the first is what was asked for, and why it comes before the second."""
    rule = candidates[0].place.rule
    if len(candidates) == 1:
        return f"{rule}; no other server can serve it"
    return f"{rule}; {_REASONS[_decided(candidates[0].key, candidates[1].key)]}"


def order_of(candidates: Sequence[Ranked]) -> str:
    """Say which place comes first, which next, and why each comes before the next."""
    places = [each.place for each in candidates]
    return ", then ".join(
        f"{place.model.name} at {place.found.server.url} ({reason_of(candidates[index:])})"
        for index, place in enumerate(places)
    )


def objection_to(other: Ranked, chosen: Ranked) -> str:
    """Say why one that comes first in the user's order was not chosen."""
    return _OBJECTIONS.get(_decided(other.key, chosen.key), "another had a slot first")


def is_loaded(place: Place, vitals: Vitals) -> bool:
    """Tell whether a model is in memory, by the listing or by an answer since."""
    return place.model.loaded or answered_since(place, vitals)


def answered_since(place: Place, vitals: Vitals) -> bool:
    """Tell whether a model has answered since its server was last asked what it holds."""
    return vitals.answered_at.get(place.model.name, -math.inf) >= place.found.asked_at


def take_turn(chosen: Ranked, candidates: Sequence[Ranked]) -> None:
    """Move a server back in the rotation, by less the more weight it has."""
    now = min(each.vitals.turn for each in candidates)
    chosen.vitals.turn = max(chosen.vitals.turn, now) + 1 / chosen.place.found.weight


def _decided(one: Key, other: Key) -> str:
    """Give the field by which two differ; the last if they do not."""
    pairs = zip(Key._fields, one, other, strict=True)
    return next((name for name, mine, yours in pairs if mine != yours), Key._fields[-1])


def _seconds(place: Place, vitals: Vitals, needs: Needs) -> float:
    """Predict how long a request takes there; 0 if nothing is known."""
    rates = vitals.rates.get(place.model.name)
    if rates is None:
        return 0.0
    loaded = is_loaded(place, vitals)
    return rates.seconds(needs.prompt_tokens, needs.output_tokens, is_loaded=loaded)


def _key(place: Place, vitals: Vitals, home: str | None, now: float, slowness: int) -> Key:
    return Key(
        vitals.health.rank(now),
        not vitals.slots.is_free(place.found.limit),
        place.found.server.url != home,
        place.found.rank,
        not is_loaded(place, vitals),
        vitals.slots.in_flight / place.found.weight,
        slowness,
        vitals.turn,
    )
