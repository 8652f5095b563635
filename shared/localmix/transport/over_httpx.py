"""The wires over httpx, and the only file that knows it.

Its bare transports are used, for its clients keep cookies, which go to every port of a machine, and
could follow redirects; and replies are read raw, so nothing is decompressed. Below them stands
httpcore, which hands what it is given as a time-out to the network that it works on. The network is
ours, and the time-out is a `_Use`: so each read asks the clock of the request that it is for.
"""

from __future__ import annotations

import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache, partial
from typing import Any, cast

import anyio
import httpcore
import httpx

from localmix.errors import LocalMixError
from localmix.transport import problems
from localmix.transport.connecting import connect_beside
from localmix.transport.ending import until
from localmix.transport.patience import Patience, closed
from localmix.wire import kin
from localmix.wire.flows import Request
from localmix.wire.forks import after_fork

# LM Studio closes idle connections after 5 s; one that is older must not be used again.
_KEPT: Any = {"keepalive_expiry": 4.0, "max_keepalive_connections": 20, "max_connections": None}
_ONCE: Any = {"max_keepalive_connections": 0, "max_connections": None}
_HEADERS = {"User-Agent": "localmix", "Accept": "*/*", "Accept-Encoding": "identity"}
# One send may wait for as long as is left, so a long body is sent piece by piece.
_SEND_BYTES = 65_536
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)
_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError)
# httpcore wants one for every pool; loading the real one takes 50 ms, and most servers are local.
_NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Use:
    """One request's use of a connection: what the network is given in the place of a time-out."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.is_fresh = False
        self.has_heard = False
        self._connection: _Connection | _AsyncConnection | None = None
        self._lock = threading.Lock()

    @property
    def was_stale(self) -> bool:
        """Whether a kept connection has failed before the server said anything of this request.

        A server may close a connection just when it is used again: it has not seen the request.
        """
        return not (self.is_fresh or self.has_heard or self.patience.end.is_open)

    def to_connect(self) -> float:
        """Give the seconds that a new connection may take."""
        self.is_fresh = True
        return self.patience.to_connect()

    def left(self, connection: _Connection | _AsyncConnection) -> float:
        """Give the seconds that an operation may take, on a connection that can be hung up."""
        with self._lock:
            self._connection = connection
        return self.patience.left()

    def heard(self, data: bytes) -> bytes:
        """Note what came, and give it back."""
        self.has_heard = self.has_heard or bool(data)
        self.patience.heard()
        return data

    def hang_up(self) -> None:
        """Wake the thread or the task that waits for the server."""
        with self._lock:
            if self._connection:
                self._connection.shut_down()

    def end(self) -> None:
        """Let go of the connection: from now on another request may use it."""
        with self._lock:
            self._connection = None


# Ordinary code


class _Connection(httpcore.NetworkStream):
    """A connection that is shut down before it is closed, and never closed while it is read."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        _connections.add(self)

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        use: _Use = timeout
        with self._lock:
            return use.heard(self._stream.read(max_bytes, use.left(self)))

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        with self._lock:
            for start in range(0, len(buffer), _SEND_BYTES):
                self._stream.write(buffer[start : start + _SEND_BYTES], timeout.left(self))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore.NetworkStream:
        try:
            left = timeout.to_connect()
            return _Connection(self._stream.start_tls(_trust(), server_hostname, left))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def shut_down(self) -> None:
        _shut_down(self)

    def close(self) -> None:
        self.shut_down()
        with self._lock:
            self._stream.close()

    def drop(self) -> None:
        """Close this process's end alone: the connection is the parent's."""
        self._stream.close()


_connections: weakref.WeakSet[_Connection] = weakref.WeakSet()


@after_fork
def _drop_the_parents() -> None:
    for connection in list(_connections):
        connection.drop()
    _connections.clear()


class _Network(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *about: Any, **more: Any
    ) -> httpcore.NetworkStream:
        left = timeout.to_connect()
        connect = partial(self._backend.connect_tcp, host, port, left, *about, **more)
        is_here = host in ("localhost", "::1") or host.startswith("127.")
        return _Connection(connect() if is_here else connect_beside(connect, timeout.patience))


class _Transport(httpx.HTTPTransport):
    """httpx's transport on our network, for which it has no argument."""

    def __init__(self, limits: Mapping[str, Any]) -> None:
        self._pool = httpcore.ConnectionPool(_NO_TRUST, network_backend=_Network(), **limits)


class _Reply:
    def __init__(self, response: httpx.Response, use: _Use, forget: Callable[[], None]) -> None:
        self.status, self.headers = response.status_code, dict(response.headers)
        self._response = response
        self._pieces = iter(cast("httpx.SyncByteStream", response.stream))
        self._use = use
        self._forget = forget

    def read(self) -> bytes | None:
        with _our_errors(self._use.patience, has_begun=True):
            return next(self._pieces, None)

    def close(self) -> None:
        self._forget()
        self._use.end()
        self._response.close()


