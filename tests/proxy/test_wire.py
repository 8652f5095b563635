"""The wire over aiohttp: kept connections, and errors in our words."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable

import aiohttp
import pytest

from localmix import AsyncClient
from localmix.errors import (
    ConfigError,
    ConnectError,
    LocalMixError,
    ProtocolError,
    TimedOutError,
    TransportError,
)
from localmix.settings import Settings
from localmix.transport import AsyncTransport
from localmix.transport.over_aiohttp import AiohttpWire, our_error
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


@pytest.mark.parametrize("when", ["before the head", "within a whole answer", "within a stream"])
def test_closing_wakes_whoever_waits(start: Start, when: str) -> None:
    asked, left = threading.Event(), threading.Event()

    def stall(exchange: Exchange) -> None:
        if when == "within a whole answer":
            exchange.head(200, "application/json", Content_Length="100")
        elif when == "within a stream":
            exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
            exchange.chunk(json.dumps(stand_ins.ollama_says(content="Hi.")).encode() + b"\n")
        asked.set()
        if exchange.is_hung_up(20):
            left.set()

    behind = start(stand_ins.ollama(POST__api_chat=stall))

    async def ask(client: AsyncClient) -> None:
        if when == "within a stream":
            async for _ in client.stream("Hi", model="tiny"):
                pass
        else:
            await client.chat("Hi", model="tiny")

    async def close_meanwhile() -> None:
        settings = Settings.load(servers=[behind.url])
        client = AsyncClient.with_settings(settings, AsyncTransport(AiohttpWire))
        asking = asyncio.create_task(ask(client))
        assert await asyncio.to_thread(asked.wait, 20)
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(TransportError, match="was closed"):
            await asyncio.wait_for(asking, 5)

    asyncio.run(close_meanwhile())
    assert left.wait(5)


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
