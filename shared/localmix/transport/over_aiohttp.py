"""A wire over aiohttp, and the only file of this room that knows it: for who serves many at once.

It carries far more requests at a time than httpx does (`benchmarks/proxy.py`); but it is an extra,
and its import takes 300 ms. Like the other one it keeps no cookies, follows no redirects, honours
no proxies of the environment, and decompresses nothing. TLS trusts what the system does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from localmix.errors import LocalMixError
from localmix.transport import problems
from localmix.transport.patience import Patience, closed
from localmix.wire import kin
from localmix.wire.flows import Request

# LM Studio closes idle connections after 5 s; one that is older must not be used again.
_KEPT_SECONDS = 4.0
_HEADERS = {"User-Agent": "localmix", "Accept": "*/*", "Accept-Encoding": "identity"}
_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, ValueError)


class _Use:
    """One request's use of a connection."""

    def __init__(self) -> None:
        self.is_kept = False

    def was_stale(self, error: aiohttp.ClientError) -> bool:
        """Tell whether a kept connection has failed before the server said anything.

        A server may close a connection just when it is used again: it has not seen the request.
        """
        if not self.is_kept or isinstance(error, aiohttp.ClientConnectorError):
            return False
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return isinstance(error.message, str)  # else the head that had begun to come
        return isinstance(error, aiohttp.ClientOSError)


class _Bound:
    """When a read must have ended: one timer for many reads, moved only where it must be.

    A stream is read a thousand times, hardly ever in vain; a timer for each read would cost more
    than the read.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self._loop = asyncio.get_running_loop()
        self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_waited_for = False

    async def read(self, seconds: float) -> bytes:
        """Wait for the next piece for so long."""
        self._at = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._at:
            self.end()
            self._timer = self._loop.call_at(self._at, self._look)
        self._is_waited_for = True
        try:
            return await self._content.readany()
        finally:
            self._is_waited_for = False

    def end(self) -> None:
        """Let go of the timer."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if not self._is_waited_for:
            return  # the next read begins anew
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._look)
        else:
            self._content.set_exception(TimeoutError())


class _Reply:
    def __init__(self, response: aiohttp.ClientResponse, patience: Patience) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._content = response.content
        self._bound = _Bound(response.content)
        self._patience = patience
        self._forget = patience.end.when_open(response.close)

    async def read(self) -> bytes | None:
        with _our_errors(self._patience, has_begun=True):
            left = self._patience.left()
            # What has come already needs no clock of its own.
            if not (data := self._content.read_nowait()) and not self._content.at_eof():
                data = await self._bound.read(left)
            self._patience.heard()
            return data or None

    async def close(self) -> None:
        self._forget()
        self._bound.end()
        if self._content.at_eof():
            self._response.release()
        else:
            self._response.close()


class AiohttpWire:
    """A way to servers within one event loop, which has to be closed in it."""

    def __init__(self) -> None:
        self._sessions: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None = None

    async def open(self, request: Request, patience: Patience) -> _Reply:
        """Send a request and wait for the head of its reply."""
        kept, once = self._sessions = self._sessions or (
            _session(keeps=True),
            _session(keeps=False),
        )
        with _our_errors(patience):
            if not request.is_question:
                use = _Use()
                try:
                    return await _send(kept, request, patience, use)
                except aiohttp.ClientError as error:
                    if not use.was_stale(error):
                        raise
            return await _send(once, request, patience, _Use())

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions or ():
            await session.close()
        self._sessions = None


async def _send(
    session: aiohttp.ClientSession, request: Request, patience: Patience, use: _Use
) -> _Reply:
    bounds = aiohttp.ClientTimeout(total=None, connect=patience.to_connect())
    async with asyncio.timeout(patience.left()) as bound:
        forget = patience.end.when_open(lambda: bound.reschedule(0.0))
        try:
            response = await session.request(
                request.method,
                URL(request.url),
                data=request.body,
                headers={**kin.trace(), **request.headers},
                allow_redirects=False,
                timeout=bounds,
                trace_request_ctx=use,
            )
        finally:
            forget()
    try:
        patience.heard()
    except BaseException:
        response.close()
        raise
    return _Reply(response, patience)


def _session(*, keeps: bool) -> aiohttp.ClientSession:
    if keeps:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS)
    else:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
    watch = aiohttp.TraceConfig()
    watch.on_connection_reuseconn.append(_note_kept)
    return aiohttp.ClientSession(
        connector=connector,
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trace_configs=[watch],
    )


async def _note_kept(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    context.trace_request_ctx.is_kept = True


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
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return patience.not_connected()
    if isinstance(error, TimeoutError):
        return patience.too_late()
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return problems.no_address(server, error)
    if isinstance(error, ValueError):
        return problems.no_request(server, error)
    if has_begun:
        return problems.broke_off(server, error)
    return _not_begun(server, error)


def _not_begun(server: str, error: Exception) -> LocalMixError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return problems.unreachable(server, error)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return problems.hung_up(server)
    return problems.no_http(server, error)
