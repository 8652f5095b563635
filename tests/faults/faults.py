"""What can go wrong at a server, and what a caller must see of it: the table of the project.

Each fault strikes a server that has been found and is well. Rows are those of the fault matrix:
before the first delta another server answers, after it the error is final.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from unittest.mock import patch

from localmix.errors import (
    ConnectError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    StreamInterruptedError,
    TimedOutError,
)
from localmix.wire.lines import EventDecoder, LineDecoder
from tests.faults.wires import Purpose, Wire
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, pieces, stay_silent, whole

ErrorType = type[LocalMixError]

# Short enough for a test, long enough that a server that is well is never taken for a silent one.
BOUNDS: dict[str, Any] = {
    "connect_timeout": 0.5,
    "first_byte_timeout": 0.3,
    "between_timeout": 0.3,
    "max_retries": 0,
    "max_reply_bytes": 2_000_000,
}
# Where no server is well, nothing can be mistaken.
SHORT = BOUNDS | {"first_byte_timeout": 0.1, "between_timeout": 0.1}
_DRIP_SECONDS = 0.05
_MEGABYTE = 1_000_000


@contextmanager
def small() -> Iterator[None]:
    """Bound bodies and lines more tightly than usual, so that what has no end ends soon."""
    with ExitStack() as stack:
        for decoder in (LineDecoder, EventDecoder):
            defaults = decoder.__init__.__kwdefaults__
            stack.enter_context(patch.dict(defaults, max_line_bytes=_MEGABYTE))
        yield


Strike = Callable[[LoopbackServer, Wire, Purpose], None]


@dataclass(frozen=True)
class Fault:
    """Say what happens at the server, and which error that is: for a stream, another may be."""

    strike: Strike
    error: ErrorType
    of_stream: ErrorType | None = None

    def error_of(self, purpose: Purpose) -> ErrorType:
        """Give the error that a caller sees who has no other server."""
        return (self.of_stream if purpose == "stream" else None) or self.error


def answering(make: Callable[[Wire, Purpose], Reply]) -> Strike:
    """Strike by the reply to the request."""

    def strike(server: LoopbackServer, wire: Wire, purpose: Purpose) -> None:
        server.routes[wire.route(purpose)] = make(wire, purpose)

    return strike


def always(reply: Reply) -> Strike:
    return answering(lambda *_: reply)


def refuse(server: LoopbackServer, *_: object) -> None:
    server.stop()


def swallow(server: LoopbackServer, *_: object) -> None:
    """Take no connection any more: the queue of the port is full and nobody empties it."""
    server.stop()
    port = int(server.url.rpartition(":")[2])
    hole = socket.socket()
    hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hole.bind(("127.0.0.1", port))
    hole.listen(0)
    fillers = [socket.socket() for _ in range(2)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    server._connections += [hole, *fillers]


def garble(exchange: Exchange) -> None:
    exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    exchange.connection.close()


def promise(exchange: Exchange) -> None:
    """Say again and again that there will be a reply."""
    while not exchange.is_hung_up(timeout=_DRIP_SECONDS):
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def compress(exchange: Exchange) -> None:
    """Answer in a coding that nobody asked for."""
    exchange.head(200, "application/json", Content_Encoding="gzip, gzip", Content_Length="4")
    exchange.send(b"bomb")


def typed(body: bytes, content_type: str | None = None) -> Strike:
    """Answer 200 with a body, under the type of a proper answer or another."""

    def make(wire: Wire, purpose: Purpose) -> Reply:
        usual = wire.stream_type if purpose == "stream" else "application/json"
        return whole(body, content_type=content_type or usual)

    return answering(make)


def nest(wire: Wire, purpose: Purpose) -> Reply:
    """Send JSON that is too deep to be read without care."""
    if purpose == "stream":
        return pieces([wire.before + _DEEP + wire.after], wire.stream_type)
    return whole(_DEEP)


def beginning(then: Callable[[Exchange, Wire], None]) -> Strike:
    """Strike after the head of an answer."""

    def make(wire: Wire, purpose: Purpose) -> Reply:
        def reply(exchange: Exchange) -> None:
            if purpose == "stream":
                exchange.head(200, wire.stream_type)
            else:
                exchange.head(200, "application/json", Content_Length=str(10**12))
            then(exchange, wire)

        return reply

    return answering(make)


def after_a_piece(then: Callable[[Exchange, Wire], None]) -> Strike:
    """Strike when a stream has spoken."""

    def reply(wire: Wire) -> Reply:
        said = [wire.frame("H")]
        return pieces(said, wire.stream_type, end=lambda exchange: then(exchange, wire))

    return answering(lambda wire, _: reply(wire))


def keep_silent(exchange: Exchange, _: Wire) -> None:
    stay_silent(exchange)


def leave(exchange: Exchange, _: Wire) -> None:
    hang_up(exchange)


def finish(exchange: Exchange, _: Wire) -> None:
    """End the body as HTTP wants it, but the answer is not at its end."""
    exchange.chunk(b"")


def drip(exchange: Exchange, _: Wire) -> None:
    """Send a byte now and then, and never a line."""
    while not exchange.is_hung_up(timeout=_DRIP_SECONDS):
        exchange.send(b" ")


def drip_chunks(exchange: Exchange, _: Wire) -> None:
    while not exchange.is_hung_up(timeout=_DRIP_SECONDS):
        exchange.chunk(b" ")


def keep_alive(exchange: Exchange, _: Wire) -> None:
    """Send what says nothing: blank lines, which are a frame's end in both formats."""
    while not exchange.is_hung_up(timeout=_DRIP_SECONDS):
        exchange.chunk(b"\n\n")


