"""Any JSON in place of any value of a server: a healthy one beside it serves all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localmix import Client, discovery
from localmix.discovery.directory import Candidate, Directory
from localmix.discovery.probe import Found
from localmix.errors import LocalMixError
from localmix.servers import MEMORY
from localmix.wire.flows import Flow
from tests import stand_ins
from tests.either import Either
from tests.loopback import LoopbackServer, events, ndjson, serving, whole
from tests.unit.test_mutations import JSON

Make = Callable[..., LoopbackServer]


def odd_ollama(key: str, value: Any) -> LoopbackServer:
    spoiled = stand_ins._ollama_entry("tiny:latest") | {key: value}
    done = stand_ins.OLLAMA_DONE | {"message": {"content": "Hi."}} | {key: value}
    listing = whole({"models": [spoiled], "version": "1"} | {key: value})
    return stand_ins.ollama(
        GET__api_tags=listing,
        GET__api_ps=listing,
        POST__api_chat=stand_ins.either_way(ndjson(done), whole(done)),
        POST__api_embed=whole({"embeddings": [[1.0]], key: value}),
        POST__api_show=whole({key: value}),
    )


def odd_lmstudio(key: str, value: Any) -> LoopbackServer:
    spoiled = stand_ins._lmstudio_entry("tiny", False) | {key: value}
    choice = {"message": {"content": "Hi."}, "delta": {"content": "Hi."}, "finish_reason": "stop"}
    answer = {"model": "tiny", "choices": [choice | {key: value}]} | {key: value}
    return stand_ins.lmstudio(
        GET__api_v1_models=whole({"models": [spoiled]}),
        POST__v1_chat_completions=stand_ins.either_way(events(answer, b"[DONE]"), whole(answer)),
        POST__v1_embeddings=whole({"data": [{"embedding": [1.0], key: value}], key: value}),
    )


def odd_openai(key: str, value: Any) -> LoopbackServer:
    choice = {"message": {"content": "Hi."}, "delta": {"content": "Hi."}, "finish_reason": "stop"}
    answer = {"model": "tiny", "choices": [choice | {key: value}]} | {key: value}
    entry = {"id": "tiny", "object": "model"} | {key: value}
    return stand_ins.openai(
        GET__v1_models=whole({"object": "list", "data": [entry]} | {key: value}),
        POST__v1_chat_completions=stand_ins.either_way(events(answer, b"[DONE]"), whole(answer)),
        POST__v1_embeddings=whole({"data": [{"embedding": [1.0], key: value}], key: value}),
    )


KEYS = {
    odd_ollama: "name model size details capabilities message done done_reason eval_count"
    " embeddings eval_duration total_duration error digest models model_info expires_at",
    odd_lmstudio: "key type loaded_instances capabilities variants max_context_length quantization"
    " choices message delta finish_reason usage stats error model index embedding data tool_calls",
    odd_openai: "id object data meta max_model_len owned_by choices message delta finish_reason"
    " usage timings error model index embedding tool_calls function_call logprobs",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("odd", KEYS, ids=lambda odd: odd.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=JSON, data=st.data())
def test_only_our_errors_come_out_and_the_other_server_answers(
    odd: Make, colour: str, value: Any, data: st.DataObject
) -> None:
    MEMORY.forget()
    discovery._directories.clear()
    key = data.draw(st.sampled_from(KEYS[odd].split()))
    with (
        serving(odd(key, value)) as first,
        serving(stand_ins.ollama("tiny:latest", "embed:latest")) as second,
        either(colour, [first.url, second.url]) as client,
        either(colour, first.url) as alone,
    ):
        ask_alone(alone)
        client.manage("models")
        for _ in range(2):
            assert client.chat("hello", model="tiny").finish_reason
            assert client.stream("hello", model="tiny")
        assert client.embed("a", model="embed").vectors


def ask_alone(client: Either) -> None:
    """Ask where nobody else could answer: whatever comes is an answer, or an error of ours."""
    asks = (
        lambda: client.manage("models"),
        client.route,
        lambda: client.chat("hello", model="tiny"),
        lambda: client.stream("hello", model="tiny"),
        lambda: client.embed("a", model="tiny"),
    )
    for ask in asks:
        with suppress(LocalMixError):
            ask()


@contextmanager
def either(colour: str, servers: Any) -> Iterator[Either]:
    client = Either(colour, servers, max_retries=0)
    try:
        yield client
    finally:
        client.end()


def test_what_nobody_foresaw_is_the_verdict_on_one_candidate() -> None:
    """A4: the last wall around a probe."""

    def stumble() -> Flow[Found]:
        yield from ()
        raise RuntimeError("our own bug")

    directory = Directory([Candidate("http://s", "s", stumble)], 30.0, MEMORY, time.monotonic)
    with Client() as client:
        (found,) = client._driver.run(directory.refresh())
    assert "our own bug" in found.server.problem
