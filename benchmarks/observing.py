"""What it costs that a request can be watched: with nobody there, and with one listener or another.

Each job is a request's whole life as its `Watch` is told of it, and nothing else: no server, no
routing. CPU time of the thread, the least of many rounds, since what else runs on the machine only
adds to it. The goal for `nobody` is 2 µs at most.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable

from localmix.observing import Event, Observer, Watch
from localmix.types import ChatRequest, ChatResult, Message, Route, Server, Usage

ROUNDS = 400
REQUESTS = 100
REQUEST = ChatRequest(messages=(Message(role="user", content="hello"),), model="bench")
SERVER = Server("http://127.0.0.1:11434", "ollama")
ROUTE = Route(SERVER, "bench", "the server has it under this name")
RESULT = ChatResult(content="Hi.", model="bench", usage=Usage(19, 26), route=ROUTE)


def main() -> None:
    print(__doc__)
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} x {REQUESTS} requests"
    )
    logging.getLogger("localmix").addHandler(logging.NullHandler())
    print(f"\nA request is watched by\n{'':34}{'least':>10}")
    show("nobody", ())
    show("a function that does nothing", (ignore,))
    logging.getLogger("localmix").setLevel(logging.INFO)
    show("the log at INFO", ())
    logging.getLogger("localmix").setLevel(logging.WARNING)
    telemetry()


def telemetry() -> None:
    """Show OpenTelemetry, as far as it is installed."""
    try:
        from localmix.observing.telemetry import Telemetry
    except ImportError:
        print("OpenTelemetry is not installed: pip install 'localmix[otel]'")
        return
    show("telemetry, no SDK", (Telemetry(),))
    try:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
    except ImportError:
        print("its SDK is not installed")
        return
    meters = MeterProvider()
    show("telemetry, sampled out", (Telemetry(TracerProvider(sampler=ALWAYS_OFF), meters),))
    show("telemetry, recorded", (Telemetry(TracerProvider(), meters),))


def show(title: str, observers: tuple[Observer, ...]) -> None:
    least = min(round_of(lambda: request(observers)) for _ in range(ROUNDS))
    print(f"{title:34}{least * 1e6:>8.2f}µs")


def request(observers: tuple[Observer, ...]) -> None:
    with Watch(observers, time.monotonic, REQUEST, is_streamed=True) as watch:
        watch.tried(SERVER, "bench", "the server has it under this name", 0.0)
        watch.skipped(())
        watch.accepted(ROUTE)
        watch.spoke()
        if watch:
            watch.result = RESULT


def round_of(job: Callable[[], None]) -> float:
    started = time.thread_time()
    for _ in range(REQUESTS):
        job()
    return (time.thread_time() - started) / REQUESTS


def ignore(event: Event) -> None:
    """Listen to nothing."""


if __name__ == "__main__":
    main()
