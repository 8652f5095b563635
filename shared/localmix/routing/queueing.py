"""The wait for a slot, at servers that take only so many requests at once."""

from __future__ import annotations

from collections.abc import Sequence

from localmix.errors import Attempt, OverloadedError
from localmix.routing.fleet import Fleet
from localmix.routing.needs import Needs
from localmix.routing.ranking import Ranked, take_turn
from localmix.servers import Ticket
from localmix.wire.flows import Flow, wait


class Queue:
    """Where requests wait for the first of several servers that has a slot."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def slot(
        self,
        needs: Needs,
        left: Sequence[Ranked],
        deadline: float,
        attempts: Sequence[Attempt],
    ) -> Flow[Ranked]:
        """Take a place at the best server that has one, or wait for the first that gets one.

        Args:
            needs: What the request needs.
            left: The places that have not been tried, the best first.
            deadline: When to wait no longer.
            attempts: What has been tried, for the error.

        Raises:
            OverloadedError: None has got free in time, or too many wait already.
        """
        candidates = left
        if len(left) > 1:  # others may have taken places since
            candidates = self._fleet.selection.sort([each.place for each in left], needs)
        able = [each for each in candidates if not each.is_out] or candidates
        chosen = next((each for each in able if _reserve(each)), None)
        if chosen is None:
            chosen = yield from self._queue(able, deadline, attempts)
        take_turn(chosen, able)
        return chosen

    def _queue(
        self, able: Sequence[Ranked], deadline: float, attempts: Sequence[Attempt]
    ) -> Flow[Ranked]:
        ticket = Ticket()
        limit = self._fleet.settings.max_waiting
        queued = [each for each in able if each.vitals.slots.queue(ticket, _limit(each), limit)]
        bound = max(min(self._fleet.settings.wait_timeout, deadline - self._fleet.clock()), 0.0)
        try:
            if queued:
                yield from wait(bound, ticket.gate)
        except BaseException:
            if slots := ticket.withdraw():
                slots.release()
            raise
        finally:
            for each in queued:
                each.vitals.slots.leave(ticket)
        slots = ticket.withdraw()
        for each in able:
            if each.vitals.slots is slots:
                return each
        what = f"stayed so for {bound:g} s" if queued else "have too many waiting already"
        error = OverloadedError(
            f"All servers for {able[0].place.model.name} have reached their limits and {what}.",
            hint="Raise `limit` of the servers, `max_waiting` or `wait_timeout`, or start another.",
        )
        raise error.tried(tuple(attempts))


def _limit(candidate: Ranked) -> int | None:
    return candidate.place.found.limit


def _reserve(candidate: Ranked) -> bool:
    return candidate.vitals.slots.reserve(_limit(candidate))
