"""The driver for asynchronous code."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, closing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
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


class AsyncReading:
    """A stream that is read on: first what has come already, then the rest."""

    def __init__(self, response: httpx.Response, step: Open, patience: http.Patience) -> None:
        self._response = response
        self._chunks = response.aiter_raw()
        self._incoming = http.Incoming(step, patience)

    async def wait(self) -> bool:
        """Read until there is a delta; tell whether there is one, or the stream has ended."""
        incoming = self._incoming
        while not incoming.waiting and not incoming.is_at_end:
            if incoming.is_done:
                await self._drain()
                incoming.end()
                continue
            with http.our_errors(incoming.url, begun=True):
                data = await anext(self._chunks, None)
            incoming.take(data)
        return bool(incoming.waiting)

    async def _drain(self) -> None:
        """Read the end of a body that has said all, so that its connection can be used again."""
        self._incoming.patience.only_drain()
        drained = 0
        with suppress(httpx.HTTPError):
            async for data in self._chunks:
                drained += len(data)
                if self._incoming.is_enough(drained):
                    break

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if not await self.wait():
            raise StopAsyncIteration
        return self._incoming.waiting.popleft()

    async def aclose(self) -> None:
        """Hang up."""
        await self._response.aclose()


class AsyncTransport:
    """Drive flows in the running loop; one instance serves one loop after another.

    A client lives in an async generator that its loop finalizes, as `asyncio.run` does with all of
    them: it is closed with its loop, and a second `asyncio.run` gets its own. A loop of another
    thread than the main one may be closed without that (LlamaIndex runs such loops), so there no
    connection stays open between two requests.
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[asyncio.AbstractEventLoop, bool], _Life] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = WeakKeyDictionary()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, or to that of the client.

        Raises:
            TransportError: Another task has closed the client.
        """
        life_end = self._life_end()
        outcomes: Sequence[Outcome] | None = None
        with closing(flow):
            while True:
                try:
                    steps = flow.send(outcomes)  # type: ignore[arg-type]  # None starts it
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcomes = await self._take_all(steps)
                if life_end.is_open:
                    raise http.closed()

    async def iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        """Run a source, and give what it emits; however it ends, its streams are closed.

        Raises:
            TransportError: Another task has closed the client.
        """
        life_end = self._life_end()
        outcomes: Any = None
        with closing(source):
            async with AsyncExitStack() as streams:
                while True:
                    try:
                        step = source.send(outcomes)
                    except StopIteration:
                        return
                    outcomes = []
                    if isinstance(step, Emit):
                        yield step.value
                        continue
                    outcomes = await self._take_all(step)
                    for outcome in outcomes:
                        if isinstance(outcome, Opened):
                            await streams.enter_async_context(aclosing(outcome.stream))
                    if life_end.is_open:
                        raise http.closed()

    async def close(self) -> None:
        """End what runs in this loop and hang up; the next request begins anew."""
        loop = asyncio.get_running_loop()
        self._ends.pop(loop, Gate()).open()
        tasks = [task for task in self._tasks if task.get_loop() is loop]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for key in [key for key in list(self._clients) if key[0] is loop]:
            await self._clients.pop(key).generator.aclose()

    def _life_end(self) -> Gate:
        """Give what opens when the client is closed in this loop."""
        return self._ends.setdefault(asyncio.get_running_loop(), Gate())

    async def _take_all(self, steps: Sequence[Step]) -> list[Outcome]:
        if len(steps) == 1:
            return [await self._take(steps[0])]
        outcomes: dict[int, Outcome] = {}

        async def take(place: int) -> None:
            outcomes[place] = await self._take(steps[place])

        async with anyio.create_task_group() as group:
            for place in range(len(steps)):
                group.start_soon(take, place)
        return [outcomes[place] for place in range(len(steps))]

    async def _take(self, step: Step) -> Outcome:
        try:
            match step:
                case Request():
                    return await self._send(step)
                case Open():
                    return await self._open(step)
                case Gather():
                    return await self._gather(step)
                case _:
                    return Returned(await self._do(step))
        except LocalMixError as error:
            return error

    async def _do(self, step: Read | Call | Wait | Run | Spawn) -> Any:
        match step:
            case Read():
                return await anext(step.opened.stream, None)
            case Call():
                return await asyncio.to_thread(step.function)
            case Wait():
                return await self._wait(step)
            case Run():
                return await self.run(step.flow)
            case Spawn():
                return self._spawn(step)

    async def _send(self, request: Request) -> Response:
        patience = http.Patience(request)
        with http.our_errors(request.url):
            response = await self._response_to(request, patience)
        async with aclosing(response):
            http.check_coding(response, request.url)
            return await self._read_whole(response, request, patience)

    async def _open(self, step: Open) -> Opened | Response:
        patience = http.Patience(step.request)
        with http.our_errors(step.request.url):
            response = await self._response_to(step.request, patience)
        try:
            http.check_coding(response, step.request.url)
            if http.is_whole(response):
                async with aclosing(response):
                    return await self._read_whole(response, step.request, patience)
            stream = AsyncReading(response, step, patience)
            await stream.wait()
        except BaseException:
            await response.aclose()
            raise
        return Opened(stream)

    async def _gather(self, step: Gather) -> Returned | Response:
        opened = await self._open(step.open)
        if isinstance(opened, Response):
            return opened
        async with aclosing(opened.stream) as stream:
            return Returned([delta async for delta in stream])

    async def _wait(self, step: Wait) -> bool:
        loop, told = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended since
                loop.call_soon_threadsafe(told.set)

        forget = step.gate.when_open(tell)
        try:
            async with asyncio.timeout(step.seconds):
                await told.wait()
        except TimeoutError:
            pass
        finally:
            forget()
        return step.gate.is_open

    def _spawn(self, step: Spawn) -> None:
        task = asyncio.create_task(self._run_beside(step.flow), name="localmix")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_beside(self, flow: Flow[None]) -> None:
        """Run a flow that may be cancelled at any moment.

        The HTTP library closes connections within shielded scopes of anyio. Cancelling a bare task
        breaks these, and sockets stay open; a group of anyio heeds them.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self.run, flow)

    async def _response_to(self, request: Request, patience: http.Patience) -> httpx.Response:
        client = await self._client(is_tls=request.url.startswith("https:"))
        response = await client.handle_async_request(http.to_httpx(request, patience, _trace))
        patience.expect_pieces()
        return response

    async def _read_whole(
        self, response: httpx.Response, request: Request, patience: http.Patience
    ) -> Response:
        body = bytearray()
        with http.our_errors(request.url, begun=True):
            async for data in response.aiter_raw():
                body += data
                http.check_size(len(body), request)
                patience.heard(has_spoken=False)
        return http.from_httpx(response, bytes(body), request)

    async def _client(self, *, is_tls: bool) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        life = self._clients.get((loop, is_tls))
        if life is None:
            for key in [key for key in list(self._clients) if key[0].is_closed()]:
                self._clients.pop(key, None)
            generator = _living_client(http.trust(is_tls))
            life = self._clients[loop, is_tls] = _Life(generator, await anext(generator))
        return life.client


async def _trace(event: str, about: Mapping[str, Any]) -> None:
    http.new_stream(event, about)


@dataclass(frozen=True, slots=True)
class _Life:
    """Hold a client and the generator that closes it."""

    generator: AsyncGenerator[httpx.AsyncHTTPTransport, None]
    client: httpx.AsyncHTTPTransport


async def _living_client(
    trust: ssl.SSLContext | bool,
) -> AsyncGenerator[httpx.AsyncHTTPTransport, None]:
    is_main = threading.current_thread() is threading.main_thread()
    client = httpx.AsyncHTTPTransport(verify=trust, **(http.PLAIN if is_main else http.PLAIN_ONCE))
    try:
        yield client
    finally:
        await client.aclose()
