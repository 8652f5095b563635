"""Embeddings: in chunks, with prefixes, and always from one model."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from langchain_localmix import LocalMixEmbeddings
from localmix.errors import ConfigError, ProtocolError
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, whole

Embed = Callable[[LocalMixEmbeddings, list[str]], list[list[float]]]
COLOURS: dict[str, Embed] = {
    "sync": lambda embeddings, texts: embeddings.embed_documents(texts),
    "async": lambda embeddings, texts: asyncio.run(embeddings.aembed_documents(texts)),
}


@pytest.fixture(params=COLOURS)
def embed(request: pytest.FixtureRequest) -> Embed:
    return COLOURS[request.param]


def measuring(*models: str, **more: Any) -> LoopbackServer:
    """Be an Ollama whose vectors hold the length of the text."""

    def reply(exchange: Exchange) -> None:
        vectors = [[float(len(text)), 1.0] for text in exchange.json["input"]]
        whole({"model": exchange.json["model"], "embeddings": vectors})(exchange)

    return stand_ins.ollama(*models, POST__api_embed=reply, **more)


def test_many_texts_go_in_chunks_and_come_back_in_order(start: Any, embed: Embed) -> None:
    server = start(measuring())
    embeddings = LocalMixEmbeddings(base_url=server.url, chunk_size=2, concurrency=3)
    texts = ["x" * length for length in range(1, 10)]
    assert [vector[0] for vector in embed(embeddings, texts)] == list(range(1, 10))
    assert server.count("POST /api/embed") == 5


def test_no_more_requests_at_once_than_allowed(start: Any, embed: Embed) -> None:
    gate, count, most = threading.Lock(), 0, 0

    def reply(exchange: Exchange) -> None:
        nonlocal count, most
        with gate:
            count += 1
            most = max(most, count)
        vectors = [[1.0]] * len(exchange.json["input"])
        whole({"model": "embed", "embeddings": vectors})(exchange)
        with gate:
            count -= 1

    server = start(stand_ins.ollama(POST__api_embed=reply))
    embeddings = LocalMixEmbeddings(base_url=server.url, chunk_size=1, concurrency=2)
    assert len(embed(embeddings, ["a"] * 9)) == 9
    assert most <= 2


def test_servers_that_have_it_loaded_share_the_work(start: Any, embed: Embed) -> None:
    both = [start(measuring(loaded=("embed:latest",))) for _ in range(2)]
    embeddings = LocalMixEmbeddings(
        servers=[ServerConfig(url=server.url, order=1) for server in both],
        chunk_size=1,
        concurrency=4,
    )
    texts = ["x" * length for length in range(1, 17)]
    assert [vector[0] for vector in embed(embeddings, texts)] == list(range(1, 17))
    assert all(server.count("POST /api/embed") for server in both)


def test_no_texts_are_no_request(start: Any, embed: Embed) -> None:
    server = start(measuring())
    assert embed(LocalMixEmbeddings(base_url=server.url), []) == []
    assert server.requests == []


def test_prefixes_are_put_before_as_they_are(start: Any) -> None:
    server = start(measuring())
    embeddings = LocalMixEmbeddings(
        base_url=server.url, query_prefix="search_query: ", document_prefix="search_document: "
    )
    embeddings.embed_query("river")
    assert server.last("POST /api/embed").json["input"] == ["search_query: river"]
    asyncio.run(embeddings.aembed_documents(["lamp"]))
    assert server.last("POST /api/embed").json["input"] == ["search_document: lamp"]


def test_options_reach_the_server(start: Any) -> None:
    server = start(measuring())
    embeddings = LocalMixEmbeddings(
        base_url=server.url, dimensions=2, truncate=True, keep_alive="5m"
    )
    embeddings.embed_query("river")
    body = server.last("POST /api/embed").json
    assert (body["dimensions"], body["truncate"], body["keep_alive"]) == (2, True, 300)


def test_the_first_answer_pins_the_model(start: Any, embed: Embed) -> None:
    server = start(measuring("embed-a:latest", "embed-b:latest"))
    embeddings = LocalMixEmbeddings(base_url=server.url)
    embed(embeddings, ["river"])
    # Now the other one would be taken: it is loaded.
    server.routes |= stand_ins.ollama(
        "embed-a:latest", "embed-b:latest", loaded=("embed-b:latest",)
    ).routes | {"POST /api/embed": server.routes["POST /api/embed"]}
    embeddings.list_models()
    embed(embeddings, ["river"])
    assert server.last("POST /api/embed").json["model"] == "embed-a:latest"

    other = embeddings.model_copy(update={"model": "embed-b"})
    embed(other, ["river"])
    assert server.last("POST /api/embed").json["model"] == "embed-b:latest"


def test_another_length_is_refused(start: Any, embed: Embed) -> None:
    server = start(measuring())
    embeddings = LocalMixEmbeddings(base_url=server.url)
    embed(embeddings, ["river"])
    server.routes["POST /api/embed"] = whole({"model": "embed", "embeddings": [[1.0, 2.0, 3.0]]})
    with pytest.raises(ProtocolError, match="length 3; earlier ones had 2"):
        embed(embeddings, ["river"])


def test_an_empty_text_has_no_vector(start: Any, embed: Embed) -> None:
    with pytest.raises(ConfigError, match=r"texts\[1\] is empty"):
        embed(LocalMixEmbeddings(base_url=start(measuring()).url), ["river", ""])


def test_preloading_says_where(start: Any) -> None:
    server = start(measuring())
    embeddings = LocalMixEmbeddings(base_url=server.url)
    for route in (embeddings.preload(), asyncio.run(embeddings.apreload()), embeddings.route()):
        assert route is not None
        assert (route.server.url, route.model) == (server.url, "embed:latest")
    assert asyncio.run(embeddings.aroute()).model == "embed:latest"


def test_a_namespace_for_a_cache_tells_models_apart(start: Any) -> None:
    def namespace(digest: str = "a", **about: Any) -> str:
        entry = {"name": "embed:latest", "digest": digest, "capabilities": ["embedding"]}
        server = start(measuring(GET__api_tags=whole({"models": [entry]})))
        server.routes["POST /api/show"] = whole({"capabilities": ["embedding"], "model_info": {}})
        embeddings = LocalMixEmbeddings(base_url=server.url, **about)
        found = embeddings.cache_namespace()
        embeddings.embed_query("river")  # now it is pinned
        assert found == embeddings.cache_namespace() == asyncio.run(embeddings.acache_namespace())
        unpinned = LocalMixEmbeddings(base_url=server.url, **about)
        assert asyncio.run(unpinned.acache_namespace()) == found
        return found

    plain = namespace()
    assert plain == namespace()
    assert re.fullmatch(r"embed_latest-[0-9a-f]{16}-", plain)
    others = [namespace("b"), namespace(dimensions=1), namespace(document_prefix="passage: ")]
    assert len({plain, *others}) == 4
