"""Lists: rarely paid for, soon there, and true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from localmix.proxy import inventory
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, Reply, whole
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
SHOWN = whole({"capabilities": ["completion", "tools"], "model_info": {}})


def names(front: Proxy) -> list[str]:
    return [entry["name"] for entry in front.ask("GET", "/api/tags").json["models"]]


@pytest.fixture(autouse=True)
def _nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_FRESH", 0.0)


def test_a_model_is_described_once(start: Start) -> None:
    behind = start(stand_ins.ollama("a:latest", "b:latest", POST__api_show=SHOWN))
    with proxy([behind.url]) as front:
        for _ in range(3):
            assert names(front) == ["a:latest", "b:latest"]
    assert behind.count("POST /api/show") == 2


def test_an_alias_is_listed_too_and_can_be_asked_for(start: Start) -> None:
    behind = start(stand_ins.ollama("a:latest", "b:latest", POST__api_show=SHOWN))
    aliases = {"gpt-4": ("nobody", "b"), "nothing": ("nobody",)}
    with proxy([behind.url], aliases=aliases) as front:
        assert names(front) == ["a:latest", "b:latest", "gpt-4:latest"]
        body = {"model": "gpt-4:latest", "messages": [{"role": "user", "content": "Hi"}]}
        assert front.ask("POST", "/api/chat", body).status == 200
    assert behind.last("POST /api/chat").json["model"] == "b:latest"


def test_what_changes_is_seen(start: Start) -> None:
    behind = start(stand_ins.ollama("a:latest", POST__api_show=SHOWN))
    with proxy([behind.url]) as front:
        assert front.ask("GET", "/api/ps").json["models"] == []
        loaded = stand_ins.ollama("a:latest", loaded=("a:latest",))
        behind.routes["GET /api/ps"] = loaded.routes["GET /api/ps"]
        (entry,) = front.ask("GET", "/api/ps").json["models"]
        assert entry["context_length"] == 4096
        more = stand_ins.ollama("a:latest", "c:latest")
        behind.routes["GET /api/tags"] = more.routes["GET /api/tags"]
        assert names(front) == ["c:latest", "a:latest"]  # the newest first


def test_a_server_that_keeps_all_waiting_delays_no_list(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PATIENCE", 0.1)
    quick, slow = start(stand_ins.ollama("a:latest")), start(stand_ins.ollama("b:latest"))
    free = threading.Event()

    def late(reply: Reply) -> Reply:
        def answer(exchange: Exchange) -> None:
            free.wait(10)
            reply(exchange)

        return answer

    with proxy([quick.url, slow.url]) as front:
        assert names(front) == ["a:latest", "b:latest"]
        slow.routes = {route: late(reply) for route, reply in slow.routes.items()}
        assert names(front) == ["a:latest", "b:latest"]
        assert not free.is_set()
        free.set()


def test_nobody_there_is_said_and_then_forgotten(start: Start) -> None:
    behind = start(stand_ins.ollama("a:latest"))
    with proxy([behind.url]) as front:
        behind.stop()
        reply: Any = front.ask("GET", "/api/tags")
        assert reply.status == 503
        behind.start()
        assert names(front) == ["a:latest"]
