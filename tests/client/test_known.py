"""What a client knows without asking anyone."""

from __future__ import annotations

import time
from typing import Any

from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import LoopbackServer, stay_silent, whole


def test_nothing_is_known_before_a_request_and_nobody_is_asked(
    either: MakeEither, start: Any
) -> None:
    server = start(stand_ins.ollama("tiny:latest", loaded=("tiny:latest",)))
    client = either(server.url)
    assert client.client.known_model("tiny") is None
    assert server.requests == []
    client.chat("hello", model="tiny")
    asked = len(server.requests)
    known = client.client.known_model("tiny")
    assert (known.name, known.loaded_context_length) == ("tiny:latest", 4096)
    assert client.client.known_model("another") is None
    assert len(server.requests) == asked


def test_without_a_name_it_is_the_model_that_would_be_taken(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("a:latest", "b:latest", "embed:latest", loaded=("b:latest",)))
    client = either(server.url)
    client.models_by_server()
    assert client.client.known_model().name == "b:latest"
    assert client.client.known_model(purpose="embedding").name == "embed:latest"


def test_the_models_of_the_engine_are_known_too(either: MakeEither, engine_alone: None) -> None:
    client = either()
    client.models_by_server()
    known = client.client.known_model("localmix-tiny")
    assert (known.kind, known.loaded_context_length) == ("embedded", 2048)


def test_looking_up_asks_for_what_is_not_known(either: MakeEither, start: Any) -> None:
    facts = {"general.architecture": "llama", "llama.context_length": 1024}
    shown = {"capabilities": ["tools"], "model_info": facts, "parameters": "num_ctx    512"}
    entry = {"name": "tiny:latest", "digest": "a", "details": {"family": "llama"}}
    tags = whole({"models": [entry]})
    server = start(stand_ins.ollama(GET__api_tags=tags, POST__api_show=whole(shown)))
    client = either(server.url)
    for _ in range(2):
        found = client.look_up("tiny")
        assert (found.context_length, found.own_context_length) == (1024, 512)
        assert found.can("tools")
        assert client.client.known_model("tiny") == found
    asked = [f"{each.method} {each.path}" for each in server.requests]
    assert asked.count("GET /api/tags") == asked.count("POST /api/show") == 1


def test_looking_up_what_nobody_tells_of(either: MakeEither, start: Any) -> None:
    """A server without `/api/show` is asked for it once for each of its listings."""
    server = start(stand_ins.ollama("tiny:latest"))
    client = either(server.url)
    assert [client.look_up("tiny").capabilities for _ in range(2)] == [None, None]
    assert [each.path for each in server.requests].count("/api/show") == 1
    assert client.look_up("another") is None
    assert either("http://127.0.0.1:9").look_up() is None


def test_looking_up_ends_in_time(either: MakeEither, start: Any) -> None:
    server = start(LoopbackServer({"GET /api/version": stay_silent}))
    begun = time.monotonic()
    assert either(server.url, named_probe_timeout=30).look_up("tiny", within=0.2) is None
    assert time.monotonic() - begun < 10
