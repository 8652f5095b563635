"""What a process remembers of servers: what one client learns, every client knows."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakSet

from localmix.servers.record import Vitals
from localmix.types import ModelInfo
from localmix.wire.forks import after_fork

ModelKey = tuple[str, str, str]


def key_of(model: ModelInfo) -> ModelKey:
    """Tell models apart, also those that have had one name at different times."""
    return model.server, model.name, model.digest


class Memory:
    """What is remembered of each server, by its address, and of embedding models.

    Attributes:
        fingerprints: The vector that a model gave for one fixed text, by server, name and digest.
        embedders: The model that answered last for each name of an embedding model.
        claims: The model that is asked for the first vectors under a name.
        told_apart: Pairs of models of one name that are not one, of which somebody was warned.
    """

    def __init__(self) -> None:
        self._known: dict[str, Vitals] = {}
        self.fingerprints: dict[ModelKey, Sequence[float]] = {}
        self.embedders: dict[str, ModelInfo] = {}
        self.claims: dict[str, ModelInfo] = {}
        self.told_apart: set[tuple[ModelKey, ModelKey]] = set()
        _memories.add(self)

    def vitals(self, url: str) -> Vitals:
        """Give what is remembered of the server at an address."""
        return self._known.get(url) or self._known.setdefault(url, Vitals())

    def forget(self) -> None:
        """Begin anew, as a process does."""
        self._known.clear()
        self.fingerprints.clear()
        self.embedders.clear()
        self.claims.clear()
        self.told_apart.clear()

    def forget_requests(self) -> None:
        """Begin without requests under way."""
        self.claims.clear()
        for vitals in list(self._known.values()):
            vitals.forget_requests()


_memories: WeakSet[Memory] = WeakSet()
MEMORY = Memory()


@after_fork
def _forget_the_parents_requests() -> None:
    for memory in list(_memories):
        memory.forget_requests()
