"""Connections that are kept, closed, refused: what happens to those who use them."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import LocalMixError, TransportError
from localmix.servers import MEMORY
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.test_soak import sockets_to
from tests.faults.waiting import until, wait_until
from tests.loopback import Exchange, Reply, stay_silent

# A kept connection that fails


def closing_after(reply: Reply, seconds: float) -> Reply:
    """Answer properly, and close the connection a moment later."""

    def respond(exchange: Exchange) -> None:
        reply(exchange)
        time.sleep(seconds)
        exchange.connection.close()

    return respond


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", [0.0, 0.0006, 0.002])
def test_a_kept_connection_that_is_closed_costs_nothing(
    either: MakeEither, start: Any, seconds: float
) -> None:
    server = start(stand_ins.ollama())
    server.routes = {route: closing_after(reply, seconds) for route, reply in server.routes.items()}
    client = either(server.url, max_retries=0, refresh_after=0.0)
    answers = [client.chat("hello", model="tiny") for _ in range(100)]
    assert {answer.content for answer in answers} == {"Hi."}
    assert all(answer.route and not answer.route.attempts for answer in answers)
    assert client.servers()[0].state == "available"


def test_a_server_that_is_gone_is_still_found_out(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, max_retries=0)
    client.chat("hello", model="tiny")
    server.stop()
    with pytest.raises(LocalMixError) as caught:
        client.chat("hello", model="tiny")
    assert len(caught.value.attempts) <= 1


def test_a_request_that_a_server_has_seen_is_not_sent_twice(either: MakeEither, start: Any) -> None:
    """The first bytes of a reply say that it was received: then a repetition is ours to refuse."""
    server = start(stand_ins.ollama())
    client = either(server.url, max_retries=0)
    client.chat("hello", model="tiny")

    def begin_and_leave(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 2")
        exchange.connection.close()

    server.routes["POST /api/chat"] = begin_and_leave
    seen = server.count("POST /api/chat")
    with pytest.raises(LocalMixError):
        client.chat("hello", model="tiny")
    assert server.count("POST /api/chat") == seen + 1


# Closing

CALLS, CLOSES, WORKERS = 5000, 40, 12


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def memory() -> int:
    """Give the resident pages of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.exhaustive