def pour(exchange: Exchange, _: Wire) -> None:
    """Send a line without end."""
    for data in repeat(b"x" * _MEGABYTE):
        exchange.send(data)


def pour_chunks(exchange: Exchange, _: Wire) -> None:
    for data in repeat(b"x" * _MEGABYTE):
        exchange.chunk(data)


def say(line: bytes) -> Callable[[Exchange, Wire], None]:
    """Send a line of a stream, and end properly."""

    def send(exchange: Exchange, wire: Wire) -> None:
        exchange.chunk(wire.before + line + wire.after)
        exchange.chunk(b"")

    return send


def cut(within: bytes) -> Callable[[Exchange, Wire], None]:
    """Hang up within a line, behind some of its bytes."""

    def send(exchange: Exchange, wire: Wire) -> None:
        frame = wire.frame("é" * 100)
        exchange.send(frame[: frame.index(within) + len(within)])
        exchange.connection.close()

    return send


def cut_chunk(within: bytes) -> Callable[[Exchange, Wire], None]:
    """The same under a chunked body that ends as if nothing were wrong."""

    def send(exchange: Exchange, wire: Wire) -> None:
        frame = wire.frame("é" * 100)
        exchange.chunk(frame[: frame.index(within) + len(within)])
        exchange.chunk(b"")

    return send


_LINE, _CHARACTER = b'"content": "', b'"content": "\xc3'
_DEEP = b'{"message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
_DIED = {"error": "llama-server process has terminated"}

BEFORE: dict[str, Fault] = {
    "refused": Fault(refuse, ConnectError),
    "black hole": Fault(swallow, ConnectError),
    "closed before headers": Fault(always(hang_up), ConnectError),
    "silent before headers": Fault(always(stay_silent), TimedOutError),
    "silent after headers": Fault(beginning(keep_silent), TimedOutError),
    "slow drip": Fault(beginning(drip), TimedOutError),
    "endless 100 Continue": Fault(always(promise), TimedOutError),
    "429": Fault(always(whole({"error": "too many requests"}, 429)), OverloadedError),
    "500": Fault(always(whole({"error": "boom"}, 500)), ModelCrashedError),
    "503": Fault(always(whole({"error": "server busy"}, 503)), OverloadedError),
    "404 model": Fault(always(whole({"error": "model 'tiny' not found"}, 404)), ModelNotFoundError),
    "empty 200": Fault(typed(b""), LocalMixError, StreamInterruptedError),
    "200 with an error": Fault(always(whole(_DIED)), ModelCrashedError),
    "200 with an empty error": Fault(always(whole({"error": {}})), ModelCrashedError),
    "compressed": Fault(always(compress), ProtocolError),
    "garbage": Fault(always(garble), ProtocolError),
    "wrong content type": Fault(typed(b"<html>hello</html>", "text/html"), ProtocolError),
    "a redirect": Fault(always(whole(b"", 307)), ProtocolError),
    "cut in mid-line": Fault(beginning(cut(_LINE)), StreamInterruptedError),
    "cut in mid-character": Fault(beginning(cut(_CHARACTER)), StreamInterruptedError),
    "endless line": Fault(beginning(pour), ProtocolError),
    "deep nesting": Fault(answering(nest), ProtocolError),
}

# What can still happen to a stream that has spoken; all of it is final.
AFTER: dict[str, Fault] = {
    "hangs up": Fault(after_a_piece(leave), StreamInterruptedError),
    "ends without its end mark": Fault(after_a_piece(finish), StreamInterruptedError),
    "silent": Fault(after_a_piece(keep_silent), TimedOutError),
    "slow drip": Fault(after_a_piece(drip_chunks), TimedOutError),
    "blank lines": Fault(after_a_piece(keep_alive), TimedOutError),
    "an error": Fault(after_a_piece(say(json.dumps(_DIED).encode())), ModelCrashedError),
    "an empty error": Fault(after_a_piece(say(b'{"error": ""}')), ModelCrashedError),
    "a list for an object": Fault(after_a_piece(say(b"[5]")), ProtocolError),
    "garbage": Fault(after_a_piece(say(b"no JSON")), ProtocolError),
    "cut in mid-line": Fault(after_a_piece(cut_chunk(_LINE)), StreamInterruptedError),
    "cut in mid-character": Fault(after_a_piece(cut_chunk(_CHARACTER)), StreamInterruptedError),
    "endless line": Fault(after_a_piece(pour_chunks), ProtocolError),
    "deep nesting": Fault(after_a_piece(say(_DEEP)), ProtocolError),
}
