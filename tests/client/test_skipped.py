"""A route tells which servers come first in the user's order, and why they were not asked."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from localmix import Route, Skip, Tool
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.either import Either, MakeEither
from tests.loopback import LoopbackServer, hang_up, stay_silent, whole

NOWHERE = "http://127.0.0.1:9"


def routed(client: Either, **options: Any) -> Route:
    """Ask, and tell the way that the request took."""
    route = client.chat("hello", model="tiny", **options).route
    assert route
    return route


def test_a_named_server_that_stays_away_is_told_and_warned_of_once(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    there = start(stand_ins.ollama())
    client = either([NOWHERE, there.url])
    with caplog.at_level(logging.WARNING, logger="localmix"):
        routes = [routed(client) for _ in range(3)]
        routes.append(client.route("tiny"))
    for route in routes:
        (skip,) = route.skipped
        assert skip.server == NOWHERE
        assert "Connection refused" in skip.reason
    assert len([each for each in caplog.records if NOWHERE in each.getMessage()]) == 1


def test_it_is_warned_of_again_after_it_was_there(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = start(stand_ins.ollama()), start(stand_ins.ollama())
    client = either([first.url, second.url])
    proper = dict(first.routes)

    def warnings_when(routes: dict[str, Any]) -> int:
        first.routes = routes
        client.servers()
        caplog.clear()
        client.chat("hello", model="tiny")
        return len(caplog.records)

    caplog.set_level(logging.WARNING, logger="localmix")
    away = {f"GET {path}": hang_up for path in ("/lmstudio-greeting", "/api/version", "/v1/models")}
    seen = [warnings_when(routes) for routes in (away, away, proper, away)]
    assert seen == [1, 0, 0, 1]


@pytest.mark.slow
def test_one_that_is_slow_to_show_itself_is_told(either: MakeEither, start: Any) -> None:
    slow = start(LoopbackServer({"GET /v1/models": stay_silent}))
    there = start(stand_ins.ollama())
    (skip,) = routed(either([slow.url, there.url])).skipped
    assert skip == Skip(slow.url, "has not yet shown what it is.")


def test_what_stands_later_or_was_only_looked_for_is_not_told(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = start(stand_ins.ollama())
    assert routed(either([there.url, NOWHERE])).skipped == ()
    lmstudio = start(stand_ins.lmstudio())
    monkeypatch.setattr("localmix.settings.OLLAMA_PORT", 9)
    port = int(lmstudio.url.rpartition(":")[2])
    monkeypatch.setattr("localmix.settings.lmstudio_port", lambda: port)
    assert routed(either()).skipped == ()


def test_the_users_own_order_counts(either: MakeEither, start: Any) -> None:
    there = start(stand_ins.ollama())
    away = ServerConfig(url=NOWHERE, order=-1)
    (skip,) = routed(either([there.url, away])).skipped
    assert skip.server == NOWHERE


def test_a_server_without_the_model_is_not_missed(either: MakeEither, start: Any) -> None:
    first, second = start(stand_ins.ollama("other:latest")), start(stand_ins.ollama())
    route = routed(either([first.url, second.url]))
    assert (route.server.url, route.skipped) == (second.url, ())


def test_one_that_failed_is_an_attempt_and_then_told_of(either: MakeEither, start: Any) -> None:
    crash = whole({"error": "llama runner process has terminated"}, 500)
    first, second = start(stand_ins.ollama(POST__api_chat=crash)), start(stand_ins.ollama())
    client = either([first.url, second.url])
    route = routed(client)
    assert [each.server for each in route.attempts] == [first.url]
    assert route.skipped == ()
    route = routed(client)
    assert route.skipped == (Skip(first.url, "it failed a moment ago, or is busy"),)


def test_a_broken_pin_is_told(either: MakeEither, start: Any) -> None:
    other = whole({"models": [{"name": "tiny:latest", "digest": "0123456789abcdef"}]})
    first, second = start(stand_ins.ollama()), start(stand_ins.ollama(GET__api_tags=other))
    digests = {"tiny:latest": "sha256:0123456789abcdef"}
    route = routed(either([first.url, second.url], digests=digests))
    (skip,) = route.skipped
    assert skip.server == first.url
    assert "digest" in skip.reason


def test_a_lacking_capability_is_told(either: MakeEither, start: Any) -> None:
    first = start(stand_ins.ollama(POST__api_show=whole({"capabilities": ["completion"]})))
    second = start(stand_ins.lmstudio())
    client = either([first.url, second.url])
    route = routed(client, tools=[Tool(name="f")])
    assert route.server.url == second.url
    assert route.skipped == (Skip(first.url, "tiny:latest cannot call tools"),)
