"""What is known of the candidates, for how long it holds, and who asks again.

Each candidate is asked by a flow of its own, beside the request that wants to know: a candidate
that keeps silent stalls nobody. What is a little old still serves while it is asked again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from weakref import WeakSet

from localmix.dialects import KINDS, Endpoint, unreadable
from localmix.discovery.probe import Found
from localmix.errors import LocalMixError, TimedOutError
from localmix.servers import Memory
from localmix.settings import Rank
from localmix.types import Server
from localmix.wire.flows import Flow, Timeouts, spawn, wait
from localmix.wire.forks import after_fork
from localmix.wire.gate import Gate

# Once somebody can serve the request, those who come first in the user's order get so much longer.
GRACE = 0.2
# What is older than so many times `refresh_after` no longer serves while it is asked again.
_TOO_OLD = 10
# Seconds for which the absence of a server is believed.
_BELIEVE_IN_ABSENCE = 5.0
# A probe that has not ended after so many seconds has died with its event loop.
_ABANDONED = 15.0
# Whoever has waited so many seconds for somebody else's probe asks as well: nobody depends on the
# event loop of another.
_TAKE_OVER = 1.5
_log = logging.getLogger("localmix.discovery")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a server may be, and how it is asked.

    Attributes:
        rank: Its place in the user's order, as long as nobody knows what is there.
    """

    url: str
    name: str
    ask: Callable[[], Flow[Found]]
    rank: Rank = (0, 0, 0)


@dataclass(slots=True)
class _Entry:
    """What is known of one candidate."""

    candidate: Candidate
    found: Found | None = None
    asking_since: float | None = None
    is_doubted: bool = False


