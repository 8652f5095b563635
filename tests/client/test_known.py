"""What a client knows without asking anyone."""

from __future__ import annotations

from typing import Any

from tests import stand_ins
from tests.either import MakeEither


def test_nothing_is_known_before_a_request_and_nobody_is_asked(
    either: MakeEither, start: Any
) -> None:
    server = start(stand_ins.ollama("tiny:latest", loaded=("tiny:latest",)))
    client = either(server.url)
    assert client.client.known("tiny") is None
    assert server.requests == []
    client.chat("hello", model="tiny")
    asked = len(server.requests)
    known = client.client.known("tiny")
    assert (known.name, known.loaded_context_length) == ("tiny:latest", 4096)
    assert client.client.known("another") is None
    assert len(server.requests) == asked


def test_without_a_name_it_is_the_model_that_would_be_taken(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("a:latest", "b:latest", "embed:latest", loaded=("b:latest",)))
    client = either(server.url)
    client.listing()
    assert client.client.known().name == "b:latest"
    assert client.client.known(purpose="embedding").name == "embed:latest"


def test_the_models_of_the_engine_are_known_too(either: MakeEither, engine_alone: None) -> None:
    client = either()
    client.listing()
    known = client.client.known("localmix-tiny")
    assert (known.kind, known.loaded_context_length) == ("embedded", 2048)
