"""The embedding model: requests, instructions, caches, pins, copies and pickles."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.storage.kvstore import SimpleKVStore
from pydantic import SecretStr

from llamaindex_localmix import LocalMixEmbedding
from llamaindex_localmix._instructions import PRESETS
from localmix.errors import ConfigError, ContextLengthError, ModelNotFoundError, ProtocolError
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, Reply, whole

PATHS = {"ollama": "POST /api/embed", "lmstudio": "POST /v1/embeddings"}
SECRET = "s3cret"


def vector_of(text: str, length: int = 4) -> list[float]:
    """Make a vector that tells the text apart from others."""
    return [float(len(text)), float(sum(map(ord, text))), *[0.0] * (length - 2)]


def embedding(length: int = 4) -> Reply:
    """Be a model; LM Studio's answers come in an order of their own."""

    def reply(exchange: Exchange) -> None:
        texts = exchange.json["input"]
        vectors = [vector_of(text, length) for text in texts]
        data = [{"index": place, "embedding": v} for place, v in enumerate(vectors)][::-1]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        model = exchange.json["model"]
        whole({"model": model, "embeddings": vectors, "data": data, "usage": usage})(exchange)

    return reply


@pytest.fixture
def serve(kind: str, start: Any) -> Callable[..., LoopbackServer]:
    """Start a server of the kind that embeds."""

    def begin(reply: Reply | None = None, *models: str) -> LoopbackServer:
        make = stand_ins.ollama if kind == "ollama" else stand_ins.lmstudio
        server: LoopbackServer = start(make(*(models or ("embed",)), loaded=("embed",)))
        server.routes[PATHS[kind]] = reply or embedding()
        return server

    return begin


def asked(server: LoopbackServer) -> list[Any]:
    """List the bodies of the requests for vectors."""
    paths = set(PATHS.values())
    return [each.json for each in server.requests if f"{each.method} {each.path}" in paths]


def test_its_bases() -> None:
    assert "BaseEmbedding" in [base.__name__ for base in LocalMixEmbedding.__mro__]
    assert LocalMixEmbedding.class_name() == "LocalMixEmbedding"


# Batches


def test_batches_keep_order_in_both_colours(serve: Any) -> None:
    server = serve()
    texts = [f"text {'x' * place}" for place in range(25)]
    model = LocalMixEmbedding(base_url=server.url, embed_batch_size=10, chunk_size=4)
    expected = [vector_of(text) for text in texts]
    assert model.get_text_embedding_batch(texts) == expected
    assert sorted(len(body["input"]) for body in asked(server)) == sorted([4, 4, 2] * 2 + [4, 1])
    assert asyncio.run(model.aget_text_embedding_batch(texts)) == expected
    assert asyncio.run(model.aget_text_embedding_batch(texts, show_progress=False)) == expected


def test_single_texts_and_none(serve: Any, kind: str) -> None:
    server = serve()
    model = LocalMixEmbedding(base_url=server.url)

    async def main() -> list[Any]:
        return [await model.aget_text_embedding("lamp"), await model.aget_query_embedding("lamp")]

    vectors = [model.get_text_embedding("lamp"), model.get_query_embedding("lamp")]
    assert [*vectors, *asyncio.run(main())] == [vector_of("lamp")] * 4
    assert model.get_agg_embedding_from_queries(["lamp", "lamp"]) == vector_of("lamp")
    count = len(asked(server))
    assert model.get_text_embedding_batch([]) == []
    assert asyncio.run(model.aget_text_embedding_batch([])) == []
    assert len(asked(server)) == count
    if kind == "lmstudio":  # bug-tracker 756: others ask for base64, and read it wrong
        assert {body["encoding_format"] for body in asked(server)} == {"float"}


def test_no_text_is_altered(serve: Any) -> None:
    """Peer defect 27: line ends became spaces; Ollama's stripped what stands around."""
    server = serve()
    LocalMixEmbedding(base_url=server.url).get_text_embedding_batch(["  a\nb\n "])
    assert asked(server)[0]["input"] == ["  a\nb\n "]


