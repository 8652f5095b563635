"""How long a caller waits: one bound for everything, and patience that knows about loading."""

from __future__ import annotations

import time
from typing import Any

import pytest

from localmix.errors import LocalMixError, NoServerError, OverloadedError, TimedOutError
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.faults import drip_chunks
from tests.faults.wires import WIRES, ask
from tests.loopback import Exchange, Reply, ndjson, pieces, stay_silent, whole

# More than the bound of any test here, and far less than a bound that is not kept.
MUCH_LATER = 5.0


def busy(retry_after: str) -> Reply:
    def reply(exchange: Exchange) -> None:
        body = b'{"error": "server busy"}'
        headers = {"Retry_After": retry_after, "Content_Length": str(len(body))}
        exchange.head(503, "application/json", **headers)
        exchange.send(body)

    return reply


def once(first: Reply, then: Reply) -> Reply:
    """Answer the first request in one way, and all others in another."""
    replies = iter([first])

    def reply(exchange: Exchange) -> None:
        next(replies, then)(exchange)

    return reply


def test_the_timeout_is_one_for_all_servers(either: MakeEither, start: Any) -> None:
    servers = [start(stand_ins.ollama(POST__api_chat=stay_silent)) for _ in range(3)]
    client = either([server.url for server in servers], timeout=0.3)
    client.models_by_server()
    began = time.monotonic()

    with pytest.raises(TimedOutError) as caught:
        client.chat("hello", model="tiny")

    assert time.monotonic() < began + MUCH_LATER
    assert [attempt.server for attempt in caught.value.attempts] == [servers[0].url]
    assert caught.value.__cause__ is not caught.value
    assert sum(server.count("POST /api/chat") for server in servers) == 1


def test_a_server_that_is_left_early_leaves_time_for_the_next(
    either: MakeEither, start: Any
) -> None:
    silent = start(stand_ins.ollama(POST__api_chat=stay_silent))
    good = start(stand_ins.ollama())
    client = either([silent.url, good.url], timeout=60, first_byte_timeout=0.3)
    result = client.chat("hello", model="tiny")
    assert result.route is not None
    assert result.route.server.url == good.url


def test_the_timeout_bounds_the_pauses_between_retries(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=busy("20")))
    client = either(server.url, timeout=0.5)
    began = time.monotonic()

    with pytest.raises(OverloadedError) as caught:
        client.chat("hello", model="tiny")

    assert caught.value.retry_after == 20
    assert time.monotonic() < began + MUCH_LATER
    assert server.count("POST /api/chat") == 1


def test_what_comes_too_late_after_a_failure_says_so(either: MakeEither, start: Any) -> None:
    def slowly_busy(exchange: Exchange) -> None:
        time.sleep(0.3)
        busy("0")(exchange)

    server = start(stand_ins.ollama(POST__api_chat=slowly_busy))
    with pytest.raises((TimedOutError, OverloadedError)) as caught:
        either(server.url, timeout=0.4, max_retries=9).chat("hello", model="tiny")
    assert caught.value.attempts


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_stream_that_drips_ends_with_the_timeout(
    either: MakeEither, start: Any, wire: Any
) -> None:
    server = start(wire.server())
    said = pieces([wire.frame("H")], wire.stream_type, end=lambda e: drip_chunks(e, wire))
    server.routes[wire.route("stream")] = said
    with pytest.raises(TimedOutError) as caught:
        either(server.url, timeout=0.4).stream("hello", model="tiny")
    assert caught.value.partial is not None
    assert caught.value.partial.content == "H"


@pytest.mark.parametrize(("said", "told"), [([], "say anything"), (["H"], "finish its answer")])
def test_a_stream_that_is_never_silent_and_says_nothing_ends_too(
    either: MakeEither, start: Any, said: list[str], told: str
) -> None:
    def flood(exchange: Exchange) -> None:
        while True:
            exchange.chunk(b"\n" * 100)

    frames = [stand_ins.ollama_says(content=word) for word in said]
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*frames, end=flood)))
    with pytest.raises(TimedOutError, match=told):
        either(server.url, timeout=0.4).stream("hello", model="tiny")


@pytest.mark.slow
def test_a_silence_after_a_drip_does_not_stretch_the_timeout(
    either: MakeEither, start: Any
) -> None:
    """Each read may wait only for what is left, not for as long as was left at the beginning."""

    def drip_then_silence(exchange: Exchange) -> None:
        exchange.is_hung_up(timeout=1.6)
        exchange.chunk(b" ")
        stay_silent(exchange)

    said = ndjson(stand_ins.ollama_says(content="H"), end=drip_then_silence)
    server = start(stand_ins.ollama(POST__api_chat=said))
    client = either(server.url, timeout=2.0)
    client.models_by_server()
    began = time.monotonic()
    with pytest.raises(TimedOutError):
        client.stream("hello", model="tiny")
    assert time.monotonic() < began + 3.4