class HttpWire:
    """A way to servers for ordinary code: connections of one process, used from any thread."""

    def __init__(self) -> None:
        self._kept, self._once = _Transport(_KEPT), _Transport(_ONCE)

    def open(self, request: Request, patience: Patience) -> _Reply:
        """Send a request and wait for the head of its reply."""
        use = _Use(patience)
        forget = patience.end.when_open(use.hang_up)
        try:
            with _our_errors(patience):
                return _Reply(self._send(request, use), use, forget)
        except BaseException:
            forget()
            raise

    def _send(self, request: Request, use: _Use) -> httpx.Response:
        sent = _to_httpx(request, use)
        if not request.is_question:
            try:
                return self._kept.handle_request(sent)
            except _BROKEN:
                if not use.was_stale:
                    raise
        return self._once.handle_request(sent)

    def close(self) -> None:
        """Close every connection."""
        self._kept.close()
        self._once.close()


# Asynchronous code


class _AsyncConnection(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        use: _Use = timeout
        return use.heard(await self._stream.read(max_bytes, use.left(self)))

    async def write(self, buffer: bytes, timeout: Any = None) -> None:
        for start in range(0, len(buffer), _SEND_BYTES):
            await self._stream.write(buffer[start : start + _SEND_BYTES], timeout.left(self))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            trust = await anyio.to_thread.run_sync(_trust)
            left = timeout.to_connect()
            return _AsyncConnection(await self._stream.start_tls(trust, server_hostname, left))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def shut_down(self) -> None:
        _shut_down(self)

    async def aclose(self) -> None:
        await self._stream.aclose()


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *about: Any, **more: Any
    ) -> httpcore.AsyncNetworkStream:
        left = timeout.to_connect()
        return _AsyncConnection(await self._backend.connect_tcp(host, port, left, *about, **more))


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, limits: Mapping[str, Any]) -> None:
        network = _AsyncNetwork()
        self._pool = httpcore.AsyncConnectionPool(_NO_TRUST, network_backend=network, **limits)


class _AsyncReply:
    def __init__(self, response: httpx.Response, use: _Use) -> None:
        self.status, self.headers = response.status_code, dict(response.headers)
        self._response = response
        self._pieces = aiter(cast("httpx.AsyncByteStream", response.stream))
        self._use = use
        self._forget = use.patience.end.when_open(use.hang_up)

    async def read(self) -> bytes | None:
        with _our_errors(self._use.patience, has_begun=True):
            return await anext(self._pieces, None)

    async def close(self) -> None:
        self._forget()
        self._use.end()
        await self._response.aclose()


class AsyncHttpWire:
    """A way to servers within one event loop; where it may end unseen, nothing is kept."""

    def __init__(self, *, keeps: bool) -> None:
        self._kept = _AsyncTransport(_KEPT if keeps else _ONCE)
        self._once = _AsyncTransport(_ONCE)

    async def open(self, request: Request, patience: Patience) -> _AsyncReply:
        """Send a request and wait for the head of its reply."""
        use = _Use(patience)
        with _our_errors(patience), until(patience.end):
            return _AsyncReply(await self._send(request, use), use)

    async def _send(self, request: Request, use: _Use) -> httpx.Response:
        sent = _to_httpx(request, use)
        if not request.is_question:
            try:
                return await self._kept.handle_async_request(sent)
            except _BROKEN:
                if not use.was_stale:
                    raise
        return await self._once.handle_async_request(sent)

    async def close(self) -> None:
        """Close every connection."""
        await self._kept.aclose()
        await self._once.aclose()


# Both


def _shut_down(connection: _Connection | _AsyncConnection) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@cache
def _trust() -> ssl.SSLContext:
    """Load the certificates once, and only for a server that needs them."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


_url = lru_cache(maxsize=256)(httpx.URL)


def _to_httpx(request: Request, use: _Use) -> httpx.Request:
    return httpx.Request(
        request.method,
        _url(request.url),
        content=request.body,
        headers={**_HEADERS, **kin.trace(), **request.headers},
        extensions={"timeout": {"connect": use, "read": use, "write": use}},
    )


@contextmanager
def _our_errors(patience: Patience, *, has_begun: bool = False) -> Iterator[None]:
    """Turn the library's errors into ours; `has_begun` says that the reply's head has come."""
    try:
        yield
    except LocalMixError:
        raise
    except _ERRORS as error:
        if patience.end.is_open:
            raise closed() from error
        raise our_error(patience, error, has_begun=has_begun) from error


def our_error(patience: Patience, error: Exception, *, has_begun: bool) -> LocalMixError:
    """Say what a failure of the library means."""
    server = patience.server
    if isinstance(error, httpx.ConnectTimeout):
        return patience.not_connected()
    if isinstance(error, httpx.TimeoutException):
        return patience.too_late()
    if isinstance(error, httpx.InvalidURL):
        return problems.no_address(server, error)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return problems.no_request(server, error)
    if has_begun:
        return problems.broke_off(server, error)
    return _not_begun(server, error)


def _not_begun(server: str, error: Exception) -> LocalMixError:
    if isinstance(error, httpx.ConnectError):
        return problems.unreachable(server, error)
    if isinstance(error, httpx.NetworkError | OSError) or "disconnected" in str(error):
        return problems.hung_up(server)
    return problems.no_http(server, error)
