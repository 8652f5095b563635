"""The only room that knows the HTTP library: two thin drivers, alike but for their colour.

They send requests, read streams and run flows. They hold no retry policy, no clock and no word of
a dialect. What holds for both: no redirects, no proxy variables, no `.netrc`; failures of the HTTP
library become ours in one place; a response is closed on every way out, which makes the server
stop working.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import weakref
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import httpx

from localmix.errors import (
    ConfigError,
    ConnectError,
    LocalMixError,
    ProtocolError,
    StreamInterruptedError,
    TimedOutError,
)
from localmix.wire.exchange import (
    Call,
    Flow,
    Open,
    Opened,
    Outcome,
    Request,
    Response,
    Returned,
    Step,
)

T = TypeVar("T")

# Vectors of a large batch are the largest replies there are: 1,000 x 4,096 numbers are 80 MB.
MAX_BODY_BYTES = 512 * 1024 * 1024
# LM Studio closes idle connections after 5 s; one that is older must not be used again.
_LIMITS = httpx.Limits(keepalive_expiry=4.0)
_PLAIN: Any = {"trust_env": False, "follow_redirects": False, "limits": _LIMITS}
_HEADERS = {"User-Agent": "localmix", "Accept-Encoding": "identity"}


class Reading:
    """Read a stream on: first what has come already, then the rest."""

    def __init__(self, response: httpx.Response, step: Open) -> None:
        _expect_pieces(response, step.request)
        self._response = response
        self._step = step
        self._chunks = response.iter_bytes()
        self._waiting: deque[Any] = deque()
        self._ended = False

    def wait(self) -> bool:
        """Read until there is a delta; tell whether there is one, or the stream has ended."""
        while not self._waiting and not self._ended:
            with _our_errors(self._step.request.url, begun=True):
                data = next(self._chunks, None)
            self._ended = data is None
            decoder = self._step.decoder
            self._waiting += decoder.close() if data is None else decoder.feed(data)
        return bool(self._waiting)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.wait():
            raise StopIteration
        return self._waiting.popleft()

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class AsyncReading:
    """Read a stream on: first what has come already, then the rest."""

    def __init__(self, response: httpx.Response, step: Open) -> None:
        _expect_pieces(response, step.request)
        self._response = response
        self._step = step
        self._chunks = response.aiter_bytes()
        self._waiting: deque[Any] = deque()
        self._ended = False

    async def wait(self) -> bool:
        """Read until there is a delta; tell whether there is one, or the stream has ended."""
        while not self._waiting and not self._ended:
            with _our_errors(self._step.request.url, begun=True):
                data = await anext(self._chunks, None)
            self._ended = data is None
            decoder = self._step.decoder
            self._waiting += decoder.close() if data is None else decoder.feed(data)
        return bool(self._waiting)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if not await self.wait():
            raise StopAsyncIteration
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """Hang up."""
        await self._response.aclose()


class Transport:
    """Drive flows in the calling thread; one instance serves many threads."""

    def __init__(self) -> None:
        self._clients: dict[bool, httpx.Client] = {}

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        outcomes: Sequence[Outcome] | None = None
        with closing(flow):
            while True:
                try:
                    steps = flow.send(outcomes)  # type: ignore[arg-type]  # None starts it
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcomes = self._take_all(steps)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        while self._clients:
            self._clients.popitem()[1].close()

    def _take_all(self, steps: Sequence[Step]) -> list[Outcome]:
        if len(steps) == 1:
            return [self._take(steps[0])]
        with ThreadPoolExecutor(max_workers=len(steps)) as pool:
            return list(pool.map(self._take, steps))

    def _take(self, step: Step) -> Outcome:
        try:
            if isinstance(step, Request):
                return self._send(step)
            if isinstance(step, Call):
                return Returned(step.function())
            return self._open(step)
        except LocalMixError as error:
            return error

    def _send(self, request: Request) -> Response:
        with _our_errors(request.url):
            response = self._response_to(request)
        with closing(response):
            return self._read_whole(response, request)

    def _open(self, step: Open) -> Opened | Response:
        with _our_errors(step.request.url):
            response = self._response_to(step.request)
        try:
            if _is_whole(response):
                with closing(response):
                    return self._read_whole(response, step.request)
            stream = Reading(response, step)
            stream.wait()
        except BaseException:
            response.close()
            raise
        return Opened(stream)

    def _response_to(self, request: Request) -> httpx.Response:
        client = self._client(is_tls=request.url.startswith("https:"))
        return client.send(_to_httpx(client, request), stream=True)

    def _read_whole(self, response: httpx.Response, request: Request) -> Response:
        _expect_pieces(response, request)
        body = bytearray()
        with _our_errors(request.url, begun=True):
            for data in response.iter_bytes():
                body += data
                _check_size(body, request.url)
        return _from_httpx(response, bytes(body))

    def _client(self, *, is_tls: bool) -> httpx.Client:
        client = self._clients.get(is_tls)
        if client is None:
            client = self._clients[is_tls] = httpx.Client(verify=_trust(is_tls), **_PLAIN)
            weakref.finalize(self, client.close)
        return client


class AsyncTransport:
    """Drive flows in the running loop; one instance serves one loop after another.

    A client lives in an async generator that its loop finalizes, as `asyncio.run` does with all of
    them: it is closed with its loop, and a second `asyncio.run` gets its own.
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[asyncio.AbstractEventLoop, bool], _Life] = {}

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        outcomes: Sequence[Outcome] | None = None
        with closing(flow):
            while True:
                try:
                    steps = flow.send(outcomes)  # type: ignore[arg-type]  # None starts it
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcomes = await self._take_all(steps)

    async def close(self) -> None:
        """Close this loop's connections; the next request opens new ones."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._clients if key[0] is loop]:
            await self._clients.pop(key).generator.aclose()

    async def _take_all(self, steps: Sequence[Step]) -> list[Outcome]:
        if len(steps) == 1:
            return [await self._take(steps[0])]
        return list(await asyncio.gather(*map(self._take, steps)))

    async def _take(self, step: Step) -> Outcome:
        try:
            if isinstance(step, Request):
                return await self._send(step)
            if isinstance(step, Call):
                return Returned(await asyncio.to_thread(step.function))
            return await self._open(step)
        except LocalMixError as error:
            return error

    async def _send(self, request: Request) -> Response:
        with _our_errors(request.url):
            response = await self._response_to(request)
        async with aclosing(response):
            return await self._read_whole(response, request)

    async def _open(self, step: Open) -> Opened | Response:
        with _our_errors(step.request.url):
            response = await self._response_to(step.request)
        try:
            if _is_whole(response):
                async with aclosing(response):
                    return await self._read_whole(response, step.request)
            stream = AsyncReading(response, step)
            await stream.wait()
        except BaseException:
            await response.aclose()
            raise
        return Opened(stream)

    async def _response_to(self, request: Request) -> httpx.Response:
        client = await self._client(is_tls=request.url.startswith("https:"))
        return await client.send(_to_httpx(client, request), stream=True)

    async def _read_whole(self, response: httpx.Response, request: Request) -> Response:
        _expect_pieces(response, request)
        body = bytearray()
        with _our_errors(request.url, begun=True):
            async for data in response.aiter_bytes():
                body += data
                _check_size(body, request.url)
        return _from_httpx(response, bytes(body))

    async def _client(self, *, is_tls: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        life = self._clients.get((loop, is_tls))
        if life is None:
            for key in [key for key in self._clients if key[0].is_closed()]:
                del self._clients[key]
            generator = _living_client(_trust(is_tls))
            life = self._clients[loop, is_tls] = _Life(generator, await anext(generator))
        return life.client


@dataclass(frozen=True, slots=True)
class _Life:
    """Hold a client and the generator that closes it."""

    generator: AsyncGenerator[httpx.AsyncClient, None]
    client: httpx.AsyncClient


async def _living_client(
    trust: ssl.SSLContext | bool,
) -> AsyncGenerator[httpx.AsyncClient, None]:
    client = httpx.AsyncClient(verify=trust, **_PLAIN)
    try:
        yield client
    finally:
        await client.aclose()


@cache
def _trust(is_tls: bool) -> ssl.SSLContext | bool:
    """Load the certificates once, and only for a server that needs them: it takes 50 ms."""
    return httpx.create_ssl_context() if is_tls else False


def _to_httpx(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    bounds = request.timeouts
    return client.build_request(
        request.method,
        request.url,
        content=request.body,
        headers={**_HEADERS, **request.headers},
        timeout=httpx.Timeout(bounds.first_byte, connect=bounds.connect),
    )


def _expect_pieces(response: httpx.Response, request: Request) -> None:
    """Bound the silence between two pieces; the head's bound was for a model that loads.

    The body is read with what this extension says when its reading begins.
    """
    response.request.extensions["timeout"]["read"] = request.timeouts.between


def _from_httpx(response: httpx.Response, body: bytes) -> Response:
    return Response(response.status_code, body, dict(response.headers))


def _is_whole(response: httpx.Response) -> bool:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    return response.status_code != httpx.codes.OK or media_type == "application/json"


def _check_size(body: bytearray, url: str) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise ProtocolError(
            f"{url} sent more than {MAX_BODY_BYTES:,} bytes.",
            hint="Ask for less at once, or check that the address is a model server's.",
        )


@contextmanager
def _our_errors(url: str, *, begun: bool = False) -> Iterator[None]:
    """Turn the HTTP library's errors into ours; `begun` says that the reply's head has come."""
    try:
        yield
    except httpx.HTTPError as error:
        raise _our_error(_origin(url), error, begun=begun) from error
    except httpx.InvalidURL as error:
        raise ConfigError(f"{url} is not an address: {error}") from error


def _our_error(server: str, error: httpx.HTTPError, *, begun: bool) -> LocalMixError:
    if isinstance(error, httpx.ConnectTimeout):
        return ConnectError(f"{server} did not take the connection in time.", server=server)
    if isinstance(error, httpx.TimeoutException):
        what = "between two pieces of its reply" if begun else "before it replied"
        return TimedOutError(
            f"{server} stayed silent for too long {what}.",
            server=server,
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return ConfigError(f"No request can be made to {server}: {error}", server=server)
    if begun and not isinstance(error, httpx.DecodingError):
        return StreamInterruptedError(f"{server} broke off its reply: {error}", server=server)
    return _not_begun(server, error)


def _not_begun(server: str, error: httpx.HTTPError) -> LocalMixError:
    if isinstance(error, httpx.ConnectError):
        return ConnectError(f"{server} could not be reached: {_reason(error)}", server=server)
    if isinstance(error, httpx.NetworkError) or "disconnected" in str(error):
        return ConnectError(f"{server} hung up before it replied.", server=server)
    return ProtocolError(
        f"{server} sent what is not HTTP: {error}",
        server=server,
        hint="Something else than a model server uses this port.",
    )


def _reason(error: BaseException) -> str:
    """Find the operating system's words, which the async backend hides below its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return str(error)


def _origin(url: str) -> str:
    """Cut an address down to its server."""
    return "/".join(url.split("/", 3)[:3])
