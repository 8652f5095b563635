"""The driver for ordinary code."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import Any, TypeVar

import httpx

from localmix.errors import LocalMixError
from localmix.transport import http
from localmix.wire.flows import (
    Call,
    Emit,
    Flow,
    Gather,
    Open,
    Opened,
    Outcome,
    Read,
    Request,
    Response,
    Returned,
    Run,
    Source,
    Spawn,
    Step,
    Wait,
)
from localmix.wire.gate import Gate

T = TypeVar("T")


class Reading:
    """A stream that is read on: first what has come already, then the rest."""

    def __init__(self, response: httpx.Response, step: Open, patience: http.Patience) -> None:
        self._response = response
        self._chunks = response.iter_raw()
        self._incoming = http.Incoming(step, patience)

    def wait(self) -> bool:
        """Read until there is a delta; tell whether there is one, or the stream has ended."""
        incoming = self._incoming
        while not incoming.waiting and not incoming.is_at_end:
            if incoming.is_done:
                self._drain()
                incoming.end()
                continue
            with http.our_errors(incoming.url, begun=True):
                data = next(self._chunks, None)
            incoming.take(data)
        return bool(incoming.waiting)

    def _drain(self) -> None:
        """Read the end of a body that has said all, so that its connection can be used again."""
        self._incoming.patience.only_drain()
        drained = 0
        with suppress(httpx.HTTPError):
            for data in self._chunks:
                drained += len(data)
                if self._incoming.is_enough(drained):
                    break

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.wait():
            raise StopIteration
        return self._incoming.waiting.popleft()

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class Transport:
    """Drive flows in the calling thread; one instance serves many threads."""

    def __init__(self) -> None:
        self._clients: dict[tuple[int, bool], httpx.HTTPTransport] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = Gate()
        self._streams: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, or to that of the client.

        Raises:
            TransportError: Another thread has closed the client.
        """
        life_end = self._closing
        outcomes: Sequence[Outcome] | None = None
        with closing(flow):
            while True:
                try:
                    steps = flow.send(outcomes)  # type: ignore[arg-type]  # None starts it
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcomes = self._take_all(steps)
                if life_end.is_open:
                    raise http.closed()

    def iterate(self, source: Source[None]) -> Generator[Any]:
        """Run a source, and give what it emits; however it ends, its streams are closed.

        Raises:
            TransportError: Another thread has closed the client.
        """
        life_end = self._closing
        outcomes: Any = None
        with closing(source), ExitStack() as streams:
            while True:
                try:
                    step = source.send(outcomes)
                except StopIteration:
                    return
                outcomes = []
                if isinstance(step, Emit):
                    yield step.value
                    continue
                outcomes = self._take_all(step)
                for outcome in outcomes:
                    if isinstance(outcome, Opened):
                        streams.enter_context(closing(outcome.stream))
                if life_end.is_open:
                    raise http.closed()

    def close(self) -> None:
        """End what runs, also in other threads, and hang up; the next request begins anew."""
        self._closing.open()
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            http.wake(stream)
        for thread in list(self._threads):
            thread.join()
        self._closing = Gate()
        while self._clients:
            self._clients.popitem()[1].close()

    def _take_all(self, steps: Sequence[Step]) -> list[Outcome]:
        if len(steps) == 1 or all(isinstance(step, Spawn) for step in steps):
            return [self._take(step) for step in steps]
        with ThreadPoolExecutor(max_workers=len(steps)) as pool:
            return list(pool.map(self._take, steps))

    def _take(self, step: Step) -> Outcome:
        try:
            match step:
                case Request():
                    return self._send(step)
                case Open():
                    return self._open(step)
                case Gather():
                    return self._gather(step)
                case _:
                    return Returned(self._do(step))
        except LocalMixError as error:
            return error

    def _do(self, step: Read | Call | Wait | Run | Spawn) -> Any:
        match step:
            case Read():
                return next(step.opened.stream, None)
            case Call():
                return step.function()
            case Wait():
                return self._wait(step)
            case Run():
                return self.run(step.flow)
            case Spawn():
                return self._spawn(step)

    def _send(self, request: Request) -> Response:
        patience = http.Patience(request)
        with http.our_errors(request.url):
            response = self._response_to(request, patience)
        with closing(response):
            http.check_coding(response, request.url)
            return self._read_whole(response, request, patience)

    def _open(self, step: Open) -> Opened | Response:
        patience = http.Patience(step.request)
        with http.our_errors(step.request.url):
            response = self._response_to(step.request, patience)
        try:
            http.check_coding(response, step.request.url)
            if http.is_whole(response):
                with closing(response):
                    return self._read_whole(response, step.request, patience)
            stream = Reading(response, step, patience)
            stream.wait()
        except BaseException:
            response.close()
            raise
        return Opened(stream)

    def _gather(self, step: Gather) -> Returned | Response:
        opened = self._open(step.open)
        if isinstance(opened, Response):
            return opened
        with closing(opened.stream) as stream:
            return Returned(list(stream))

    def _wait(self, step: Wait) -> bool:
        """Wait for the gate; also for the client's end, so that nothing waits longer than that."""
        told = threading.Event()
        forget = [gate.when_open(told.set) for gate in (step.gate, self._closing)]
        told.wait(step.seconds)
        for each in forget:
            each()
        return step.gate.is_open

    def _spawn(self, step: Spawn) -> None:
        def run() -> None:
            try:
                with suppress(LocalMixError):  # only the client's end: a flow beside keeps its own
                    self.run(step.flow)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name="localmix", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _response_to(self, request: Request, patience: http.Patience) -> httpx.Response:
        client = self._client(is_tls=request.url.startswith("https:"))
        response = client.handle_request(http.to_httpx(request, patience, self._trace))
        patience.expect_pieces()
        return response

    def _read_whole(
        self, response: httpx.Response, request: Request, patience: http.Patience
    ) -> Response:
        body = bytearray()
        with http.our_errors(request.url, begun=True):
            for data in response.iter_raw():
                body += data
                http.check_size(len(body), request)
                patience.heard(has_spoken=False)
        return http.from_httpx(response, bytes(body), request)

    def _trace(self, event: str, about: Mapping[str, Any]) -> None:
        if stream := http.new_stream(event, about):
            with self._lock:
                self._streams.add(stream)

    def _client(self, *, is_tls: bool) -> httpx.HTTPTransport:
        key = (os.getpid(), is_tls)  # a fork must not write to the connections of its parent
        client = self._clients.get(key)
        if client is None:
            client = httpx.HTTPTransport(verify=http.trust(is_tls), **http.PLAIN)
            self._clients[key] = client
            weakref.finalize(self, client.close)
        return client
