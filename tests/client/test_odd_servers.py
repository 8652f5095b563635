"""Any JSON in place of any value of a server: a healthy one beside it serves all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
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
from tests.loopback import LoopbackServer, events, ndjson, serving, whole
from tests.unit.test_mutations import JSON

Make = Callable[..., LoopbackServer]
ENTRY = {
    "ollama": stand_ins._ollama_entry,
    "lmstudio": lambda name: stand_ins._lmstudio_entry(name, False),
}


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


KEYS = {
    odd_ollama: "name model size details capabilities message done done_reason eval_count"
    " embeddings eval_duration total_duration error digest models model_info expires_at",
    odd_lmstudio: "key type loaded_instances capabilities variants max_context_length quantization"
    " choices message delta finish_reason usage stats error model index embedding data tool_calls",
}


@pytest.mark.parametrize("odd", KEYS, ids=lambda odd: odd.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=JSON, data=st.data())
def test_only_our_errors_come_out_and_the_other_server_answers(
    odd: Make, value: Any, data: st.DataObject
) -> None:
    MEMORY.forget()
    discovery._directories.clear()
    key = data.draw(st.sampled_from(KEYS[odd].split()))
    with (
        serving(odd(key, value)) as first,
        serving(stand_ins.ollama("tiny:latest", "embed:latest")) as second,
        Client([first.url, second.url], max_retries=0) as client,
        Client(first.url, max_retries=0) as alone,
    ):
        for ask in (alone.models, alone.route, lambda: alone.embed("a", model="tiny")):
            with suppress(LocalMixError):
                ask()
        client.models()
        for _ in range(2):
            assert client.chat("hello", model="tiny").finish_reason
            assert list(client.stream("hello", model="tiny"))
        assert client.embed("a", model="embed").vectors


def test_what_nobody_foresaw_is_the_verdict_on_one_candidate() -> None:
    """A4: the last wall around a probe."""

    def stumble() -> Flow[Found]:
        yield from ()
        raise RuntimeError("our own bug")

    directory = Directory([Candidate("http://s", "s", stumble)], 30.0, MEMORY, time.monotonic)
    with Client() as client:
        (found,) = client._driver.run(directory.refresh())
    assert "our own bug" in found.server.problem
