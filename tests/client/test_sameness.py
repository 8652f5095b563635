"""Two models of one name never answer in turns: vectors of both would lie in one index."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from localmix.errors import LocalMixError, ModelNotFoundError
from localmix.routing.comparing import TEXT
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, stay_silent, whole

NAME = "nomic-embed-text"


def vectors(*vector: float) -> Reply:
    """Answer each text with one vector."""

    def reply(exchange: Exchange) -> None:
        texts, model = exchange.json["input"], exchange.json["model"]
        if "/v1/" in exchange.path:
            data = [{"index": place, "embedding": vector} for place in range(len(texts))]
            whole({"model": model, "data": data})(exchange)
        else:
            whole({"model": model, "embeddings": [vector] * len(texts)})(exchange)

    return reply


def ollama(digest: str, *vector: float, name: str = NAME) -> LoopbackServer:
    server = stand_ins.ollama(name, POST__api_embed=vectors(*vector))
    entry = {"name": name, "model": name, "digest": digest, "capabilities": ["embedding"]}
    server.routes["GET /api/tags"] = whole({"models": [entry]})
    return server


def asked(server: LoopbackServer) -> list[Any]:
    calls = [each for each in server.requests if each.path in ("/api/embed", "/v1/embeddings")]
    return [each.json["input"] for each in calls]


def test_the_same_digest_needs_no_comparison(either: MakeEither, start: Any) -> None:
    one, other = start(ollama("d1", 1.0, 0.0)), start(ollama("d1", 1.0, 0.0))
    client = either([one.url, other.url])
    assert len(client.route(NAME, purpose="embedding").alternatives) == 1
    client.embed(["a"], model=NAME)
    assert [TEXT] not in asked(one) + asked(other)


def test_another_digest_with_the_same_vectors_is_compared_once(
    either: MakeEither, start: Any
) -> None:
    one, other = start(ollama("d1", 1.0, 0.0)), start(ollama("d2", 0.99, 0.01))
    client = either([one.url, other.url])
    for _ in range(3):
        client.embed(["a"], model=NAME)
    one.routes["POST /api/embed"] = hang_up
    route = client.embed(["a"], model=NAME).route
    assert route
    assert route.server.url == other.url
    assert asked(one).count([TEXT]) == asked(other).count([TEXT]) == 1


@pytest.mark.slow
def test_other_vectors_are_never_mixed_in(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = start(ollama("d1", 1.0, 0.0)), start(ollama("d2", 0.0, 1.0))
    client = either([one.url, other.url])
    with caplog.at_level(logging.WARNING, "localmix"):
        for _ in range(3):
            assert client.embed(["a", "b"], model=NAME).vectors == [[1.0, 0.0]] * 2
    (warning,) = caplog.messages
    assert one.url in warning
    assert f"{NAME} at {other.url}" in warning
    one.routes["POST /api/embed"] = hang_up
    with pytest.raises(LocalMixError):
        client.embed(["a"], model=NAME)
    assert asked(other) == [[TEXT]]


def test_neither_when_the_first_is_gone(either: MakeEither, start: Any) -> None:
    one, other = start(ollama("d1", 1.0, 0.0)), start(ollama("d2", 0.0, 1.0))
    client = either([one.url, other.url])
    client.embed(["a"], model=NAME)
    one.stop()
    client.servers()
    with pytest.raises(ModelNotFoundError, match="not known to be the model") as caught:
        client.embed(["a"], model=NAME)
    assert f"/{NAME}" in caught.value.hint
    pin = client.servers()[1].name
    assert client.embed(["a"], model=f"{pin}/{NAME}").vectors == [[0.0, 1.0]]


@pytest.mark.slow
def test_one_that_cannot_be_compared_is_not_shared(either: MakeEither, start: Any) -> None:
    one, other = start(ollama("d1", 1.0, 0.0)), start(ollama("d2", 1.0, 0.0))
    other.routes["POST /api/embed"] = stay_silent
    client = either([one.url, other.url], probe_timeout=0.5)
    for _ in range(3):
        assert client.embed(["a"], model=NAME).vectors == [[1.0, 0.0]]
    assert asked(other) == [[TEXT]]


def test_servers_of_two_kinds_are_compared(either: MakeEither, start: Any) -> None:
    one = start(ollama("d1", 1.0, 0.0, name="qwen3-embedding:0.6b"))
    key = "text-embedding-qwen3-embedding-0.6b"
    entry = {"type": "embedding", "key": key, "params_string": "0.6B", "loaded_instances": []}
    listing = {"GET /api/v1/models": whole({"models": [entry]})}
    other = stand_ins.lmstudio(key, POST__v1_embeddings=vectors(1.0, 0.0))
    other.routes |= listing
    start(other)
    client = either([one.url, other.url])
    client.embed(["a"], model="qwen3-embedding:0.6b")
    one.routes["POST /api/embed"] = hang_up
    route = client.embed(["a"], model="qwen3-embedding:0.6b").route
    assert route
    assert route.server.url == other.url


def test_models_shows_them_apart(either: MakeEither, start: Any) -> None:
    same = start(ollama("d1", 1.0)), start(ollama("d1", 1.0))
    differ = start(ollama("d1", 1.0)), start(ollama("d2", 1.0))
    shown = [
        len(either([each.url for each in servers]).manage("models")) for servers in (same, differ)
    ]
    assert shown == [1, 2]


def chatting(parameters: str) -> LoopbackServer:
    entry = {"name": "m:latest", "model": "m:latest", "digest": parameters}
    details = {"family": "llama", "parameter_size": parameters}
    listing = {"models": [{**entry, "details": details, "capabilities": ["completion"]}]}
    return stand_ins.ollama("m:latest", GET__api_tags=whole(listing))


@pytest.mark.parametrize(("size", "places"), [("8.0B", 2), ("8.2B", 2), ("70.6B", 1)])
def test_a_chat_goes_on_only_where_nothing_speaks_against_it(
    either: MakeEither, start: Any, size: str, places: int
) -> None:
    client = either([start(chatting("8.0B")).url, start(chatting(size)).url])
    assert 1 + len(client.route("m").alternatives) == places


def test_an_alias_of_the_users_may_say_more(either: MakeEither, start: Any) -> None:
    servers = [start(stand_ins.ollama("small:1b")).url, start(stand_ins.ollama("large:70b")).url]
    client = either(servers, aliases={"any": ["small:1b", "large:70b"]})
    assert len(client.route("any").alternatives) == 1
