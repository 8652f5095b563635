"""What a server sends cannot fill the memory, nor the stack; the rest is in the fault matrix."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from localmix import ToolCall
from localmix.dialects import failures
from localmix.errors import ConfigError, LocalMixError, ProtocolError
from localmix.types.find_json import json_in, json_so_far
from localmix.wire.flows import Response
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.faults import small
from tests.loopback import Exchange, LoopbackServer, events, ndjson, whole

DEPTH = 100_000
DEEP = "[" * DEPTH + "]" * DEPTH
_HEAP = 50_000_000


def endless_head(exchange: Exchange) -> None:
    """Send headers that never end."""
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        exchange.send(b"X-Header: " + b"x" * 1000 + b"\r\n")


def many_small_events(exchange: Exchange) -> None:
    exchange.head(200, "text/event-stream")
    while True:
        exchange.send(b"data: x\n" * 1000)


def test_a_head_without_end_is_refused(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=endless_head))
    with pytest.raises(LocalMixError):
        either(server.url, max_retries=0).chat("hello", model="tiny")


def test_an_event_without_end_is_refused(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.lmstudio(POST__v1_chat_completions=many_small_events))
    with small(), pytest.raises(ProtocolError, match="more than"):
        either(server.url).stream("hello", model="tiny")


def test_a_probe_that_is_flooded_gives_up(either: MakeEither, start: Any) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.head(200, "application/json")
        while True:
            exchange.send(b" " * 1_000_000)

    server = start(LoopbackServer({"GET /v1/models": flood, "GET /api/version": flood}))
    with small():
        (shown,) = either(server.url, probe_timeout=30).servers()
    assert shown.kind is None
    assert "more than" in shown.problem


def test_the_bound_of_listings_is_a_setting(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    long = {"name": "tiny:latest", "details": {"license": "x" * 9_000_000}}
    server.routes["GET /api/tags"] = whole({"models": [long]})
    (refused,) = either(server.url).servers()
    assert "more than 8,388,608 bytes" in refused.problem
    for bounds in ({"max_listing_bytes": 9_000_000}, {"max_reply_bytes": 5_000_000}):
        with pytest.raises(LocalMixError):
            either(server.url, **bounds).models_by_server()
    (model,) = either(server.url, max_listing_bytes=10_000_000).models_by_server()
    assert model.name == "tiny:latest"


def test_what_does_not_end_is_not_kept(either: MakeEither, start: Any) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.head(200, "application/x-ndjson")
        while True:
            exchange.send(b"x" * 1_000_000)

    server = start(stand_ins.ollama(POST__api_chat=flood))
    client = either(server.url)
    client.models_by_server()
    tracemalloc.start()
    try:
        with small(), pytest.raises(ProtocolError):
            client.stream("hello", model="tiny")
        assert tracemalloc.get_traced_memory()[1] < _HEAP
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", ["/api/tags", "/api/version", "/api/ps"])
def test_a_listing_that_is_too_deep_is_a_problem_of_that_server_alone(
    either: MakeEither, start: Any, path: str
) -> None:
    deep = whole(f'{{"models": {DEEP}, "version": {DEEP}}}'.encode())
    bad, good = start(stand_ins.ollama()), start(stand_ins.ollama())
    bad.routes[f"GET {path}"] = deep
    first, second = either([bad.url, good.url]).servers()
    assert first.kind is None
    assert second.kind == "ollama"


@pytest.mark.parametrize("text", [DEEP, f'{{"error": {DEEP}}}', json.dumps({"error": DEEP})])
def test_an_error_that_is_too_deep_is_still_an_error(text: str) -> None:
    error = failures.error_of(Response(500, text.encode()), "http://server")
    assert error.server == "http://server"


def test_arguments_of_a_tool_that_are_too_deep_are_no_arguments() -> None:
    call = ToolCall(name="tool", arguments=f'{{"x": {DEEP}}}')
    with pytest.raises(ConfigError, match="not a JSON object"):
        call.parsed()


def test_a_call_with_arguments_that_are_too_deep_comes_through(
    either: MakeEither, start: Any
) -> None:
    function = {"name": "tool", "arguments": f'{{"x": {DEEP}}}'}
    called = stand_ins.openai_says(tool_calls=[{"index": 0, "id": "1", "function": function}])
    server = start(
        stand_ins.openai(
            POST__v1_chat_completions=events(called, stand_ins.openai_says("tool_calls"), b"[DONE]")
        )
    )
    deltas = either(server.url).stream("hello", model="tiny")
    assert deltas[0].tool_calls[0].name == "tool"


@pytest.mark.parametrize("text", [DEEP, "[" * DEPTH, f"Sure: {DEEP}", f"```json\n{DEEP}\n```"])
def test_an_answer_that_is_too_deep_holds_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        json_in(text)
    assert json_so_far(text) is None


def test_what_a_model_says_may_be_as_deep_as_it_likes(either: MakeEither, start: Any) -> None:
    said = ndjson(stand_ins.ollama_says(content=DEEP), stand_ins.OLLAMA_DONE)
    server = start(stand_ins.ollama(POST__api_chat=said))
    assert either(server.url).stream("hello", model="tiny")[0].content == DEEP
