"""What both drivers share: how a request is sent, how long it may take, what a failure means."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from math import inf
from typing import Any

import httpx

from localmix.errors import (
    ConfigError,
    ConnectError,
    LocalMixError,
    ProtocolError,
    StreamInterruptedError,
    TimedOutError,
    TransportError,
)
from localmix.wire.flows import Open, Request, Response

# After the end mark the rest of a body is read for so long, and so many bytes, to keep the
# connection for the next request.
DRAIN_SECONDS, DRAIN_BYTES = 0.1, 65536
# LM Studio closes idle connections after 5 s; one that is older must not be used again.
_LIMITS = httpx.Limits(keepalive_expiry=4.0)
# For the library's bare transports: its clients would keep cookies, which go to every port of a
# machine, and could follow redirects.
PLAIN: Any = {"trust_env": False, "limits": _LIMITS}
PLAIN_ONCE: Any = PLAIN | {"limits": httpx.Limits(max_keepalive_connections=0)}
# A shorter word in a header is no secret worth the name, but may be part of many a sentence.
_SHORTEST_SECRET = 8
_WHOLE = ("application/json", "text/html")
_HEADERS = {"User-Agent": "localmix", "Accept": "*/*", "Accept-Encoding": "identity"}


class Patience:
    """Bound the reading of one reply, piece by piece: one that drips is never silent."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._began = time.monotonic()
        self._single = request.timeouts.first_byte
        self._has_spoken = False
        self._drain_until = inf

    def only_drain(self) -> None:
        """Wait no longer than it takes to read the end of a body that has said all."""
        self._drain_until = time.monotonic() + DRAIN_SECONDS

    @property
    def is_drained(self) -> bool:
        """Whether the time for the end of a body is over."""
        return time.monotonic() >= self._drain_until

    def expect_pieces(self) -> None:
        """Bound the silence between two pieces; the head's bound was for a model that loads."""
        self._single = self._request.timeouts.between

    def heard(self, *, has_spoken: bool) -> None:
        """Note that something came; refuse to go on waiting for the first delta, or for the end.

        Raises:
            TimedOutError: The time is over.
        """
        self._has_spoken = has_spoken
        limit = self._limit
        if limit is not None and self._spent > limit:
            server = _origin(self._request.url)
            what = "finish its answer" if has_spoken else "say anything"
            raise TimedOutError(f"{server} did not {what} in {limit:.3g} s.", server=server)

    @property
    def seconds(self) -> float:
        """Give how long the next read may take."""
        if self._drain_until < inf:
            return max(self._drain_until - time.monotonic(), 0.001)
        limit = self._limit
        return _least(self._single, None if limit is None else limit - self._spent)

    @property
    def _limit(self) -> float | None:
        bounds = self._request.timeouts
        return bounds.total if self._has_spoken else _least(bounds.first_byte, bounds.total)

    @property
    def _spent(self) -> float:
        return time.monotonic() - self._began


class Incoming:
    """What has come of a stream, and what it said; the drivers only bring the bytes.

    Attributes:
        waiting: Deltas that nobody has taken yet.
        is_at_end: Whether nothing more will come.
    """

    def __init__(self, step: Open, patience: Patience) -> None:
        self.patience = patience
        self.url = step.request.url
        self.waiting: deque[Any] = deque()
        self.is_at_end = False
        self._request = step.request
        self._decoder = step.decoder
        self._has_spoken = False
        self._size = 0

    @property
    def is_done(self) -> bool:
        """Whether the answer is over, whatever else its connection brings."""
        return self._decoder.is_done

    def take(self, data: bytes | None) -> None:
        """Take what a read brought; `None` is the end of the body."""
        if data is None:
            self.end()
            return
        self._size += len(data)
        check_size(self._size, self._request)
        self.waiting += self._decoder.feed(data)
        self._has_spoken = self._has_spoken or bool(self.waiting)
        self.patience.heard(has_spoken=self._has_spoken)

    def end(self) -> None:
        """Note the end, and raise if it is none."""
        self.is_at_end = True
        self.waiting += self._decoder.close()

    def is_enough(self, drained: int) -> bool:
        """Tell whether so many bytes after the end mark are all that are worth reading."""
        return drained > DRAIN_BYTES or self.patience.is_drained


