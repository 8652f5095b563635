"""The faults of `tests/faults`, as clients of the proxy see them."""

from __future__ import annotations

from collections.abc import Iterator

import ollama
import pytest

from tests.faults.faults import AFTER, BEFORE, BOUNDS, SHORT, Fault, small
from tests.faults.wires import WIRES, Purpose, Wire
from tests.loopback import LoopbackServer, serving
from tests.proxy.served import proxy

pytestmark = pytest.mark.exhaustive
every_kind = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
either_way = pytest.mark.parametrize("purpose", ["chat", "stream"])
USER = [{"role": "user", "content": "Hi"}]


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small():
        yield


@pytest.fixture
def bad(wire: Wire) -> Iterator[LoopbackServer]:
    with serving(wire.server()) as server:
        yield server


@pytest.fixture
def good(wire: Wire) -> Iterator[LoopbackServer]:
    with serving(wire.server()) as server:
        yield server


def look(url: str) -> None:
    """Have the proxy look at its servers while they are well."""
    with ollama.Client(url) as client:
        client.list()


def said(url: str, purpose: Purpose) -> str:
    """Ask as Ollama's own client does, streamed or whole."""
    with ollama.Client(url) as client:
        if purpose == "chat":
            return str(client.chat("tiny", USER).message.content)
        steps = list(client.chat("tiny", USER, stream=True))
    assert steps[-1].done
    return "".join(str(step.message.content) for step in steps)


@pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE)
@either_way
@every_kind
def test_before_the_first_delta_the_next_server_answers(
    bad: LoopbackServer, good: LoopbackServer, wire: Wire, purpose: Purpose, fault: Fault
) -> None:
    with proxy([bad.url, good.url], timeout=60, **BOUNDS) as front:
        look(front.url)
        fault.strike(bad, wire, purpose)
        assert said(front.url, purpose) == "Hi."


@pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE)
@every_kind
def test_without_another_server_the_client_sees_an_error_with_a_status(
    bad: LoopbackServer, wire: Wire, fault: Fault
) -> None:
    with proxy([bad.url], **SHORT) as front:
        look(front.url)
        fault.strike(bad, wire, "stream")
        with pytest.raises(ollama.ResponseError) as caught:
            said(front.url, "stream")
        assert caught.value.status_code >= 400
        assert bad.url not in caught.value.error


@pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER)
@every_kind
def test_after_the_first_delta_the_error_is_a_line_and_final(
    bad: LoopbackServer, good: LoopbackServer, wire: Wire, fault: Fault
) -> None:
    with proxy([bad.url, good.url], timeout=0.6, **BOUNDS) as front:
        look(front.url)
        fault.strike(bad, wire, "stream")
        with ollama.Client(front.url) as client:
            steps = client.chat("tiny", USER, stream=True)
            assert next(steps).message.content == "H"
            with pytest.raises(ollama.ResponseError) as caught:
                next(steps)
        assert bad.url not in caught.value.error
        assert good.count(wire.route("stream")) == 0