class Busy:
    """Embed slowly, and count how many ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        threading.Event().wait(0.02)
        with self._lock:
            self._now -= 1
        embedding()(exchange)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "most"), [({"concurrency": 2}, 2), ({"concurrency": 1, "num_workers": 3}, 3)]
)
def test_requests_at_once_are_bounded(serve: Any, fields: Any, most: int) -> None:
    """Core begins all batches at once: a burst at a single local server."""
    busy = Busy()
    model = LocalMixEmbedding(base_url=serve(busy).url, embed_batch_size=4, chunk_size=1, **fields)
    texts = ["lamp"] * 24

    async def main() -> None:
        await asyncio.gather(*[model.aget_text_embedding_batch(texts) for _ in range(3)])

    asyncio.run(main())
    assert 1 < busy.most <= most


def test_a_query_does_not_wait_for_batches(serve: Any, kind: str) -> None:
    begun, answered = threading.Event(), threading.Event()

    def reply(exchange: Exchange) -> None:
        begun.set()
        if exchange.json["input"] == ["query"]:
            answered.set()
        assert answered.wait(10)
        embedding()(exchange)

    server = serve(reply)
    model = LocalMixEmbedding(model="embed", base_url=server.url)

    async def main() -> None:
        batch = asyncio.create_task(model.aget_text_embedding_batch(["a", "b"]))
        await asyncio.to_thread(begun.wait, 10)
        assert await model.aget_query_embedding("query") == vector_of("query")
        await batch

    asyncio.run(main())


def test_progress_is_shown(serve: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = LocalMixEmbedding(base_url=serve().url)
    model.get_text_embedding_batch(["lamp"], show_progress=True)
    assert "Generating embeddings" in capsys.readouterr().err


# Instructions


def test_instructions_stand_before_queries_and_texts(serve: Any) -> None:
    server = serve()
    own = LocalMixEmbedding(
        base_url=server.url, query_instruction="Search:", text_instruction="Passage:\n"
    )
    own.get_query_embedding("lamp")
    own.get_text_embedding("lamp")
    nomic = LocalMixEmbedding(base_url=server.url, instructions="nomic")
    asyncio.run(nomic.aget_query_embedding("lamp"))
    asyncio.run(nomic.aget_text_embedding_batch(["lamp"]))
    assert [body["input"] for body in asked(server)] == [
        ["Search: lamp"],
        ["Passage:\nlamp"],
        ["search_query: lamp"],
        ["search_document: lamp"],
    ]


def test_instructions_of_one_source() -> None:
    with pytest.raises(ConfigError, match="both given"):
        LocalMixEmbedding(instructions="e5", query_instruction="x")
    with pytest.raises(ConfigError, match="instructions"):
        LocalMixEmbedding(instructions="unknown")  # type: ignore[arg-type]
    assert all(before for before, _ in PRESETS.values())


# Options


def test_options_stand_where_servers_look_for_them(start: Any) -> None:
    server = start(stand_ins.ollama("embed", POST__api_embed=embedding(3)))
    LocalMixEmbedding(
        model="embed", base_url=server.url, dimensions=3, truncate=True, keep_alive=60
    ).get_text_embedding("lamp")
    body = asked(server)[0]
    assert (body["dimensions"], body["truncate"], body["keep_alive"]) == (3, True, 60.0)
    assert "options" not in body
    LocalMixEmbedding(model="embed", base_url=server.url).get_text_embedding("lamp")
    assert asked(server)[1]["truncate"] is False


def test_the_name_may_be_called_model_name() -> None:
    assert LocalMixEmbedding(model_name="embed").model == "embed"
    assert LocalMixEmbedding(model="embed").model_name == "embed"
    assert LocalMixEmbedding(model="embed", model_name="embed").to_payload()["model_name"] == (
        "embed"
    )
    with pytest.raises(ConfigError, match="model and model_name are both given"):
        LocalMixEmbedding(model="a", model_name="b")
    with pytest.raises(ConfigError, match="dimension"):
        LocalMixEmbedding(dimension=3)  # type: ignore[call-arg]


# Failures


def test_a_text_that_is_too_long_is_named_and_not_tried_again(start: Any) -> None:
    problem = {"error": "the input length exceeds the context length"}

    def reply(exchange: Exchange) -> None:
        is_long = any(len(text) > 50 for text in exchange.json["input"])
        (whole(problem, 400) if is_long else embedding())(exchange)

    server = start(stand_ins.ollama("embed", POST__api_embed=reply))
    model = LocalMixEmbedding(base_url=server.url)
    with pytest.raises(ContextLengthError, match="begins 'Once upon"):
        model.get_text_embedding_batch(["short", "Once upon a time " * 9])
    assert asked(server)[-1]["input"] == ["Once upon a time " * 9]


def test_an_empty_text_has_no_vector(serve: Any) -> None:
    with pytest.raises(ConfigError, match=r"texts\[1\] is empty"):
        LocalMixEmbedding(base_url=serve().url).get_text_embedding_batch(["a", ""])


def test_vectors_that_are_too_few_are_no_answer(serve: Any) -> None:
    data = [{"index": 0, "embedding": [1.0]}]
    reply = whole({"embeddings": [[1.0]], "data": data, "model": "embed"})
    with pytest.raises(ProtocolError, match="2 texts"):
        LocalMixEmbedding(base_url=serve(reply).url).get_text_embedding_batch(["a", "b"])


def test_a_model_that_was_changed_is_noticed(serve: Any, kind: str) -> None:
    server = serve(None, "embed", "other-embed")
    model = LocalMixEmbedding(model="embed", base_url=server.url)
    model.get_text_embedding("lamp")
    server.routes[PATHS[kind]] = embedding(7)
    with pytest.raises(ProtocolError, match="length 7; earlier ones had 4") as caught:
        model.get_text_embedding("lamp")
    assert "rebuild the index" in str(caught.value)
    other = model.model_copy(update={"model": "other-embed"})  # is not held to it
    assert len(other.get_text_embedding("lamp")) == 7


def test_it_stays_with_the_model_and_the_kind_of_its_first_answer(start: Any) -> None:
    """Vectors of two models must not meet in one index."""
    ollama = start(stand_ins.ollama("embed", POST__api_embed=embedding()))
    lmstudio = start(stand_ins.lmstudio("embed", POST__v1_embeddings=embedding()))
    model = LocalMixEmbedding(servers=[ollama.url, lmstudio.url], max_retries=0)
    model.get_text_embedding("lamp")
    assert len(asked(ollama)) == 1
    ollama.routes["POST /api/embed"] = whole({"error": "broken"}, 500)
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        with pytest.raises(Exception, match="broken|answers"):
            each.get_text_embedding("lamp")
    assert asked(lmstudio) == []


# Caches


@pytest.mark.parametrize("name", ["cache", "embeddings_cache"])
def test_a_cache_keeps_apart_what_is_not_the_same(serve: Any, kind: str, name: str) -> None:
    """Core's own gives the vector of a text for a query, and of one model for another."""
    server = serve(None, "embed", "other-embed")
    store = SimpleKVStore()

    def make(**fields: Any) -> LocalMixEmbedding:
        return LocalMixEmbedding(base_url=server.url, **{"model": "embed", name: store, **fields})

    makers: list[Any] = [
        {},
        {"query_instruction": "q"},
        {"model": "other-embed"},
    ]
    makers += [{"truncate": True}] if kind == "ollama" else []  # LM Studio cannot cut
    for fields in makers:
        model = make(**fields)
        model.get_text_embedding_batch(["lamp", "river"])
        model.get_query_embedding("lamp")
    count = len(asked(server))
    assert count == len(makers)  # a query without an instruction is a text
    for fields in makers:
        model = make(**fields)
        assert model.get_text_embedding_batch(["river", "lamp"]) == [
            vector_of("river"),
            vector_of("lamp"),
        ]
        assert asyncio.run(model.aget_text_embedding_batch(["lamp"])) == [vector_of("lamp")]
    assert len(asked(server)) == count