class Directory:
    """What the candidates are and hold."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        refresh_after: float,
        memory: Memory,
        clock: Callable[[], float],
    ) -> None:
        self._entries = [_Entry(candidate) for candidate in candidates]
        self._refresh_after = refresh_after
        self._memory = memory
        self._clock = clock
        self.known: tuple[Found, ...] = ()
        self._forget_probes()
        _directories.add(self)

    def _forget_probes(self) -> None:
        """Begin without probes under way."""
        self._lock = threading.Lock()
        self._changed = Gate()
        for entry in self._entries:
            entry.asking_since = None

    @property
    def all(self) -> tuple[Found, ...]:
        """What is known, and the candidates that have not shown yet what they are."""
        unheard = [each.candidate for each in self._entries if each.found is None]
        late = "has not yet shown what it is."
        return (*self.known, *(_nothing_at(candidate, late) for candidate in unheard))

    @property
    def age(self) -> float:
        """The seconds since the candidate that was asked longest ago was asked."""
        asked_at = [entry.found.asked_at if entry.found else -inf for entry in self._entries]
        return self._clock() - min(asked_at, default=-inf)

    def read(
        self,
        is_enough: Callable[[Sequence[Found]], bool],
        deadline: float = inf,
        *,
        alone: bool = False,
    ) -> Flow[tuple[Found, ...]]:
        """Give what is known, asking again what is old; wait only for what is needed.

        Args:
            is_enough: Tells whether a request can be served with what is known so far.
            deadline: When to wait no longer, by the clock.
            alone: Whether to rely on no probe of others: their event loop may stand still until
                this one has ended.
        """
        stale = [entry for entry in self._entries if self._is_stale(entry)]
        yield from self._ask(stale, anew=alone)
        deadline = min(deadline, self._clock() + _ABANDONED)
        while True:
            changed = self._changed
            waiting = [entry for entry in self._entries if self._is_awaited(entry)]
            if not waiting:
                break
            current = [e.found for e in self._entries if e.found and e not in waiting]
            enough = is_enough(current)
            patience = min(GRACE if enough else _TAKE_OVER, deadline - self._clock())
            if (yield from wait(patience, changed)):
                continue
            if enough or self._clock() >= deadline:
                break
            yield from self._ask(waiting)
        return self.known

    def refresh(self, deadline: float = inf, *, url: str = "") -> Flow[tuple[Found, ...]]:
        """Ask every candidate now, or the one at an address; wait for all, or to the deadline."""
        entries = [entry for entry in self._entries if url in ("", entry.candidate.url)]
        if url:  # an answer that is on its way may be older than what has changed
            yield from self._settled(entries, deadline)
        yield from self._ask(entries)
        yield from self._settled(entries, deadline)
        return self.known

    def _settled(self, entries: Sequence[_Entry], deadline: float) -> Flow[None]:
        while True:
            changed = self._changed
            left = deadline - self._clock()
            if left <= 0 or not any(map(self._is_asking, entries)):
                return
            if not (yield from wait(min(_TAKE_OVER, left), changed)):
                yield from self._ask([entry for entry in entries if self._is_asking(entry)])

    def doubt(self, url: str) -> None:
        """Have a server asked again before it is relied on much longer."""
        for entry in self._entries:
            entry.is_doubted = entry.is_doubted or entry.candidate.url == url

    def _ask(self, entries: Sequence[_Entry], *, anew: bool = False) -> Flow[None]:
        if not entries:
            return
        claimed = []
        with self._lock:
            for entry in entries:
                if anew or not self._is_asking(entry) or self._is_slow(entry):
                    entry.asking_since, entry.is_doubted = self._clock(), False
                    claimed.append(entry)
        yield from spawn(*map(self._probe, claimed))

    def _probe(self, entry: _Entry) -> Flow[None]:
        found: Found | None = None
        try:
            found = yield from entry.candidate.ask()
        except LocalMixError as error:
            found = _useless(entry, error)
        except Exception as error:  # noqa: BLE001  (the last wall: one server's reply is its own)
            found = _useless(entry, unreadable(entry.candidate.url, error))
        finally:
            self._note(entry, found)

    def _note(self, entry: _Entry, found: Found | None) -> None:
        """Keep an answer; without one the probe was broken off, and somebody may ask anew."""
        with self._lock:
            entry.asking_since = None
            if found:
                entry.found = replace(found, asked_at=self._clock())
                _log.debug("%s %s", found.server.url, _verdict(found))
                if found.server.kind:
                    self._memory.vitals(found.server.url).was_reached()
            self.known = _without_twins([each.found for each in self._entries if each.found])
            changed, self._changed = self._changed, Gate()
        changed.open()

    def _is_asking(self, entry: _Entry) -> bool:
        since = entry.asking_since
        return since is not None and self._clock() < since + _ABANDONED

    def _is_slow(self, entry: _Entry) -> bool:
        """Tell whether a probe may be stuck: the event loop that it runs in may be blocked."""
        since = entry.asking_since
        return since is not None and self._clock() >= since + _TAKE_OVER

    def _is_stale(self, entry: _Entry) -> bool:
        return entry.is_doubted or self._is_older(entry, 1)

    def _is_awaited(self, entry: _Entry) -> bool:
        return self._is_asking(entry) and self._is_older(entry, _TOO_OLD)

    def _is_older(self, entry: _Entry, times: int) -> bool:
        if entry.found is None:
            return True
        holds = self._refresh_after if entry.found.server.kind else _BELIEVE_IN_ABSENCE
        return self._clock() >= entry.found.asked_at + holds * times


_directories: WeakSet[Directory] = WeakSet()


@after_fork
def _forget_the_parents_probes() -> None:
    for directory in list(_directories):
        directory._forget_probes()  # noqa: SLF001  (its own room)


def _verdict(found: Found) -> str:
    """Say what a candidate proved to be, and how, or why it cannot be used."""
    server = found.server
    if not server.kind:
        return f"cannot be used: {server.problem}"
    evidence = KINDS[server.kind].evidence
    proof = f", by its reply to {evidence}" if evidence else ""
    version = f" {server.version}" if server.version else ""
    note = f"; {server.note}" if server.note else ""
    return f"is {server.kind}{version}{proof}, with {len(found.models)} models{note}"


def _useless(entry: _Entry, error: LocalMixError) -> Found:
    """Write down that a candidate failed the probe.

    One that kept silent, but was well before, may only be busy: what was known of it holds a while.
    """
    known, url = entry.found, entry.candidate.url
    is_silent = isinstance(error, TimedOutError)
    if is_silent and known and known.server.kind and not known.is_silent:
        return replace(known, is_silent=True)
    problem = error.message.removeprefix(f"{url} ")
    # A traceback would keep everything alive that the probe had in its hands.
    return _nothing_at(entry.candidate, problem, error.with_traceback(None))


def _nothing_at(candidate: Candidate, problem: str, error: LocalMixError | None = None) -> Found:
    nowhere = Endpoint(candidate.url, Timeouts.within(1))
    server = Server(candidate.url, problem=problem, name=candidate.name)
    return Found(server, nowhere, rank=candidate.rank, error=error)


def _without_twins(found: list[Found]) -> tuple[Found, ...]:
    """Drop `[::1]` where the same port answered on 127.0.0.1: one server, two addresses."""
    urls = {each.server.url for each in found if not each.server.problem}
    return tuple(each for each in found if _twin(each.server.url) not in urls - {each.server.url})


def _twin(url: str) -> str:
    return url.replace("[::1]", "127.0.0.1")
