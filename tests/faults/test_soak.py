"""Two servers, one of which dies every second, and many callers: nobody may notice."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import LocalMixError
from localmix.servers import MEMORY
from tests import stand_ins
from tests.faults.waiting import wait_until
from tests.loopback import Exchange, LoopbackServer

REQUESTS, WORKERS = 1000, 16
_WORDS = ["one ", "two ", "three"]
BROKEN = "broke off after a word"
WHOLE = "".join(_WORDS)
# So long does an answer take, that some are always under way when their server dies.
_BETWEEN_WORDS = 0.02


class Answers:
    """Answer slowly, a word at a time, and keep a count of whole answers for each question."""

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()

    def __call__(self, exchange: Exchange) -> None:
        question = exchange.json["messages"][0]["content"]
        exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
        for word in _WORDS:
            time.sleep(_BETWEEN_WORDS)
            said = stand_ins.ollama_says(content=word)
            exchange.chunk(_line(said))
        exchange.chunk(_line(stand_ins.OLLAMA_DONE))
        exchange.chunk(b"")
        self.given[question] += 1


def _line(frame: dict[str, Any]) -> bytes:
    return json.dumps(frame).encode() + b"\n"


@contextmanager
def dying_every_second(server: LoopbackServer) -> Iterator[list[float]]:
    """Kill a server and start it again on its port, over and over."""
    ended = threading.Event()
    deaths: list[float] = []

    def kill_and_restart() -> None:
        while not ended.wait(0.5):
            server.stop()
            deaths.append(time.monotonic())
            ended.wait(0.5)
            server.start()

    killer = threading.Thread(target=kill_and_restart)
    killer.start()
    try:
        yield deaths
    finally:
        ended.set()
        killer.join()


def outcome_of(error: LocalMixError) -> str:
    """Say how a request failed; only a stream that has spoken may."""
    assert error.partial is not None, f"failed before a word: {error}"
    assert error.partial.content
    assert WHOLE.startswith(error.partial.content)
    return BROKEN


def in_threads(urls: list[str], numbers: range) -> Counter[str]:
    def ask(number: int) -> str:
        said = ""
        try:
            with client.stream(f"question {number}", model="tiny") as stream:
                for delta in stream:
                    said += delta.content
        except LocalMixError as error:
            return outcome_of(error)
        return said

    with Client(urls) as client, ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pool.map(ask, numbers))


def in_tasks(urls: list[str], numbers: range) -> Counter[str]:
    async def ask(client: AsyncClient, number: int) -> str:
        said = ""
        try:
            async with client.stream(f"question {number}", model="tiny") as stream:
                async for delta in stream:
                    said += delta.content
        except LocalMixError as error:
            return outcome_of(error)
        return said

    async def work(client: AsyncClient, numbers: Iterator[int]) -> list[str]:
        return [await ask(client, number) for number in numbers]

    async def run() -> Counter[str]:
        left = iter(numbers)
        async with AsyncClient(urls) as client:
            done = await asyncio.gather(*(work(client, left) for _ in range(WORKERS)))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return Counter(outcome for outcomes in done for outcome in outcomes)

    return asyncio.run(run())


def sockets_to(urls: list[str]) -> int:
    """Count this process's connections to some servers, by what the kernel says."""
    ports = {f":{int(url.rpartition(':')[2]):04X}" for url in urls}
    mine = {path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(row[2][-5:] in ports and f"socket:[{row[9]}]" in mine for row in rows)


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@pytest.mark.parametrize("work", [in_threads, in_tasks])
def test_nobody_notices_a_server_that_dies_every_second(
    start: Any, work: Callable[[list[str], range], Counter[str]]
) -> None:
    threads_before = set(threading.enumerate())
    answers = [Answers(), Answers()]
    dying, lasting = (start(stand_ins.ollama(POST__api_chat=answer)) for answer in answers)
    urls = [dying.url, lasting.url]
    with dying_every_second(dying) as deaths:
        outcomes, asked = work(urls, range(REQUESTS)), REQUESTS
        while not outcomes[BROKEN]:  # on a busy machine nobody may be speaking when it dies
            outcomes += work(urls, range(asked, asked + REQUESTS))
            asked += REQUESTS

    # A word that has been said cannot be taken back; everything else is carried on elsewhere.
    broken = outcomes.pop(BROKEN)
    assert outcomes == {WHOLE: asked - broken}
    assert len(deaths) > 2
    assert broken < len(deaths) * WORKERS + 1
    given = answers[0].given + answers[1].given
    assert max(given.values()) == 1, "one question was answered twice"
    assert answers[0].given
    assert answers[1].given

    gc.collect()
    assert [MEMORY.vitals(url).slots.in_flight for url in urls] == [0, 0]
    assert sockets_to(urls) == 0
    dying.stop()
    lasting.stop()
    wait_until(lambda: set(threading.enumerate()) <= threads_before)


def test_an_open_connection_is_seen(start: Any) -> None:
    """The count above proves nothing if it is always 0."""
    server = start(stand_ins.ollama())
    with Client(server.url) as client:
        client.chat("hello", model="tiny")
        assert sockets_to([server.url]) > 0
    assert sockets_to([server.url]) == 0
