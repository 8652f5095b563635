"""Health as a caller sees it, and the monitor that may watch it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import ConnectError, OverloadedError, TimedOutError
from localmix.routing.retries import Retry, RetryBudget
from localmix.servers import breaker
from tests import stand_ins
from tests.either import Either, MakeEither
from tests.faults.waiting import until, wait_until
from tests.loopback import LoopbackServer, whole


def states(client: Either) -> list[str]:
    return [server.state for server in client.servers()]


def fail(client: Either) -> None:
    with pytest.raises(ConnectError):
        client.chat("hello", model="tiny")


def test_a_server_goes_through_the_states(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_REST", 0.3)
    boom = whole({"error": "boom"}, 500)
    server = start(stand_ins.ollama(POST__api_chat=boom))
    client = either(server.url, max_failures=2, max_retries=0)
    assert states(client) == ["available"]
    for expected in ("degraded", "unavailable"):
        with pytest.raises(Exception, match="boom"):
            client.chat("hello", model="tiny")
        assert states(client) == [expected]
    wait_until(lambda: states(client) == ["trial"])
    assert client.complete("hello", model="tiny").content == "Hi."
    assert states(client) == ["available"]


@pytest.mark.parametrize(
    "reply",
    [
        whole({"error": "model 'tiny' not found"}, 404),
        whole({"error": "server busy"}, 503),
        whole({"error": "no"}, 400),
    ],
    ids=["lacks a model", "is busy", "refuses"],
)
def test_a_server_that_says_no_is_not_sick(either: MakeEither, start: Any, reply: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=reply))
    client = either(server.url, max_failures=1, max_retries=0)
    for _ in range(3):
        with pytest.raises(Exception, match="HTTP"):
            client.chat("hello", model="tiny")
    assert states(client) == ["available"]


def test_a_server_that_is_down_and_comes_back_is_well(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, max_failures=1, max_retries=0)
    client.chat("hello", model="tiny")
    server.stop()
    fail(client)
    assert states(client) == ["unavailable"]
    server.start()
    assert states(client) == ["available"]


def test_only_one_request_tries_a_server_that_was_out(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_REST", 0.1)
    bad = start(stand_ins.ollama(POST__api_chat=whole({"error": "boom"}, 500)))
    good = start(stand_ins.ollama())
    client = either([bad.url, good.url], max_failures=1)
    client.chat("hello", model="tiny")
    wait_until(lambda: states(client)[0] == "trial")
    for _ in range(3):
        assert client.chat("hello", model="tiny").content == "Hi."
    assert bad.count("POST /api/chat") == 2


# The monitor


def looks(server: LoopbackServer) -> int:
    return server.count("GET /api/version")


def test_a_monitor_looks_beside_the_requests_and_ends_with_its_thread(start: Any) -> None:
    server = start(stand_ins.ollama())
    before = set(threading.enumerate())
    client = Client(server.url, monitor_every=0.05)
    client.chat("hello", model="tiny")
    seen = looks(server)
    wait_until(lambda: looks(server) > seen + 2)
    client.close()
    server.stop()
    wait_until(lambda: set(threading.enumerate()) <= before)
    client.close()


def test_a_monitor_looks_beside_the_requests_and_ends_with_its_task(start: Any) -> None:
    server = start(stand_ins.ollama())

    async def watch() -> None:
        async with AsyncClient(server.url, monitor_every=0.05) as client:
            await client.chat("hello", model="tiny")
            seen = looks(server)
            await until(lambda: looks(server) > seen + 2)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watch())


def test_a_monitor_sees_a_server_that_comes_back(start: Any) -> None:
    server = start(stand_ins.ollama())
    other = start(stand_ins.ollama())
    with Client([server.url, other.url], monitor_every=0.05) as client:
        client.chat("hello", model="tiny")
        server.stop()
        assert client.chat("hello", model="tiny").route is not None
        server.start()
        seen = looks(server)
        wait_until(lambda: looks(server) > seen + 1)
        route = client.chat("hello", model="tiny").route
    assert route is not None
    assert route.server.url == server.url


# Pauses between retries


def test_pauses_grow_are_spread_and_capped() -> None:
    def pauses(chance: float) -> list[float | None]:
        retry = Retry(8, RetryBudget(), lambda: chance)
        return [retry.pause_after([ConnectError("x")]) for _ in range(5)]

    assert pauses(1.0) == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert pauses(0.5) == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert pauses(0.0) == [0.0] * 5


def test_the_time_that_a_server_names_is_kept_unless_it_is_too_long() -> None:
    def pause(*errors: Any) -> float | None:
        return Retry(2, RetryBudget(), lambda: 0.0).pause_after(errors)

    three, sixty = (OverloadedError("x", retry_after=seconds) for seconds in (3.0, 60.0))
    assert pause(three) == 3.0
    assert pause(three, sixty) == 3.0
    assert pause(sixty) is None
    assert pause(sixty, ConnectError("x")) == 0.0


def test_silence_and_refusals_are_not_tried_again() -> None:
    assert Retry(2, RetryBudget()).pause_after([TimedOutError("x")]) is None
    assert Retry(0, RetryBudget()).pause_after([ConnectError("x")]) is None


def test_the_budget_is_one_for_all_requests_and_comes_back_with_successes() -> None:
    budget = RetryBudget()
    spent = sum(budget.spend() for _ in range(100))
    assert 0 < spent < 10
    assert Retry(9, budget).pause_after([ConnectError("x")]) is None
    for _ in range(20):
        budget.refund()
    assert Retry(9, budget).pause_after([ConnectError("x")]) is not None


@pytest.mark.slow
def test_a_client_whose_servers_only_fail_stops_trying_again(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": "server busy"}, 503)))
    with Client(server.url, max_retries=1) as client:
        for _ in range(20):
            with pytest.raises(OverloadedError):
                client.chat("hello", model="tiny")
    assert 20 < server.count("POST /api/chat") < 30
