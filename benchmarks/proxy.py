"""What `localmix serve` costs between a program and a model server, in one run.

A canned server answers at once, straight, through a bare aiohttp proxy (the floor: it copies bytes
and knows nothing), and through `localmix serve`: passing (Ollama's API in front of an Ollama),
passing OpenAI's (in front of an OpenAI-compatible server), and translating (Ollama's API in front
of the same). Each is a process of its own.

    added      median of a small chat, not streamed, one caller, less the straight one
    req/s      small chats of 32 callers
    CPU/chat   the proxy's own CPU time for one of these
    first      time to the first piece of a stream of 50, 2 ms apart, less the straight one
    CPU/chunk  the proxy's own CPU time for a piece of a stream of 400, 4 ms apart, 16 at once
    60 paced   how long 60 streams of 50 pieces, 20 ms apart, take at once; ideal is 1.0 s
    memory     growth of the resident memory over 10,000 requests, after the first 1,000
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

WARM_UP, SINGLE, CALLERS, SECONDS, STREAMS = 100, 600, 32, 2.5, 100
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = 1 / os.sysconf("SC_CLK_TCK")
HERE = Path(__file__).parent
USER = [{"role": "user", "content": "Say something about rivers, please. " * 6}]


@dataclass(frozen=True)
class Way:
    """A way from the caller to the canned server."""

    title: str
    port: int
    pid: int
    path: str

    def body(self, *, stream: bool, pieces: int = 50, pause: float = 0.002) -> bytes:
        # What the canned server shall do stands in the prompt, since nothing else passes through.
        order = f"<<{pieces} {pause}>>"
        messages = [*USER[:-1], {"role": "user", "content": order + USER[-1]["content"]}]
        return json.dumps({"model": "canned", "messages": messages, "stream": stream}).encode()


async def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n")
    with ExitStack() as stack:
        ollama, ollama_pid = stack.enter_context(canned("ollama"))
        openai, _ = stack.enter_context(canned("openai"))
        bare, bare_pid = stack.enter_context(floor(ollama))
        passing, passing_pid = stack.enter_context(served(ollama))
        translating, translating_pid = stack.enter_context(served(openai))
        straight = Way("straight", ollama, ollama_pid, "/api/chat")
        ways = [
            straight,
            Way("bare aiohttp proxy", bare, bare_pid, "/api/chat"),
            Way("passing /api/chat", passing, passing_pid, "/api/chat"),
            Way("passing /v1", translating, translating_pid, "/v1/chat/completions"),
            Way("translating", translating, translating_pid, "/api/chat"),
        ]
        heads = ("added", "req/s", "CPU/chat", "first", "CPU/chunk", "60 paced", "memory")
        print(f"{'':20}" + "".join(f"{head:>12}" for head in heads))
        base = await single(straight), await first_piece(straight)
        _, bottom, *others = [(way, await row(way, *base)) for way in ways]
        print("\nAs many times the bare proxy's")
        for way, figures in others:
            times = [mine / its for mine, its in zip(figures, bottom[1], strict=True)]
            print(f"{way.title:20}" + "".join(f"{each:>12.2f}" for each in times))


async def row(way: Way, base: float, base_first: float) -> tuple[float, ...]:
    """Measure one way, print it, and give what is compared."""
    added = (await single(way) - base) * 1e3
    before = cpu_of(way.pid)
    rate = await throughput(way)
    of_one = (cpu_of(way.pid) - before) / (rate * SECONDS) * 1e3
    first = (await first_piece(way) - base_first) * 1e3
    cpu = await cpu_per_chunk(way) * 1e6
    paced = await sixty(way)
    grown = await growth(way) / 1e6
    print(
        f"{way.title:20}{added:>10.2f}ms{rate:>12,.0f}{of_one:>10.2f}ms{first:>10.2f}ms"
        f"{cpu:>10.0f}us{paced:>11.2f}s{grown:>10.1f}MB",
        flush=True,
    )
    return added, rate, of_one, first, cpu


# What is measured


async def single(way: Way) -> float:
    body = way.body(stream=False)
    async with connection(way) as ask:
        for _ in range(WARM_UP):
            await ask(body)
        return statistics.median([await timed(ask(body)) for _ in range(SINGLE)])


async def throughput(way: Way) -> float:
    body = way.body(stream=False)
    end = time.perf_counter() + SECONDS

    async def caller() -> int:
        count = 0
        async with connection(way) as ask:
            while time.perf_counter() < end:
                await ask(body)
                count += 1
        return count

    return sum(await asyncio.gather(*(caller() for _ in range(CALLERS)))) / SECONDS


async def first_piece(way: Way) -> float:
    body = way.body(stream=True)
    async with connection(way) as ask:
        return statistics.median([await ask(body) for _ in range(STREAMS)])


async def cpu_per_chunk(way: Way) -> float:
    streams, pieces = 16, 400
    before = cpu_of(way.pid)
    await many(way, streams, way.body(stream=True, pieces=pieces, pause=0.004))
    return (cpu_of(way.pid) - before) / (streams * pieces)


async def sixty(way: Way) -> float:
    began = time.perf_counter()
    await many(way, 60, way.body(stream=True, pieces=50, pause=0.02))
    return time.perf_counter() - began


async def growth(way: Way) -> int:
    body = way.body(stream=False)

    async def caller(count: int) -> None:
        async with connection(way) as ask:
            for _ in range(count):
                await ask(body)

    await asyncio.gather(*(caller(100) for _ in range(10)))
    before = memory_of(way.pid)
    await asyncio.gather(*(caller(1000) for _ in range(10)))
    return memory_of(way.pid) - before


async def many(way: Way, count: int, body: bytes) -> None:
    async def caller() -> None:
        async with connection(way) as ask:
            await ask(body)

    await asyncio.gather(*(caller() for _ in range(count)))


async def timed(answer: Awaitable[object]) -> float:
    began = time.perf_counter()
    await answer
    return time.perf_counter() - began


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def memory_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


@asynccontextmanager
async def connection(way: Way) -> AsyncIterator[Callable[[bytes], Awaitable[float]]]:
    """Give a function that asks on a kept connection, and gives the time to the first piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)

    async def ask(body: bytes) -> float:
        head = (
            f"POST {way.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        top = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert top.startswith(b"http/1.1 200"), top
        if b"transfer-encoding: chunked" not in top:
            length = int(top.partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            return time.perf_counter() - began
        first = 0.0
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
            first = first or time.perf_counter() - began
        await reader.readline()
        return first

    try:
        yield ask
    finally:
        writer.close()
        await writer.wait_closed()


# What is there


@contextmanager
def process(*words: str) -> Iterator[tuple[int, int]]:
    """Run a server in a process of its own; it prints its port."""
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        line = running.stdout.readline()
        try:
            yield int("".join(filter(str.isdigit, line.rpartition(":")[2].split()[0]))), running.pid
        finally:
            running.terminate()


@contextmanager
def canned(kind: str) -> Iterator[tuple[int, int]]:
    with process(str(HERE / "canned_server.py"), kind) as running:
        yield running


@contextmanager
def floor(port: int) -> Iterator[tuple[int, int]]:
    with process(str(HERE / "bare_proxy.py"), str(port)) as running:
        yield running


@contextmanager
def served(port: int) -> Iterator[tuple[int, int]]:
    words = ("-m", "localmix.cli", "serve", "--port", "0")
    with process(*words, "--server", f"http://127.0.0.1:{port}") as running:
        yield running


if __name__ == "__main__":
    asyncio.run(main())
