"""What the proxy bounds, over bare sockets: bodies, heads, counts, slow senders."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from localmix.proxy.body import BodyBounds
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, whole
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_body_that_is_too_large_is_refused_before_and_while_it_comes(
    behind: LoopbackServer,
) -> None:
    with proxy([behind.url], bounds=BodyBounds(bytes=1000)) as front:
        announced = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n"
        with front.connect() as connection:
            connection.sendall(announced)
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")
        head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        with front.connect() as connection:
            connection.sendall(head + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")
    assert behind.count("POST /api/chat") == 0


def test_a_slow_body_is_given_up(behind: LoopbackServer) -> None:
    slow = BodyBounds(seconds=0.2)
    with proxy([behind.url], bounds=slow) as front, front.connect() as connection:
        head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_slow_head_is_given_up(behind: LoopbackServer) -> None:
    with proxy([behind.url], kept=0.3) as front, front.connect(timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        assert connection.recv(4096) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 2000 + b"\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
    ids=["long header", "many headers", "long path", "two lengths", "negative", "no colon", "TLS"],
)
def test_a_head_that_is_none_is_refused(
    front: Proxy, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reply = front.raw(head)
    assert reply.status == 400
    assert reply.json == {"error": "This is not a request."}
    assert reply.headers["server"] == "localmix"
    assert "xxx" not in caplog.text
    assert "bad header" not in caplog.text


@pytest.mark.parametrize("deep", [65, 5_000, 400_000])
def test_a_body_that_is_too_deep_is_refused(
    front: Proxy, behind: LoopbackServer, deep: int
) -> None:
    for left, right in ((b"[", b"]"), (b'{"x":', b"}")):
        inner = left * deep + b"1" + right * deep
        body = b'{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"x":' + inner + b"}"
        assert front.ask("POST", "/api/chat", body).status == 400
    assert behind.count("POST /api/chat") == 0


@pytest.mark.parametrize("path", ["/api/embed", "/v1/embeddings"])
def test_so_many_texts_and_no_more_are_embedded_at_once(
    front: Proxy, behind: LoopbackServer, path: str
) -> None:
    reply = front.ask("POST", path, {"model": "embed", "input": ["x"] * 2049})
    assert reply.status == 400
    assert "2,048 texts" in json.dumps(reply.json)
    assert behind.count("POST /api/embed") == 0


def test_so_many_requests_and_no_more_wait(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localmix.proxy.application.MOST_AT_ONCE", 1)
    has_come, may_go = threading.Event(), threading.Event()

    def wait(exchange: Exchange) -> None:
        has_come.set()
        may_go.wait(30)
        whole(stand_ins.OLLAMA_DONE)(exchange)

    behind = start(stand_ins.ollama(POST__api_chat=wait))
    with proxy([behind.url]) as front, ThreadPoolExecutor(1) as pool:
        first = pool.submit(front.ask, "POST", "/api/chat", CHAT)
        try:
            assert has_come.wait(30)
            refused = front.ask("POST", "/v1/chat/completions", CHAT)
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert refused.json["error"]["message"] == "Too many requests are waiting."
            assert front.ask("GET", "/api/version").status == 200  # what only reads goes on
        finally:
            may_go.set()
        assert first.result(30).status == 200


def test_a_compressed_body_is_refused(front: Proxy) -> None:
    for coding in ("gzip", "deflate", "br", "zstd"):
        reply = front.ask("POST", "/api/chat", b"\x1f\x8b", Content_Encoding=coding)
        assert reply.status == 415
