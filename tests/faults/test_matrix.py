"""Every fault, at a server of either kind, for every way to ask, in both colours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localmix.errors import LocalMixError
from localmix.routing.comparing import TEXT
from tests.either import MakeEither
from tests.faults.faults import AFTER, BEFORE, BOUNDS, SHORT, Fault, small
from tests.faults.wires import PURPOSES, RIGHT, WIRES, Purpose, Wire, ask
from tests.loopback import LoopbackServer, serving

pytestmark = pytest.mark.exhaustive

every_kind = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
every_purpose = pytest.mark.parametrize("purpose", PURPOSES)
every_fault = pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE)


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small():
        yield


@pytest.fixture
def bad(wire: Wire) -> Iterator[LoopbackServer]:
    """Give a server that is well until it is struck."""
    with serving(wire.server()) as server:
        yield server


@pytest.fixture
def good(wire: Wire) -> Iterator[LoopbackServer]:
    with serving(wire.server()) as server:
        yield server


def times_asked(server: LoopbackServer, route: str) -> int:
    """Count the requests, without those that compare two models of one name."""
    own = TEXT.encode()
    asked = [each for each in server.requests if f"{each.method} {each.path}" == route]
    return sum(own not in each.body for each in asked)


@every_fault
@every_purpose
@every_kind
def test_before_the_first_delta_the_next_server_answers(
    either: MakeEither,
    bad: LoopbackServer,
    good: LoopbackServer,
    wire: Wire,
    purpose: Purpose,
    fault: Fault,
) -> None:
    client = either([bad.url, good.url], timeout=60, **BOUNDS)
    client.models_by_server()
    fault.strike(bad, wire, purpose)

    answer = ask(client, purpose)

    assert answer.said == RIGHT[purpose]
    assert answer.route.server.url == good.url
    (attempt,) = answer.route.attempts
    assert attempt.server == bad.url
    assert isinstance(attempt.error, fault.error_of(purpose))
    assert times_asked(good, wire.route(purpose)) == 1
    assert times_asked(bad, wire.route(purpose)) <= 1


@every_fault
@every_purpose
@every_kind
def test_without_another_server_the_caller_sees_a_typed_error(
    either: MakeEither, bad: LoopbackServer, wire: Wire, purpose: Purpose, fault: Fault
) -> None:
    client = either(bad.url, **SHORT)
    client.models_by_server()
    fault.strike(bad, wire, purpose)

    with pytest.raises(fault.error_of(purpose)) as caught:
        ask(client, purpose)

    assert isinstance(caught.value, LocalMixError)
    assert caught.value.server == bad.url
    assert [attempt.server for attempt in caught.value.attempts] == [bad.url]
    assert caught.value.partial is None


@pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER)
@every_kind
def test_after_the_first_delta_the_error_is_final_and_holds_what_came(
    either: MakeEither, bad: LoopbackServer, good: LoopbackServer, wire: Wire, fault: Fault
) -> None:
    client = either([bad.url, good.url], timeout=0.6, **BOUNDS)
    client.models_by_server()
    fault.strike(bad, wire, "stream")

    with pytest.raises(fault.error_of("stream")) as caught:
        ask(client, "stream")

    assert isinstance(caught.value, LocalMixError)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "H"
    assert caught.value.server == bad.url
    assert good.count(wire.route("stream")) == 0
    assert bad.count(wire.route("stream")) == 1
