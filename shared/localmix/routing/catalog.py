"""Which models of which servers a name means, and by what rule.

A name that a server has is that server's model. Then the user's aliases count, then the names that
certainly mean the same model. What a name means on one server, it means everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from localmix.discovery import Found
from localmix.routing.sameness import Sameness
from localmix.servers import Memory
from localmix.types import ModelInfo, Purpose
from localmix.types.names import (
    Identity,
    canonical,
    identity_of,
    nearest,
    same_architecture,
    same_model,
    same_quantization,
    split_pin,
)

NOT_NAMED = "no model was named"


@dataclass(frozen=True, slots=True)
class Place:
    """One model at one server, and the rule by which it is what was asked for.

    Attributes:
        is_pinned: Whether no other server was meant.
        is_aliased: Whether the user said that this is what a name of their own means.
    """

    found: Found
    model: ModelInfo
    rule: str
    is_pinned: bool = False
    is_aliased: bool = False

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What tells places apart: the server, what it is, its name for the model."""
        return self.found.server.url, self.found.server.kind, self.model.name

    def is_called(self, name: str) -> bool:
        """Tell whether this is the model's own name; case and `:latest` say nothing."""
        return _plain(self.model.name) == _plain(name)


class Catalog:
    """The names of what the servers hold; made once for each state of the directory."""

    def __init__(
        self,
        found: Sequence[Found],
        aliases: Mapping[str, Sequence[str]],
        sameness: Sameness | None = None,
    ) -> None:
        self.found = found
        self._sameness = sameness or Sameness(Memory())
        usual = [each for each in found if not each.is_reserve]
        self.everything = [Place(each, model, NOT_NAMED) for each in usual for model in each.models]
        self._aliases = {canonical(alias): names for alias, names in aliases.items()}
        self._by_name: defaultdict[str, list[Place]] = defaultdict(list)
        self._by_key: defaultdict[object, list[tuple[Identity, Place]]] = defaultdict(list)
        self._alike: dict[str, list[Place]] = {}
        self._suitable: dict[Purpose, list[Place]] = {}
        for each in found:
            for model in each.models:
                self._add(Place(each, model, "the server has it under this name"))

    def places(self, name: str, before: ModelInfo | None = None) -> list[Place]:
        """List the places that a name means; empty if nobody has the model.

        Args:
            name: What is asked for.
            before: The model that has answered to the name before, and that all must be known to
                be; without one, nothing may speak against their being the first.
        """
        alike = self.alike(name)
        if before:
            return [place for place in alike if self._may_replace(place, before)]
        return [place for place in alike if self._may_replace(place, alike[0].model) is not False]

    def same(self, name: str) -> list[Place]:
        """List the places that are known to hold one model."""
        alike = self.alike(name)
        return self.places(name, alike[0].model) if alike else []

    def alike(self, name: str) -> list[Place]:
        """List the places that could be meant, by all that names say."""
        if name not in self._alike:
            self._alike[name] = self._look_up(name)
        return self._alike[name]

    def exact(self, name: str) -> list[Place]:
        """List what is called exactly so, at any server or at the pinned one.

        What takes something away acts on nothing else, whatever a request for the name would do.
        """
        return self._at_pin(self._spelled, name)

    def instances(self, name: str) -> list[Place]:
        """List the models that have an instance loaded under exactly this name, and that alone."""
        return self._at_pin(self._instances, name)

    def suitable(self, purpose: Purpose) -> list[Place]:
        """List what would do where no model is named: loaded ones first, then the user's order."""
        if purpose not in self._suitable:
            places = [place for place in self.everything if place.model.purpose == purpose]
            places = [place for place in places if not place.model.remote]
            places.sort(key=lambda place: (not place.model.loaded, place.found.rank))
            self._suitable[purpose] = places
        return self._suitable[purpose]

    def nearest(self, name: str) -> tuple[str, ...]:
        """List the names that there are, the most similar first."""
        return nearest(name, [place.model.name for place in self.everything])

    def alias(self, name: str) -> Sequence[str]:
        """Give what the user means by a name of their own."""
        return self._aliases.get(canonical(name), ())

    def _look_up(self, name: str) -> list[Place]:
        for look_up in (self._exact, self._aliased, self._equal):
            if places := self._at_pin(look_up, name):
                return at_home(places)
        return []

    def _add(self, place: Place) -> None:
        for name in dict.fromkeys(map(canonical, (place.model.name, *place.model.aliases))):
            self._by_name[name].append(place)
        for variant in place.model.variants:  # each can be asked for, under its own name
            if canonical(variant) != canonical(place.model.name):
                model = replace(place.model, name=variant, variants=())
                self._by_name[canonical(variant)].append(replace(place, model=model))
        if not place.model.remote:
            identity = identity_of(place.model.name)
            self._by_key[identity.key].append((identity, place))

    def _at_pin(self, look_up: Callable[[str], list[Place]], name: str) -> list[Place]:
        """Look up the whole name, since some have slashes; else read its head as a pin."""
        places = [place for place in look_up(name) if not place.found.is_reserve]
        pin, rest = split_pin(name)
        if places or not pin:
            return places
        return [
            replace(place, rule=f"{place.rule}, pinned to {pin}", is_pinned=True)
            for place in look_up(rest)
            if pin.casefold() in (place.found.server.kind, place.found.server.name.casefold())
        ]

    def _spelled(self, name: str) -> list[Place]:
        return [each for each in self._by_name.get(canonical(name), ()) if each.is_called(name)]

    def _instances(self, name: str) -> list[Place]:
        return [
            replace(place, model=replace(place.model, aliases=(alias,)))
            for place in self._by_name.get(canonical(name), ())
            for alias in place.model.aliases
            if alias == name
        ]

    def _exact(self, name: str) -> list[Place]:
        """Find the servers that have the name, and on the others what is certainly the same."""
        exact = self._by_name.get(canonical(name), [])
        if not exact:
            return []
        urls = {place.found.server.url for place in exact}
        first = exact[0].model
        same = self._same(identity_of(first.name), first)
        return exact + [place for place in same if place.found.server.url not in urls]

    def _aliased(self, name: str) -> list[Place]:
        return [
            replace(place, rule=f"your alias for {own}", is_aliased=True)
            for own in self.alias(name)
            for place in self._at_pin(self._exact, own) or self._at_pin(self._equal, own)
        ]

    def _equal(self, name: str) -> list[Place]:
        return self._same(identity_of(name), None)

    def _may_replace(self, place: Place, first: ModelInfo) -> bool | None:
        """Tell whether a place may stand in for the first; in chats the user's aliases count."""
        if place.is_aliased and place.model.purpose == first.purpose == "chat":
            return True
        return self._sameness.verdict(first, place.model)

    def _same(self, wanted: Identity, known: ModelInfo | None) -> list[Place]:
        """Find the same model under other names, by what is known of both."""
        rule = f"the same model by its name: {wanted}"
        size, family = (known.parameters, known.family) if known else ("", "")
        return [
            replace(place, rule=rule)
            for identity, place in self._by_key.get(wanted.key, ())
            if same_model(wanted, identity, size, place.model.parameters)
            and same_quantization(wanted, identity, place.model.quantization)
            and same_architecture(family, place.model.family)
        ]


def at_home(places: list[Place]) -> list[Place]:
    """Leave out a cloud's models where any other is meant: no fail-over may end there."""
    return [place for place in places if not place.model.remote] or places


def _plain(name: str) -> str:
    return name.strip().casefold().removesuffix(":latest")
