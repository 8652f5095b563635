"""Where a request may go, from the first look to the last comparison."""

from __future__ import annotations

from localmix.errors import DiscoveryError
from localmix.routing.comparing import Comparing
from localmix.routing.fleet import Fleet
from localmix.routing.needs import Needs
from localmix.routing.ranking import Ranked
from localmix.routing.refusals import out_of_time
from localmix.wire.flows import Flow


def deadline_of(fleet: Fleet) -> float:
    """Say until when a request that begins now may take."""
    bound = fleet.settings.timeout
    return fleet.clock() + (float("inf") if bound is None else bound)


def find_places(fleet: Fleet, needs: Needs, deadline: float | None = None) -> Flow[list[Ranked]]:
    """List the places for a request, the best first; see `Selection.places`.

    Args:
        fleet: The servers.
        needs: What the request needs.
        deadline: When to wait no longer; if it is not given, as long as a request may take.

    Raises:
        TimedOutError: Until the deadline no server had shown what it is.
    """
    deadline = deadline_of(fleet) if deadline is None else deadline
    try:
        yield from Comparing(fleet).settle(needs, deadline)
        return (yield from fleet.selection.places(needs, deadline))
    except DiscoveryError as error:
        if fleet.clock() >= deadline:
            raise out_of_time(fleet.settings) from error
        raise
