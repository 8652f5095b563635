"""A proxy among proxies: it knows itself, others of its kind, and circles."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from localmix import Client
from localmix.wire import kin
from tests import stand_ins
from tests.loopback import LoopbackServer
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
USER = [{"role": "user", "content": "Hi"}]


@contextmanager
def another_process(*servers: str, port: int = 0) -> Iterator[str]:
    """Run a proxy in a process of its own: what is of one process takes it for itself."""
    code = (
        "import sys; from localmix.settings import Settings;"
        "from localmix.proxy.running import run_until_stopped;"
        "run_until_stopped(Settings.load(servers=sys.argv[2:], proxy_port=int(sys.argv[1])),"
        " lambda url, _: print(url, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port), *servers], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def names(front: Proxy) -> list[str]:
    return [entry["name"] for entry in front.ask("GET", "/api/tags").json["models"]]


def test_it_is_never_its_own_server(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = start(stand_ins.ollama("tiny:latest"))
    with proxy([behind.url]) as first:
        with proxy([behind.url, first.url]) as second:  # of the same process
            assert names(second) == ["tiny:latest"]
        with Client([behind.url, first.url]) as client:
            found = {each.url: each for each in client.servers()}
        assert found[first.url].problem == kin.ITSELF


@pytest.mark.slow
def test_a_proxy_that_was_only_found_is_left_out(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = start(stand_ins.ollama("tiny:latest"))
    with another_process(behind.url) as url:
        monkeypatch.setattr("localmix.settings.OLLAMA_PORT", int(url.rpartition(":")[2]))
        monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", 9)
        with Client() as client:
            found = {each.url: each for each in client.servers()}[url]
        assert (found.kind, found.problem) == (None, kin.NOT_NAMED)
        with Client([url]) as client:
            (named,) = client.servers()
            assert (named.kind, named.note) == ("ollama", kin.PROXY)
            assert client.chat("Hi", model="tiny").content == "Hi."


@pytest.mark.slow
def test_two_that_point_at_each_other_answer_all_the_same(start: Start) -> None:
    behind = start(stand_ins.ollama("tiny:latest"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    first = f"http://127.0.0.1:{port}"
    with another_process(behind.url, first) as second, another_process(second, port=port) as url:
        assert url == first
        front = Proxy(url, port)
        assert names(front) == ["tiny:latest"]
        body = {"model": "tiny", "messages": USER}
        assert front.ask("POST", "/api/chat", body).status == 200
        reply = front.ask("POST", "/api/chat", {**body, "model": "nobody"})
        assert reply.status == 404


def test_a_request_that_comes_round_is_refused() -> None:
    with proxy(["http://127.0.0.1:9"]) as front:
        reply = front.ask("GET", "/api/tags", Localmix_Via=f"other, {kin.own_name()}")
        assert reply.status == 508
        assert "point at each other" in reply.json["error"]


def test_what_it_sends_names_the_way(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front:
        body = {"model": "tiny", "messages": USER}
        assert front.ask("POST", "/api/chat", body, Localmix_Via="other").status == 200
    via = behind.last("POST /api/chat").headers["localmix-via"]
    assert via == f"other, {kin.own_name()}"


def test_an_ordinary_client_names_no_way(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with Client([behind.url]) as client:
        client.chat("Hi", model="tiny")
    assert "localmix-via" not in behind.last("POST /api/chat").headers


@pytest.mark.slow
def test_what_no_server_tells_is_not_denied(start: Start) -> None:
    behind = start(stand_ins.openai("tiny"))
    with another_process(behind.url) as url, Client(url) as client:
        shown = client.show("tiny")
        assert (shown.can("thinking"), shown.can("tools")) == (None, None)
        assert client.chat("hello", model="tiny", think=True).content == "Hi."
