"""A loopback HTTP server that does exactly what a test orders, down to the byte.

It speaks HTTP/1.1 by hand, because what is tested is bytes: streams that are cut, replies that
never come, heads that are no HTTP.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Reply = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """Hold one request, and the connection to answer on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: int, content_type: str, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def is_hung_up(self, timeout: float = 5.0) -> bool:
        """Wait for the client to hang up."""
        self.connection.settimeout(timeout)
        try:
            return self.connection.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def whole(body: Any, status: int = 200, content_type: str = "application/json") -> Reply:
    """Answer with a body of known length: JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def reply(exchange: Exchange) -> None:
        exchange.head(status, content_type, Content_Length=str(len(data)))
        exchange.send(data)

    return reply


def pieces(
    chunks: Iterable[bytes], content_type: str, *, end: Callable[[Exchange], None] | None = None
) -> Reply:
    """Stream chunks and end properly, or as `end` says."""

    def reply(exchange: Exchange) -> None:
        exchange.head(200, content_type, Transfer_Encoding="chunked")
        for chunk in chunks:
            exchange.chunk(chunk)
        if end:
            end(exchange)
        else:
            exchange.chunk(b"")

    return reply


def ndjson(*frames: Any, end: Callable[[Exchange], None] | None = None) -> Reply:
    """Stream JSON lines."""
    lines = [json.dumps(frame).encode() + b"\n" for frame in frames]
    return pieces(lines, "application/x-ndjson", end=end)


def events(*frames: Any, end: Callable[[Exchange], None] | None = None) -> Reply:
    """Stream server-sent events; a frame of bytes is sent as it is."""
    lines = [
        b"data: " + (frame if isinstance(frame, bytes) else json.dumps(frame).encode()) + b"\n\n"
        for frame in frames
    ]
    return pieces(lines, "text/event-stream", end=end)


def hang_up(exchange: Exchange) -> None:
    """Close the connection, whatever was promised."""
    exchange.connection.close()


def stay_silent(exchange: Exchange) -> None:
    """Keep the connection and say nothing until the client goes."""
    exchange.is_hung_up(timeout=30)
    exchange.connection.close()


@dataclass
class LoopbackServer:
    """Answer each request as `routes` says for its `METHOD /path`; else with a plain 404."""

    routes: dict[str, Reply] = field(default_factory=dict)
    requests: list[Exchange] = field(default_factory=list)
    url: str = ""
    _listener: socket.socket | None = field(default=None, init=False)
    _others: list[socket.socket] = field(default_factory=list, init=False)
    _connections: list[socket.socket] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Listen on a free port; after a stop on the same one, with a thread per connection."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        listener = self._listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def listen_also_at(self, host: str) -> None:
        """Listen at the same port of another address of this machine, until the stop."""
        listener = socket.create_server((host, int(self.url.rpartition(":")[2])))
        self._others.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """End as a program that is killed: the port is closed, and every connection."""
        if self._listener:
            self._others.append(self._listener)
            self._listener = None
        while self._others:
            with self._others.pop() as listener:
                listener.shutdown(socket.SHUT_RDWR)
        while self._connections:
            with self._connections.pop() as connection, suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of what the server needed."""

    def count(self, route: str) -> int:
        return sum(f"{each.method} {each.path}" == route for each in self.requests)

    def last(self, route: str) -> Exchange:
        return [each for each in self.requests if f"{each.method} {each.path}" == route][-1]

    def respond(self, exchange: Exchange) -> None:
        """Answer one request."""
        self.routes.get(f"{exchange.method} {exchange.path}", _not_found)(exchange)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            # A head and its body are sent apart: otherwise the body waits 40 ms for a receipt.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        # The client may be gone at any moment, and the test may end.
        with connection, suppress(OSError):
            while connection.fileno() >= 0 and (exchange := _read(connection)):
                self.requests.append(exchange)
                self.respond(exchange)


_not_found = whole(b"404 page not found", 404, "text/plain")


@contextmanager
def serving(server: LoopbackServer) -> Iterator[LoopbackServer]:
    """Run a server until the block ends."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.close()


def _read(connection: socket.socket) -> Exchange | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return Exchange(method, path, headers, body, connection)
