"""A server that lists its models and never answers again; and streams that stay failed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import LocalMixError, StreamInterruptedError, TimedOutError
from localmix.servers import MEMORY
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.faults.faults import AFTER
from tests.faults.waiting import until
from tests.faults.wires import RIGHT, WIRES, Wire, ask
from tests.loopback import ndjson, stay_silent

MUCH_LATER = 5.0


@pytest.mark.slow
@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("purpose", ["chat", "complete", "stream"])
def test_a_mute_server_is_left_for_its_twin(
    either: MakeEither, start: Any, name: str, purpose: Any
) -> None:
    wire: Wire = WIRES[name]
    mute, good = start(wire.server()), start(wire.server())
    mute.routes[wire.route(purpose)] = stay_silent
    client = either([mute.url, good.url], warm_first_byte_timeout=0.3)
    began = time.monotonic()
    answer = ask(client, purpose)
    assert time.monotonic() < began + MUCH_LATER
    assert answer.said == RIGHT[purpose]
    assert answer.route.server.url == good.url
    (attempt,) = answer.route.attempts
    assert "(warm_first_byte_timeout)" in attempt.error.message
    # It is not asked again at once, and not forgotten either.
    asked = mute.count(wire.route(purpose))
    assert ask(client, purpose).route.server.url == good.url
    assert mute.count(wire.route(purpose)) == asked
    assert client.servers()[0].state == "degraded"


def test_a_mute_server_alone_says_what_helps(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(loaded=("tiny:latest",), POST__api_chat=stay_silent))
    with pytest.raises(TimedOutError, match="does not answer") as caught:
        either(server.url, first_byte_timeout=0.3).chat("hello", model="tiny")
    assert "Restart that server" in caught.value.hint


def test_a_whole_answer_is_asked_for_whole_where_a_stream_may_lose_something(
    either: MakeEither, start: Any
) -> None:
    servers = [start(stand_ins.ollama(loaded=("tiny:latest",))) for _ in range(2)]
    client = either([server.url for server in servers])
    tool = {"name": "t", "parameters": {"type": "object", "properties": {}}}
    client.chat("hello", model="tiny", tools=[tool])
    client.chat("hello", model="tiny", extra={"options": {}})
    client.chat("hello", model="tiny")
    asked = [each.json["stream"] for each in servers[0].requests if each.path == "/api/chat"]
    assert asked == [False, False, True]


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_a_server_that_may_go_on_writing_is_believed_busy(
    either: MakeEither, start: Any, kind: str
) -> None:
    """Nobody queues for it: it only comes after others, until it answers."""
    make: Any = getattr(stand_ins, kind)
    first, second = start(make("tiny")), start(make("tiny"))
    client = either([first.url, second.url])
    client.chat("hello", model="tiny")
    MEMORY.vitals(first.url).rates["tiny"].output = 10.0
    client.stream("Tell me.", model="tiny", at_most=1)
    route = route_of(client.chat("hello", model="tiny"))
    assert route.server.url == (second if kind == "openai" else first).url
    second.stop()
    for _ in range(2):
        assert route_of(client.chat("hello", model="tiny")).server.url == first.url


# Streams


@pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER)
@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_stream_that_failed_stays_failed(start: Any, fault: Any, wire: Wire) -> None:
    server = start(wire.server())
    fault.strike(server, wire, "stream")
    with Client(server.url, between_timeout=0.2, max_reply_bytes=2_000_000) as client:
        stream = client.stream("hello", model="tiny")
        with pytest.raises(LocalMixError) as first:
            list(stream)
        for _ in range(2):
            with pytest.raises(LocalMixError) as again:
                next(stream)
            assert again.value is first.value


def test_a_stream_whose_reading_was_cancelled_is_no_whole_answer(start: Any) -> None:
    said = ndjson(stand_ins.ollama_says(content="H"), end=stay_silent)
    server = start(stand_ins.ollama(POST__api_chat=said))

    async def read() -> None:
        async with AsyncClient(server.url) as client:
            stream = client.stream("hello", model="tiny")
            await anext(stream)
            reading = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.05)
            reading.cancel()
            await until(reading.done)
            for _ in range(2):
                with pytest.raises(StreamInterruptedError, match="CancelledError"):
                    await anext(stream)
            assert stream.result.content == "H"

    asyncio.run(read())


def test_a_stream_that_was_interrupted_is_no_whole_answer(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(stand_ins.ollama())
    with Client(server.url) as client:
        stream = client.stream("hello", model="tiny")
        next(stream)
        monkeypatch.setattr(stream, "_steps", iter(_interrupted()))
        with pytest.raises(KeyboardInterrupt):
            next(stream)
        with pytest.raises(StreamInterruptedError, match="KeyboardInterrupt"):
            next(stream)


def _interrupted() -> Any:
    raise KeyboardInterrupt
    yield