def new_stream(event: str, about: Mapping[str, Any]) -> Any | None:
    """Give the connection that the library tells of, if it is new; it will ask for our patience.

    The library would hold every read of a reply to the bound that was left for the first one.
    """
    if event not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
        return None
    stream = about["return_value"]
    read = stream.read

    def read_patiently(max_bytes: int, timeout: Patience) -> Any:
        return read(max_bytes, timeout=timeout.seconds)

    stream.read = read_patiently
    return stream


def wake(stream: Any) -> None:
    """Hang up on a connection, so that a thread that reads it returns."""
    with suppress(OSError):  # it has ended by itself
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@cache
def trust(is_tls: bool) -> ssl.SSLContext | bool:
    """Load the certificates once, and only for a server that needs them: it takes 50 ms."""
    return httpx.create_ssl_context() if is_tls else False


def to_httpx(
    request: Request,
    patience: Patience,
    trace: Callable[[str, Mapping[str, Any]], Any],
) -> httpx.Request:
    """Write a request as the library wants it; `trace` is told of new connections."""
    bounds = request.timeouts
    connect = _least(bounds.connect, bounds.total)
    write = _least(bounds.first_byte, bounds.total)
    timeout = {"connect": connect, "read": patience, "write": write, "pool": write}
    return httpx.Request(
        request.method,
        _url(request.url),
        content=request.body,
        headers={**_HEADERS, **request.headers},
        extensions={"timeout": timeout, "trace": trace},
    )


_url = lru_cache(maxsize=256)(httpx.URL)


def _least(one: float, other: float | None) -> float:
    return one if other is None else max(min(one, other), 0.001)


def from_httpx(response: httpx.Response, body: bytes, request: Request) -> Response:
    """Keep of a reply what the dialects read; an error that quotes our token loses it here."""
    if response.status_code != httpx.codes.OK:
        for name, value in request.headers.items():
            secret = value.rpartition(" ")[2].encode()
            if name != "Content-Type" and len(secret) >= _SHORTEST_SECRET:
                body = body.replace(secret, b"***")
    return Response(response.status_code, body, dict(response.headers))


def is_whole(response: httpx.Response) -> bool:
    """Tell whether a reply is one JSON object, an error or a web page, and no stream."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    return response.status_code != httpx.codes.OK or media_type in _WHOLE


def check_size(size: int, request: Request) -> None:
    """Refuse a body that would fill the memory."""
    if size > request.max_bytes:
        raise ProtocolError(
            f"{request.url} sent more than {request.max_bytes:,} bytes.",
            server=_origin(request.url),
            hint="Ask for less at once, or check that the address is a model server's.",
        )


def check_coding(response: httpx.Response, url: str) -> None:
    """Refuse a body in a coding that was not asked for: a few kilobytes may become gigabytes."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise ProtocolError(
            f"{_origin(url)} sent its reply compressed ({coding[:40]}); nobody asked for that.",
            server=_origin(url),
            hint="Switch compression off at the server, or at the proxy in front of it.",
        )


@contextmanager
def our_errors(url: str, *, begun: bool = False) -> Iterator[None]:
    """Turn the HTTP library's errors into ours; `begun` says that the reply's head has come."""
    try:
        yield
    except httpx.HTTPError as error:
        raise our_error(_origin(url), error, begun=begun) from error
    except httpx.InvalidURL as error:
        raise ConfigError(f"{url} is not an address: {error}") from error


def closed() -> TransportError:
    """Say why a request ends that was under way when its client was closed."""
    return TransportError("The client was closed before the answer had come.")


def our_error(server: str, error: httpx.HTTPError, *, begun: bool) -> LocalMixError:
    """Say what a failure of the library means."""
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
