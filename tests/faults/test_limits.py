"""How many requests a server has at once, and that each gives its place back however it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import LocalMixError, OverloadedError
from localmix.servers import MEMORY
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.waiting import until
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, ndjson, stay_silent, whole

LIMIT, CALLERS = 2, 10


class Turnstile:
    """Count how many requests are inside at the same moment."""

    def __init__(self, seconds: float = 0.02) -> None:
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._seconds = seconds
        self._inside = 0
        self.most = 0

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._pause.wait(self._seconds)
        with self._lock:
            self._inside -= 1
        ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)(exchange)


def in_flight(server: LoopbackServer) -> int:
    return MEMORY.vitals(server.url).slots.in_flight


def settle(server: LoopbackServer) -> int:
    """Give the requests in flight, once nothing more can change without us."""
    gc.collect()
    return in_flight(server)


@pytest.fixture
def turnstile() -> Turnstile:
    return Turnstile()


@pytest.fixture
def server(start: Any, turnstile: Turnstile) -> LoopbackServer:
    found: LoopbackServer = start(stand_ins.ollama(POST__api_chat=turnstile))
    return found


def ask_in_threads(client: Client, ask: Callable[[Client], Any]) -> list[Any]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return [each.result() for each in [pool.submit(ask, client) for _ in range(CALLERS)]]


async def ask_in_tasks(client: AsyncClient, ask: Callable[[AsyncClient], Any]) -> list[Any]:
    async with client:
        return list(await asyncio.gather(*(ask(client) for _ in range(CALLERS))))


async def read_async(client: AsyncClient) -> str:
    async with client.stream("hello", model="tiny") as stream:
        return "".join([delta.content async for delta in stream])


def read(client: Client) -> str:
    with client.stream("hello", model="tiny") as stream:
        return "".join(delta.content for delta in stream)


@pytest.mark.parametrize("colour", ["threads", "tasks"])
def test_a_limit_is_reached_and_never_passed(
    server: LoopbackServer, turnstile: Turnstile, colour: str
) -> None:
    config = ServerConfig(url=server.url, limit=LIMIT)
    if colour == "threads":
        with Client([config]) as client:
            answers = ask_in_threads(client, read)
    else:
        answers = asyncio.run(ask_in_tasks(AsyncClient([config]), read_async))
    assert answers == ["Hi."] * CALLERS
    assert turnstile.most == LIMIT
    assert in_flight(server) == 0


def test_threads_and_tasks_share_a_limit(server: LoopbackServer, turnstile: Turnstile) -> None:
    config = ServerConfig(url=server.url, limit=LIMIT)
    with Client([config]) as client, ThreadPoolExecutor(1) as beside:
        tasks = beside.submit(asyncio.run, ask_in_tasks(AsyncClient([config]), read_async))
        answers = ask_in_threads(client, read) + tasks.result()
    assert answers == ["Hi."] * 2 * CALLERS
    assert turnstile.most == LIMIT
    assert in_flight(server) == 0


def test_a_full_server_is_passed_over_for_one_with_a_free_place(
    start: Any, server: LoopbackServer
) -> None:
    other = start(stand_ins.ollama())
    configs = [ServerConfig(url=server.url, limit=1), ServerConfig(url=other.url)]
    with Client(configs) as client:
        routes = ask_in_threads(client, lambda c: c.chat("hello", model="tiny").route)
    assert {route.server.url for route in routes} == {server.url, other.url}
    assert not any(route.attempts for route in routes)


@pytest.fixture
def held(start: Any) -> Iterator[LoopbackServer]:
    """Give a server whose one place is taken until the test ends."""
    server: LoopbackServer = start(stand_ins.ollama())
    MEMORY.vitals(server.url).slots.reserve(None)
    yield server
    assert settle(server) == 1


def test_the_queue_has_a_deadline(either: MakeEither, held: LoopbackServer) -> None:
    client = either([ServerConfig(url=held.url, limit=1)], wait_timeout=0.2)
    with pytest.raises(OverloadedError, match=r"stayed so for 0\.2 s"):
        client.chat("hello", model="tiny")
    assert held.count("POST /api/chat") == 0


def test_the_callers_timeout_bounds_the_queue_too(either: MakeEither, held: LoopbackServer) -> None:
    client = either([ServerConfig(url=held.url, limit=1)], timeout=0.3, wait_timeout=60)
    with pytest.raises(LocalMixError):
        client.stream("hello", model="tiny")
    assert held.count("POST /api/chat") == 0


def test_the_queue_has_an_end(either: MakeEither, held: LoopbackServer) -> None:
    client = either([ServerConfig(url=held.url, limit=1)], max_waiting=0, wait_timeout=60)
    with pytest.raises(OverloadedError, match="too many waiting"):
        client.chat("hello", model="tiny")


def test_a_place_that_comes_free_goes_to_who_waits(
    either: MakeEither, held: LoopbackServer
) -> None:
    slots = MEMORY.vitals(held.url).slots
    threading.Timer(0.2, slots.release).start()
    client = either([ServerConfig(url=held.url, limit=1)], wait_timeout=30)
    assert client.chat("hello", model="tiny").content == "Hi."
    slots.reserve(1)  # for the fixture's last look


LONG = [stand_ins.ollama_says(content="x")] * 50
ENDS: dict[str, Reply] = {
    "well": ndjson(*LONG, stand_ins.OLLAMA_DONE),
    "cut": ndjson(*LONG, end=hang_up),
    "failed": whole({"error": "boom"}, 500),
    "refused": whole({"error": "no"}, 400),
    "late": stay_silent,
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("end", ENDS)
def test_a_place_is_given_back_however_the_answer_ends(
    either: MakeEither, start: Any, end: str, streamed: bool
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ENDS[end]))
    client = either(server.url, first_byte_timeout=0.2, max_retries=0)
    ask = client.stream if streamed else client.chat
    if end == "well":
        ask("hello", model="tiny")
    else:
        with pytest.raises(LocalMixError):
            ask("hello", model="tiny")
    assert in_flight(server) == 0


def test_a_stream_that_is_closed_early_gives_its_place_back(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*LONG, end=stay_silent)))
    assert len(either(server.url).stream("hello", model="tiny", at_most=2)) == 2
    assert in_flight(server) == 0


def test_a_stream_that_is_never_begun_takes_no_place(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url)
    client.models_by_server()
    stream = client.client.stream("hello", model="tiny")
    assert in_flight(server) == 0
    del stream
    assert settle(server) == 0
    assert server.count("POST /api/chat") == 0


def test_a_stream_that_is_dropped_gives_its_place_back(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*LONG, end=stay_silent)))
    with Client(server.url) as client:
        stream = client.stream("hello", model="tiny")
        next(stream)
        assert in_flight(server) == 1
        del stream
        assert settle(server) == 0


def test_an_asynchronous_stream_that_is_dropped_gives_its_place_back(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*LONG, end=stay_silent)))

    async def drop() -> None:
        async with AsyncClient(server.url) as client:
            stream = client.stream("hello", model="tiny")
            await anext(stream)
            assert in_flight(server) == 1
            del stream
            await until(lambda: not settle(server))  # the loop finalizes it

    asyncio.run(drop())


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("when", ["queued", "asking"])
def test_a_task_that_is_cancelled_gives_its_place_back(
    start: Any, streamed: bool, when: str
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=stay_silent))
    config = ServerConfig(url=server.url, limit=1)
    slots = MEMORY.vitals(server.url).slots

    async def cancel() -> None:
        async with AsyncClient([config]) as client:
            await client.models_by_server()
            if when == "queued":
                slots.reserve(1)
            ask = read_async(client) if streamed else client.chat("hello", model="tiny")
            task = asyncio.ensure_future(ask)
            await until(lambda: slots._queue or server.count("POST /api/chat"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    assert not slots._queue
    assert in_flight(server) == (1 if when == "queued" else 0)


def test_an_exception_of_the_caller_gives_the_place_back(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*LONG, end=stay_silent)))
    with Client(server.url) as client:
        with pytest.raises(RuntimeError), client.stream("hello", model="tiny") as stream:
            raise RuntimeError(next(stream).content)
        assert in_flight(server) == 0
