"""The wire over aiohttp: kept connections, and errors in our words."""

from __future__ import annotations

import socket
from collections.abc import Callable

import aiohttp
import pytest

from localmix.errors import ConfigError, ConnectError, LocalMixError, ProtocolError, TimedOutError
from localmix.transport.over_aiohttp import our_error
from localmix.transport.patience import Patience
from localmix.wire.flows import Request, Timeouts
from localmix.wire.gate import Gate
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, hang_up, whole
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "stream": False}
HELLO = whole({**stand_ins.OLLAMA_DONE, "message": {"role": "assistant", "content": "Hi."}})


def test_a_connection_is_kept(start: Start) -> None:
    connections: list[socket.socket] = []

    def answer(exchange: Exchange) -> None:
        connections.append(exchange.connection)
        HELLO(exchange)

    behind = start(stand_ins.ollama(POST__api_chat=answer))
    with proxy([behind.url]) as front:
        for _ in range(3):
            assert front.ask("POST", "/api/chat", CHAT).status == 200
    assert len(set(map(id, connections))) == 1


def test_a_kept_connection_that_is_closed_in_the_last_moment_costs_nothing(start: Start) -> None:
    used: list[socket.socket] = []

    def answer_once(exchange: Exchange) -> None:
        if exchange.connection in used:
            hang_up(exchange)
            return
        used.append(exchange.connection)
        HELLO(exchange)

    behind = start(stand_ins.ollama(POST__api_chat=answer_once))
    with proxy([behind.url], max_retries=0) as front:
        for _ in range(2):
            assert front.ask("POST", "/api/chat", CHAT).status == 200
    assert behind.count("POST /api/chat") == 3


def test_a_new_connection_that_is_hung_up_on_is_not_tried_again(start: Start) -> None:
    behind = start(stand_ins.ollama(POST__api_chat=hang_up))
    with proxy([behind.url], max_retries=0) as front:
        assert front.ask("POST", "/api/chat", CHAT).status == 502
    assert behind.count("POST /api/chat") == 1


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (aiohttp.ServerDisconnectedError(), ConnectError),
        (aiohttp.ClientOSError(104, "reset"), ConnectError),
        (aiohttp.ConnectionTimeoutError(), ConnectError),
        (aiohttp.SocketTimeoutError(), TimedOutError),
        (aiohttp.ServerTimeoutError(), TimedOutError),
        (TimeoutError(), TimedOutError),
        (aiohttp.InvalidURL("x"), ConfigError),
        (aiohttp.NonHttpUrlClientError("ftp://x"), ConfigError),
        (aiohttp.ClientPayloadError("x"), ProtocolError),
        (aiohttp.ClientError("x"), ProtocolError),
    ],
)
def test_every_error_has_its_place(error: Exception, meaning: type[LocalMixError]) -> None:
    patience = Patience(Request("GET", "http://s/path", Timeouts.within(1)), Gate())
    ours = our_error(patience, error, has_begun=False)
    assert isinstance(ours, meaning)
    assert "http://s" in ours.message