def test_a_client_may_be_closed_at_any_moment_from_any_thread(start: Any) -> None:
    server = start(stand_ins.ollama())
    client = Client(server.url, max_retries=0, connect_timeout=30)
    client.chat("hello", model="tiny")
    client.close()
    gc.collect()
    before = descriptors(), set(threading.enumerate()), memory()
    longest = 0.0

    def ask(number: int) -> str:
        nonlocal longest
        began = time.monotonic()
        try:
            if number % 2:
                return client.chat("hello", model="tiny").content
            return "".join(delta.content for delta in client.stream("hello", model="tiny"))
        except TransportError as error:
            return error.message
        finally:
            longest = max(longest, time.monotonic() - began)

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = [pool.submit(ask, number) for number in range(CALLS)]
        for closing in range(CLOSES):
            wait_until(answers[closing * CALLS // CLOSES].done, 60)
            for thread in [threading.Thread(target=client.close) for _ in range(2)]:
                thread.start()
        said = Counter(answer.result(timeout=60) for answer in answers)
    client.close()
    print(f"{said}, longest {longest:.2f} s")
    closed = said.pop("The client was closed before the answer arrived.", 0)
    assert said == {"Hi.": CALLS - closed}
    assert 0 < closed < CLOSES * 2 * WORKERS
    assert longest < 5.0
    assert MEMORY.vitals(server.url).slots.in_flight == 0
    assert sockets_to([server.url]) == 0
    wait_until(lambda: _ours() <= before[1])
    gc.collect()
    print(f"descriptors {before[0]} and {descriptors()}, pages {before[2]} and {memory()}")
    wait_until(lambda: descriptors() <= before[0] + 2)  # the server's ends close by themselves


def _ours() -> set[threading.Thread]:
    """Give the threads that are not the loopback server's."""
    return {each for each in threading.enumerate() if each.name == "localmix"}


@pytest.mark.exhaustive
def test_a_client_may_be_closed_at_any_moment_from_any_task(start: Any) -> None:
    server = start(stand_ins.ollama())

    async def ask(client: AsyncClient, numbers: Any) -> Counter[str]:
        said: Counter[str] = Counter()
        for number in numbers:
            try:
                if number % 2:
                    said[(await client.chat("hello", model="tiny")).content] += 1
                else:
                    deltas = [d.content async for d in client.stream("hello", model="tiny")]
                    said["".join(deltas)] += 1
            except TransportError as error:
                said[error.message] += 1
        return said

    async def run() -> Counter[str]:
        client = AsyncClient(server.url, max_retries=0, connect_timeout=30)
        numbers = iter(range(CALLS // 4))
        tasks = [asyncio.ensure_future(ask(client, numbers)) for _ in range(WORKERS)]
        for _ in range(CLOSES):
            await asyncio.sleep(0.05)
            await client.close()
        done = await asyncio.wait_for(asyncio.gather(*tasks), 60)
        await client.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return sum(done, Counter())

    said = asyncio.run(run())
    print(said)
    closed = said.pop("The client was closed before the answer arrived.", 0)
    assert said == {"Hi.": CALLS // 4 - closed}
    gc.collect()
    assert sockets_to([server.url]) == 0
    assert MEMORY.vitals(server.url).slots.in_flight == 0


def test_whoever_queues_ends_with_the_client(colour: str, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=stay_silent))
    config: Any = [{"url": server.url, "limit": 1}]
    if colour == "sync":
        with Client(config) as client, ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(client.chat, "hello", model="tiny") for _ in range(2)]
            wait_until(lambda: server.count("POST /api/chat"))
            time.sleep(0.2)
            client.close()
            assert all(isinstance(each.exception(5), TransportError) for each in answers)
        return

    async def run() -> None:
        async with AsyncClient(config) as client:
            chats = [asyncio.ensure_future(client.chat("hello", model="tiny")) for _ in range(2)]
            await until(lambda: server.count("POST /api/chat"))
            await asyncio.sleep(0.2)
            await client.close()
            ends = await asyncio.wait_for(asyncio.gather(*chats, return_exceptions=True), 5)
            assert all(isinstance(end, TransportError) for end in ends)

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["timeout", "close"])
def test_a_name_that_takes_long_to_resolve_keeps_nobody(
    start: Any, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """The system's resolver can be neither bounded nor woken."""
    proper, is_asked = socket.getaddrinfo, threading.Event()

    def resolve(host: Any, *about: Any, **more: Any) -> Any:
        if host == "slow.test":
            is_asked.set()
            time.sleep(6.0)
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return proper(host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    settings: Any = {"timeout": 0.5} if bound == "timeout" else {}
    client = Client("http://slow.test:1", probe_timeout=30, connect_timeout=30, **settings)
    if bound == "close":
        threading.Timer(0.5, client.close).start()
    began = time.monotonic()
    with pytest.raises(LocalMixError):
        client.chat("hello", model="tiny")
    assert time.monotonic() < began + 4.0
    client.close()
    assert time.monotonic() < began + 5.0
    assert is_asked.is_set()


# Cancelling


@pytest.mark.slow
def test_a_task_may_be_cancelled_at_every_step(start: Any) -> None:
    """Cancel at the n-th turn of the loop, for every n, until the answer comes first."""
    server = start(stand_ins.ollama())

    async def ask(client: AsyncClient, *, streamed: bool) -> None:
        if not streamed:
            await client.chat("hello", model="tiny")
            return
        async with client.stream("hello", model="tiny") as stream:
            async for _ in stream:
                pass

    async def cancelled_after(turns: int, *, streamed: bool) -> bool:
        async with AsyncClient(server.url) as client:
            task = asyncio.ensure_future(ask(client, streamed=streamed))
            for _ in range(turns):
                await asyncio.sleep(0.0005)
            task.cancel()
            await asyncio.wait([task])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return task.cancelled()

    for streamed in (False, True):
        turns = 0
        while asyncio.run(cancelled_after(turns, streamed=streamed)):
            turns += 1
        assert turns > 0
        gc.collect()
        assert sockets_to([server.url]) == 0
        assert MEMORY.vitals(server.url).slots.in_flight == 0