def test_only_what_is_not_in_the_cache_is_asked_for(serve: Any) -> None:
    server = serve()
    model = LocalMixEmbedding(base_url=server.url)
    model.embeddings_cache = SimpleKVStore()
    model.get_text_embedding_batch(["a", "b"])
    vectors = asyncio.run(model.aget_text_embedding_batch(["c", "a", "d"]))
    assert vectors == [vector_of("c"), vector_of("a"), vector_of("d")]
    assert [body["input"] for body in asked(server)] == [["a", "b"], ["c", "d"]]
    assert asyncio.run(model.aget_text_embedding("d")) == vector_of("d")
    assert model.get_text_embedding("c") == vector_of("c")
    assert len(asked(server)) == 2


# Events, limits, conveniences


def test_events_and_limits_count_once_for_each_batch(serve: Any) -> None:
    class Limiter:
        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1

        async def async_acquire(self) -> None:
            self.acquired += 1

    debug, limiter = LlamaDebugHandler(print_trace_on_end=False), Limiter()
    model = LocalMixEmbedding(
        base_url=serve().url,
        embed_batch_size=2,
        rate_limiter=limiter,
        callback_manager=CallbackManager([debug]),
    )
    model.get_text_embedding_batch(["a", "b", "c"])
    asyncio.run(model.aget_text_embedding_batch(["a", "b", "c"]))
    model.get_query_embedding("a")
    assert len(debug.get_event_pairs(CBEventType.EMBEDDING)) == 5
    assert limiter.acquired == 5


