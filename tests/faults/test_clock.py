"""One clock for each request: nothing that a server sends to seem alive winds it up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from localmix.errors import LocalMixError, TimedOutError
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.wires import WIRES, Wire
from tests.loopback import Exchange, events, hang_up, stay_silent

MUCH_LATER = 4.0
_PAUSE = 0.02


def often(data: bytes) -> Callable[[Exchange], None]:
    """Send the same again and again, until the client hangs up."""

    def send(exchange: Exchange) -> None:
        while not exchange.is_hung_up(timeout=_PAUSE):
            exchange.send(data)

    return send


def after_a_head(data: bytes) -> Callable[[Exchange], None]:
    def reply(exchange: Exchange) -> None:
        exchange.head(200, "text/event-stream", Transfer_Encoding="chunked")
        often(b"%x\r\n%s\r\n" % (len(data), data))(exchange)

    return reply


ALIVE = {
    "100 Continue": often(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "102 Processing": often(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "blank lines before the head": often(b"\r\n"),
    "comments": after_a_head(b": ping\n\n"),
    "blank lines": after_a_head(b"\n"),
    "events of no data": after_a_head(b"event: ping\n\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("reply", ALIVE.values(), ids=ALIVE)
@pytest.mark.parametrize("bound", ["timeout", "first_byte_timeout"])
@pytest.mark.parametrize("purpose", ["chat", "stream"])
def test_nothing_outlives_the_clock(
    either: MakeEither, start: Any, reply: Any, bound: str, purpose: str
) -> None:
    server = start(stand_ins.openai(POST__v1_chat_completions=reply))
    client = either(server.url, max_retries=0, **{bound: 0.3})
    client.models_by_server()
    began = time.monotonic()
    with pytest.raises(LocalMixError) as caught:
        getattr(client, purpose)("hello", model="tiny")
    assert time.monotonic() < began + MUCH_LATER
    if isinstance(caught.value, TimedOutError):
        assert f"({bound})" in caught.value.message


@pytest.mark.parametrize("noise", [b": ping\n\n", b"\n", b"event: ping\n\n"])
def test_what_says_nothing_is_silence(either: MakeEither, start: Any, noise: bytes) -> None:
    said = stand_ins.openai_says(content="H")
    server = start(
        stand_ins.openai(
            POST__v1_chat_completions=events(said, end=often(b"%x\r\n%s\r\n" % (len(noise), noise)))
        )
    )
    with pytest.raises(TimedOutError, match=r"anything more within 0.3 s \(between_timeout\)"):
        either(server.url, between_timeout=0.3).stream("hello", model="tiny")


@pytest.mark.slow
def test_a_reader_may_take_his_time(either: MakeEither, start: Any) -> None:
    """The silence that counts is the server's: here it has said all, and waits for the reader."""
    server = start(stand_ins.ollama())
    client = either(server.url, between_timeout=0.2)
    if client.client.__class__.__name__ == "AsyncClient":
        pytest.skip("the reader of the other colour is the same")
    with client.client.stream("hello", model="tiny") as stream:
        said = []
        for delta in stream:
            time.sleep(0.4)
            said.append(delta.content)
    assert "".join(said) == "Hi."


@pytest.mark.parametrize("purpose", ["chat", "stream"])
def test_the_error_names_the_bound_and_the_time(
    either: MakeEither, start: Any, purpose: str
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=stay_silent))
    client = either(server.url, first_byte_timeout=0.2)
    with pytest.raises(TimedOutError, match=r"within 0.2 s \(first_byte_timeout\)"):
        getattr(client, purpose)("hello", model="tiny")


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("then", [stay_silent, hang_up], ids=["stays open", "is cut"])
def test_the_end_mark_ends_the_answer(either: MakeEither, start: Any, name: str, then: Any) -> None:
    wire: Wire = WIRES[name]
    server = start(wire.server())
    whole = server.routes[wire.route("stream")]

    def reply(exchange: Exchange) -> None:
        send = exchange.send
        sent: list[bytes] = []
        exchange.send = sent.append  # type: ignore[method-assign, assignment]
        whole(exchange)
        exchange.send = send  # type: ignore[method-assign]
        assert sent[-1] == b"0\r\n\r\n"
        exchange.send(b"".join(sent[:-1]))
        then(exchange)

    server.routes[wire.route("stream")] = reply
    client = either(server.url, max_retries=0)
    began = time.monotonic()
    assert "".join(delta.content for delta in client.stream("hello", model="tiny")) == "Hi."
    assert time.monotonic() < began + MUCH_LATER
