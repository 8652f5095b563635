"""What a process remembers of servers: what one client learns, every client knows."""

from __future__ import annotations

from weakref import WeakSet

from localmix.servers.record import Vitals
from localmix.wire.forks import after_fork


class Memory:
    """What is remembered of each server, by its address."""

    def __init__(self) -> None:
        self._known: dict[str, Vitals] = {}
        _memories.add(self)

    def vitals(self, url: str) -> Vitals:
        """Give what is remembered of the server at an address."""
        return self._known.get(url) or self._known.setdefault(url, Vitals())

    def forget(self) -> None:
        """Begin anew, as a process does."""
        self._known.clear()

    def forget_requests(self) -> None:
        """Begin without requests under way."""
        for vitals in list(self._known.values()):
            vitals.forget_requests()


_memories: WeakSet[Memory] = WeakSet()
MEMORY = Memory()


@after_fork
def _forget_the_parents_requests() -> None:
    for memory in list(_memories):
        memory.forget_requests()
