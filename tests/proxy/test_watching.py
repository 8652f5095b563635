"""The page's files and its events, over bare sockets."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localmix.proxy import survey, watching
from tests import stand_ins
from tests.loopback import LoopbackServer, whole
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
FILES = ["", "/page.css", "/page.js", "/plot.js", "/icon.svg"]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TOKEN = "correct-horse"


def states(front: Proxy, **headers: str) -> Iterator[Any]:
    """Read the events as they come."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = ["GET /localmix/events HTTP/1.1", "Host: localhost", *lines, "", ""]
    with front.connect() as connection:
        connection.sendall("\r\n".join(head).encode())
        data = b""
        while more := connection.recv(65536):
            data += more
            while found := re.search(rb"data: (\{.*?\})\n\n", data):
                yield json.loads(found[1])
                data = data[found.end() :]


@pytest.mark.parametrize("file", FILES)
def test_nothing_in_the_page_may_come_from_elsewhere(front: Proxy, file: str) -> None:
    reply = front.ask("GET", f"/localmix{file}")
    assert reply.status == 200
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    said = reply.body.decode().replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg\b)", said) == []
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(|\son\w+=|style=", said)


def test_only_browsers_are_sent_to_the_page(front: Proxy) -> None:
    java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
    for accept in ("*/*", "application/json", "text/plain", java):
        assert front.ask("GET", "/", Accept=accept).body == b"Ollama is running"
    assert front.ask("GET", "/").body == b"Ollama is running"
    shown = front.ask("GET", "/", **BROWSER)
    assert b'href="/localmix"' in shown.body
    assert shown.headers["content-type"].startswith("text/html")
    assert front.ask("HEAD", "/", **BROWSER).status == 200


def test_a_state_holds_what_is_there_and_no_words(front: Proxy, behind: LoopbackServer) -> None:
    body = {"model": "tiny", "messages": [{"role": "user", "content": "My secret"}]}
    assert front.ask("POST", "/api/chat", body).status == 200
    for state in states(front):
        if state["servers"]:
            break
    (server,), (done,) = state["servers"], state["done"]
    assert (server["url"], server["state"], server["kind"]) == (behind.url, "available", "ollama")
    assert [model["name"] for model in state["models"]] == ["tiny:latest", "embed:latest"]
    assert (done["asked"], done["server"], done["outcome"]) == ("tiny", behind.url, "answered")
    assert (done["tokens"], done["speed"]) == (26, 13.0)
    assert "My secret" not in json.dumps(state)
    assert "Hi." not in json.dumps(state)


@pytest.mark.slow
def test_nobody_is_asked_anything_while_nobody_looks(front: Proxy, behind: LoopbackServer) -> None:
    for state in states(front):
        if state["servers"]:
            break
    before, watched = -1, len(behind.requests)
    while before != watched:  # whatever was under way ends
        time.sleep(2.5 * survey.FRESH)
        before, watched = watched, len(behind.requests)


def test_a_proxy_that_ends_closes_the_events_properly(behind: LoopbackServer) -> None:
    with proxy([behind.url]) as front:
        connection = front.connect()
        connection.sendall(b"GET /localmix/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = connection.recv(65536)
    with connection:
        while more := connection.recv(65536):
            data += more
    assert data.endswith(b"\r\n0\r\n\r\n")


def test_so_many_pages_and_no_more(front: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_VIEWERS", 1)
    seen = states(front)
    next(seen)
    assert front.ask("GET", "/localmix/events").status == 503
    assert front.ask("GET", "/localmix").status == 200
    seen.close()  # type: ignore[attr-defined]
    while front.ask("HEAD", "/localmix/events").status == 503:
        pass


def test_a_browser_is_asked_for_the_token_as_a_password(behind: LoopbackServer) -> None:
    with proxy([behind.url], proxy_token=TOKEN) as front:
        for path in ("/localmix", "/localmix/events", "/"):
            reply = front.ask("GET", path, **BROWSER)
            assert reply.status == 401
            assert reply.headers["www-authenticate"].startswith("Basic ")
        assert front.ask("GET", "/localmix").headers["www-authenticate"] == "Bearer"
        assert next(states(front, Authorization=f"Bearer {TOKEN}"))["version"]


def test_a_password_that_a_browser_sends_by_itself_counts_from_its_own_page_alone(
    behind: LoopbackServer,
) -> None:
    basic = {"Authorization": "Basic bWU6Y29ycmVjdC1ob3JzZQ=="}
    with proxy([behind.url], proxy_token=TOKEN) as front:
        body = {"model": "tiny", "keep_alive": 0}
        foreign = {**basic, "Origin": "http://localhost:3000"}
        assert front.ask("POST", "/api/generate", body, **foreign).status == 401
        for own in (basic, {**basic, "Origin": front.url}):
            assert front.ask("POST", "/api/generate", body, **own).status == 200
        shown = {"Authorization": f"Bearer {TOKEN}", "Origin": "http://localhost:3000"}
        assert front.ask("GET", "/api/tags", **shown).status == 200


def test_no_key_is_told(start: Start) -> None:
    behind = start(stand_ins.ollama(POST__api_chat=whole({"error": "wrong key SERVERS-KEY"}, 401)))
    servers: list[Any] = [{"url": behind.url, "token": "SERVERS-KEY"}]
    with proxy(servers) as front:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}
        assert front.ask("POST", "/api/chat", body).status >= 400
        assert behind.last("POST /api/chat").headers["authorization"] == "Bearer SERVERS-KEY"
        state = next(state for state in states(front) if state["servers"] and state["done"])
        told = [front.ask("GET", path).body.decode() for path in ("/localmix", "/metrics")]
    for each in (json.dumps(state), *told):
        assert behind.url in each or each == told[0]
        assert "SERVERS-KEY" not in each