def test_loading_ahead_and_asking_where(serve: Any, kind: str) -> None:
    server = serve()
    server.routes["POST /api/show"] = whole({"capabilities": ["embedding"], "model_info": {}})
    model = LocalMixEmbedding(base_url=server.url)
    model.preload()
    asyncio.run(model.apreload())
    assert len(asked(server)) == 2
    assert model.route().model == asyncio.run(model.aroute()).model == "embed"
    assert [each.name for each in model.list_models()] == ["embed"]
    assert model.model_info().purpose == "embedding"
    with pytest.raises(ModelNotFoundError):
        model.model_copy(update={"model": "missing"}).route()


# Copies, pickles, dumps


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_every_copy_says_the_same(serve: Any, used: bool) -> None:
    """Peer defects 18 and 28: no copies after a call, timeouts lost, a closed loop."""
    server = serve()
    model = LocalMixEmbedding(
        model="embed",
        base_url=server.url,
        api_key=SecretStr(SECRET),
        first_byte_timeout=7,
        query_instruction="q",
        cache=SimpleKVStore(),
    )
    if used:
        model.get_text_embedding("lamp")
        asyncio.run(model.aget_text_embedding("lamp"))
    twins = [
        copy.copy(model),
        copy.deepcopy(model),
        model.model_copy(),
        pickle.loads(pickle.dumps(model)),
        LocalMixEmbedding.from_dict(model.to_dict()),
        LocalMixEmbedding.from_json(model.to_json()),
    ]
    for twin in twins:
        assert twin.to_dict() == model.to_dict()
        assert twin.client.settings.first_byte_timeout == 7
        assert twin.get_query_embedding("lamp") == vector_of("q lamp")
    texts = [repr(model), str(model), str(model.to_dict()), model.to_json()]
    assert SECRET not in "".join([*texts, str(model.to_payload())])
    assert SECRET.encode() not in pickle.dumps(model)
    assert json.loads(model.to_json())["class_name"] == "LocalMixEmbedding"


def test_use_changes_nothing_that_a_pipeline_hashes(serve: Any) -> None:
    model = LocalMixEmbedding(base_url=serve().url)
    before = model.to_dict()
    model.get_text_embedding("lamp")
    assert model.to_dict() == before
