"""A proxy in a thread of its own, in front of whatever a test puts behind it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from localmix.proxy.answering import Pace
from localmix.proxy.application import make
from localmix.proxy.body import BodyBounds
from localmix.proxy.running import Listener
from localmix.pytest.listening import listening
from localmix.settings import Settings


@dataclass
class Reply:
    """A reply as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    pieces: list[bytes]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Proxy:
    """Where a proxy listens, and how to ask it by bare sockets."""

    url: str
    port: int

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request as an ordinary client does; `Content_Type` stands for its header."""
        data = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        lines = [f"{method} {path} HTTP/1.1"]
        sent = {"Host": f"127.0.0.1:{self.port}", "Content-Length": str(len(data)), **headers}
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in sent.items()]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
        return self.raw(head + data)

    def raw(self, data: bytes, *, timeout: float = 30) -> Reply:
        """Send bytes, and read until the proxy hangs up."""
        with self.connect(timeout=timeout) as connection:
            connection.sendall(data)
            return read_reply(connection)

    def connect(self, *, timeout: float = 30) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


@contextmanager
def proxy(
    servers: list[str] | None = None,
    *,
    pace: Pace | None = None,
    bounds: BodyBounds | None = None,
    kept: float = 75.0,
    **settings: Any,
) -> Iterator[Proxy]:
    """Run a proxy until the block ends; without servers it looks for them as usual."""
    read = Settings.load(servers=servers, **{"proxy_port": 0, **settings})

    def make_listener() -> Listener:
        return Listener(read, make(read, pace=pace, bounds=bounds), kept=kept, grace=1.0)

    with listening(make_listener) as listener:
        yield Proxy(listener.url, listener.port)


def read_reply(connection: socket.socket) -> Reply:
    """Read one reply to the end of its connection."""
    data = b""
    while more := connection.recv(65536):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    pieces = [body]
    if headers.get("transfer-encoding") == "chunked":
        pieces = _chunks(body)
    return Reply(int(first.split(" ")[1]), headers, b"".join(pieces), pieces)


def _chunks(body: bytes) -> list[bytes]:
    pieces = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        pieces.append(rest[:length])
        body = rest[length + 2 :]
    return pieces
