"""What it costs to find servers, to decide among them, and to leave one.

Discovery: a new client asks two loopback servers, then the same two and a black hole, a socket that
listens and never answers; and a chat is answered in spite of the hole in the first place.
Decision: four loopback servers list 200 models each; `client.route()` then decides with what is
known, and nothing is asked (the flow is checked to take no step). Fail-over: the server that
answered the last request is killed, so that the next one is refused before another server answers;
the same request that goes to the good server at once stands beside it. Medians count.
"""

from __future__ import annotations

import platform
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from layers import QUESTION, loopback

import localmix.discovery as discovery_module
from localmix import Client
from localmix.types import ChatResult, RouteRequest

MODELS = 200
DISCOVERIES = 25
DECISIONS = 1000
FAIL_OVERS = 25
NAMES = {
    "the name that the server has": "qwen3:8b-instruct-q4_K_M",
    "the same in another catalogue": "qwen/qwen3-8b-instruct@q4_k_m",
    "pinned": "ollama/qwen3:8b-instruct-q4_K_M",
    "no name": None,
}


def main() -> None:
    print(__doc__)
    counts = f"{DISCOVERIES} discoveries, {DECISIONS} decisions, {FAIL_OVERS} fail-overs"
    print(f"Python {platform.python_version()}, {platform.machine()}, {counts}")
    discovery()
    decisions()
    fail_over()


def discovery() -> None:
    with loopback() as one, loopback() as other, black_hole() as hole:
        jobs: dict[str, Callable[[Client], object]] = {
            "all of two servers": lambda client: client.servers(),
            "all, with a black hole": lambda client: client.servers(),
            "a chat, with a black hole": lambda client: client.chat(QUESTION, model="bench"),
        }
        print(f"\nA new client asks\n{'':34}{'median':>10}  {'most':>10}")
        for title, job in jobs.items():
            urls = [hole, one, other] if "hole" in title else [one, other]
            times = [discover(urls, job) for _ in range(DISCOVERIES)]
            print(f"{title:34}{statistics.median(times) * 1e3:>8.1f}ms{max(times) * 1e3:>10.1f}ms")


def discover(urls: list[str], job: Callable[[Client], object]) -> float:
    discovery_module._directories.clear()  # noqa: SLF001  (what the last client learned)
    with Client(urls) as client:
        return timed(lambda: job(client))


@contextmanager
def black_hole() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def decisions() -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(loopback(MODELS - 1)) for _ in range(4)]
        client = stack.enter_context(Client([{"url": url, "order": 1} for url in urls]))
        assert len(client.models_by_server()) == 4 * MODELS
        print(f"\nA decision among 4 servers of {MODELS} models\n{'':34}{'median':>10}")
        for title, name in NAMES.items():
            request = RouteRequest(model=name)
            times = [timed(lambda: decide(client, request)) for _ in range(DECISIONS)]  # noqa: B023
            print(f"{title:34}{statistics.median(times) * 1e6:>8.1f}µs")


def decide(client: Client, request: RouteRequest) -> None:
    flow = client._inventory.route(request)  # noqa: SLF001  (the client would drive it)
    try:
        next(flow)
    except StopIteration:
        return
    raise AssertionError("a decision asked a server")


def fail_over() -> None:
    refused, at_once = [], []
    with loopback() as good, Client(good) as direct:
        for _ in range(FAIL_OVERS):
            with loopback() as bad:
                client = Client([bad, good])
                client.chat(QUESTION, model="bench")
                client.stream(QUESTION, model=f"{good[7:]}/bench").close()
            with client:
                direct.chat(QUESTION, model="bench")
                at_once.append(timed(lambda: direct.chat(QUESTION, model="bench")))
                answers: list[ChatResult] = []
                refused.append(
                    timed(lambda: answers.append(client.chat(QUESTION, model="bench")))  # noqa: B023
                )
                route = answers[0].route
                assert route
                assert [attempt.server for attempt in route.attempts] == [bad]
    print(f"\nA server that was killed\n{'':34}{'median':>10}")
    for title, times in (("answered at once", at_once), ("refused once", refused)):
        print(f"{title:34}{statistics.median(times) * 1e3:>8.2f}ms")


def timed(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