def test_a_head_that_drips_does_not_stretch_the_timeout(either: MakeEither, start: Any) -> None:
    def drip_head(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nX: ")
        while not exchange.is_hung_up(timeout=0.05):
            exchange.send(b"x")

    server = start(stand_ins.ollama(POST__api_chat=drip_head))
    client = either(server.url, timeout=0.4)
    client.models_by_server()
    began = time.monotonic()
    with pytest.raises(TimedOutError):
        client.chat("hello", model="tiny")
    assert time.monotonic() < began + MUCH_LATER


def test_a_warm_model_that_keeps_silent_is_left_soon(either: MakeEither, start: Any) -> None:
    silent = start(stand_ins.ollama(loaded=("tiny:latest",), POST__api_chat=stay_silent))
    good = start(stand_ins.ollama())
    client = either([silent.url, good.url], warm_first_byte_timeout=0.2)
    route = ask(client, "stream").route
    assert route.server.url == good.url
    assert isinstance(route.attempts[0].error, TimedOutError)


@pytest.mark.slow
def test_a_cold_model_is_waited_for(either: MakeEither, start: Any) -> None:
    def load_first(exchange: Exchange) -> None:
        time.sleep(0.6)
        ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)(exchange)

    cold = start(stand_ins.ollama(POST__api_chat=load_first))
    other = start(stand_ins.ollama())
    client = either([cold.url, other.url], warm_first_byte_timeout=0.2)
    assert ask(client, "stream").route.server.url == cold.url
    assert other.count("POST /api/chat") == 0


@pytest.mark.slow
def test_the_last_server_is_waited_for_also_when_it_is_warm(either: MakeEither, start: Any) -> None:
    def think_first(exchange: Exchange) -> None:
        time.sleep(0.6)
        ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)(exchange)

    only = start(stand_ins.ollama(loaded=("tiny:latest",), POST__api_chat=think_first))
    client = either(only.url, warm_first_byte_timeout=0.2)
    assert client.stream("hello", model="tiny")[-1].finish_reason == "stop"


def test_what_is_asked_before_the_request_counts_as_well(either: MakeEither, start: Any) -> None:
    """Ollama tells what a model can do only at `/api/show`: a silence there is one like others."""
    mute = stand_ins.ollama(POST__api_show=stay_silent)
    start(mute)
    client = either(mute.url, probe_timeout=0.3)
    began = time.monotonic()
    result = client.chat("hello", model="tiny", tools=[{"name": "t", "parameters": {}}])
    assert result.content == "Hi."
    assert time.monotonic() < began + MUCH_LATER


def test_nobody_there_is_told_within_the_timeout(either: MakeEither, start: Any) -> None:
    mute = start(stand_ins.ollama(GET__api_version=stay_silent))
    began = time.monotonic()
    with pytest.raises((NoServerError, TimedOutError)):
        either(mute.url, timeout=0.3, probe_timeout=20).chat("hello", model="tiny")
    assert time.monotonic() < began + MUCH_LATER


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422])
def test_a_refusal_is_not_tried_again(either: MakeEither, start: Any, status: int) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": "no"}, status)))
    with pytest.raises(LocalMixError):
        either(server.url, max_retries=2).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 1


@pytest.mark.slow
def test_a_server_that_names_a_time_is_tried_again_after_it(either: MakeEither, start: Any) -> None:
    hello = ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)
    server = start(stand_ins.ollama(POST__api_chat=once(busy("1"), hello)))
    client = either(server.url, max_retries=1)
    client.models_by_server()
    began = time.monotonic()
    assert client.stream("hello", model="tiny")[0].content == "Hi."
    assert time.monotonic() >= began + 1.0
    assert server.count("POST /api/chat") == 2


@pytest.mark.slow
@pytest.mark.parametrize("retries", [0, 2])
def test_what_may_pass_is_tried_again_as_often_as_asked(
    either: MakeEither, start: Any, retries: int
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=busy("0")))
    with pytest.raises(OverloadedError) as caught:
        either(server.url, max_retries=retries).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 1 + retries
    assert len(caught.value.attempts) == 1 + retries


def test_what_may_have_worked_is_tried_again_once(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": "boom"}, 500)))
    with pytest.raises(LocalMixError):
        either(server.url, max_retries=5).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 2


def test_silence_is_not_tried_again(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=stay_silent))
    with pytest.raises(TimedOutError):
        either(server.url, max_retries=5, first_byte_timeout=0.2).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 1
