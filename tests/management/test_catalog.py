"""Models of several servers: joined where that is sound, found, pinned."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from localmix.errors import (
    ConfigError,
    ModelChangedError,
    ModelNotFoundError,
    NoServerError,
    TimedOutError,
    UnsupportedFeatureError,
)
from localmix.servers import MEMORY
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, LoopbackServer, whole
from tests.management.conftest import Start

DIGEST = "81fbd01b23a85376"  # of every model of the stand-in
DONE = whole({"done": True, "done_reason": "load"})


def test_one_model_on_two_servers_is_listed_once(either: MakeEither, start: Start) -> None:
    ollama = start(stand_ins.ollama("qwen3:4b", "qwen3:8b", loaded=("qwen3:8b",)))
    lmstudio = start(stand_ins.lmstudio("qwen3-4b-2507", "qwen/qwen3-8b"))
    models = either([ollama.url, lmstudio.url]).manage("models")
    found = {model.name: [place.server for place in model.places] for model in models}
    # LM Studio's stand-in says 4B of every model: it is not joined with one of 8 billion.
    assert found["qwen3:8b"][0] == ollama.url
    assert sum(map(len, found.values())) == 4
    assert [model.loaded for model in models] == [model.name == "qwen3:8b" for model in models]


def test_the_same_name_is_the_same_model(either: MakeEither, start: Start) -> None:
    servers = [start(stand_ins.ollama("tiny:latest")), start(stand_ins.ollama("tiny:latest"))]
    (model,) = either([server.url for server in servers]).manage("models")
    assert [place.server for place in model.places] == [server.url for server in servers]


def test_what_ollama_cannot_show_is_listed_all_the_same(either: MakeEither, start: Start) -> None:
    shown = {"capabilities": ["completion", "tools"], "model_info": {}}
    showing = start(stand_ins.ollama("tiny:latest", POST__api_show=whole(shown)))
    (model,) = either(showing.url).manage("models")
    assert model.places[0].capabilities == frozenset({"tools"})
    silent = start(stand_ins.ollama("tiny:latest"))
    (model,) = either(silent.url).manage("models")
    assert model.places[0].capabilities is None


def test_nobody_there(either: MakeEither) -> None:
    for method, *names in (("models",), ("running",), ("unload", "x"), ("load", "x")):
        with pytest.raises(NoServerError):
            either("http://127.0.0.1:9").manage(method, *names)


def test_who_is_to_be_deleted_must_be_clear(either: MakeEither, start: Start) -> None:
    gone = whole(b"", content_type="text/plain")
    one = start(stand_ins.ollama("tiny:latest", DELETE__api_delete=gone))
    two = start(stand_ins.ollama("tiny:latest", DELETE__api_delete=gone))
    client = either([one.url, two.url])
    with pytest.raises(ConfigError, match=r"on 2 servers. Name one: 127.0.0.1:\d+/tiny:latest"):
        client.manage("delete", "tiny")
    assert client.manage("delete", f"{two.url.removeprefix('http://')}/tiny").server == two.url
    assert (one.count("DELETE /api/delete"), two.count("DELETE /api/delete")) == (0, 1)


def test_a_server_that_forgets_a_model(either: MakeEither, start: Start) -> None:
    """It said that it copied, but there is no copy."""
    server = start(stand_ins.ollama(POST__api_copy=whole(b"", content_type="text/plain")))
    with pytest.raises(ModelNotFoundError, match="second is no longer at"):
        either(server.url).manage("copy", "tiny", "second")


def test_a_server_of_one_model_keeps_it(either: MakeEither, start: Start) -> None:
    client = either(start(stand_ins.openai()).url)
    assert client.manage("load", "tiny", keep_alive=-1).loaded
    with pytest.raises(UnsupportedFeatureError, match="cannot unload a model after a time"):
        client.manage("load", "tiny", keep_alive="1m")
    with pytest.raises(ConfigError, match="Wrong keep_alive: it is not a duration"):
        client.manage("load", "tiny", keep_alive="soon")


def test_a_copy_that_is_refused(either: MakeEither, start: Start) -> None:
    refused = whole({"error": 'model "tiny" not found'}, 404)
    server = start(stand_ins.ollama(POST__api_copy=refused))
    with pytest.raises(ModelNotFoundError, match="not found"):
        either(server.url).manage("copy", "tiny", "second")


@pytest.mark.parametrize("pin", [DIGEST[:12], f"sha256:{DIGEST}"])
def test_a_pinned_model_is_used(either: MakeEither, start: Start, pin: str) -> None:
    server = start(stand_ins.ollama(POST__api_generate=DONE))
    client = either(server.url, digests={"tiny": pin})
    assert client.chat("Hello", model="tiny").content == "Hi."
    assert client.manage("load", "tiny").name == "tiny:latest"


def test_a_changed_model_is_refused(either: MakeEither, start: Start) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, digests={"tiny": "0" * 12})
    for ask in (lambda: client.chat("Hello"), lambda: client.manage("load", "tiny")):
        with pytest.raises(ModelChangedError, match="digest 81fbd01b23a8; it is pinned to 0000"):
            ask()
    assert client.embed("river", model="embed").vectors  # another model is not concerned


def test_another_server_has_the_pinned_model(either: MakeEither, start: Start) -> None:
    """A server that tells no digest cannot be trusted with a model that is pinned."""
    blind = start(stand_ins.lmstudio("tiny"))
    sure = start(stand_ins.ollama("tiny:latest"))
    client = either([blind.url, sure.url], digests={"tiny": DIGEST})
    assert client.chat("Hello", model="tiny").route.server.url == sure.url  # type: ignore[union-attr]
    alone = either(blind.url, digests={"tiny": DIGEST})
    with pytest.raises(ModelChangedError, match="has no digest to check"):
        alone.chat("Hello", model="tiny")


def test_a_pin_that_is_no_digest(either: MakeEither) -> None:
    with pytest.raises(ConfigError, match=r"Wrong digests\.tiny"):
        either(digests={"tiny": "latest"})


def test_patience_with_another_load_ends(either: MakeEither, start: Start) -> None:
    server = start(stand_ins.ollama(POST__api_generate=DONE))
    vitals = MEMORY.vitals(server.url)
    assert vitals.begin_loading("tiny:latest") is None  # somebody else
    with pytest.raises(TimedOutError, match="still loading tiny:latest for another request"):
        either(server.url, first_byte_timeout=0.1).manage("load", "tiny")
    assert server.count("POST /api/generate") == 0
    vitals.end_loading("tiny:latest")
    assert either(server.url).manage("load", "tiny")


def test_a_load_that_fails_lets_the_next_one_try(either: MakeEither, start: Start) -> None:
    broken = whole({"error": "model requires more system memory"}, 500)
    server = start(stand_ins.ollama(POST__api_generate=broken))
    client = either(server.url)
    for _ in range(2):
        with pytest.raises(Exception, match="more system memory"):
            client.manage("load", "tiny")
    assert server.count("POST /api/generate") == 2


@pytest.mark.parametrize("window", [None, 1024, 2048])
def test_requests_ask_for_the_window_that_was_loaded(
    either: MakeEither, start: Start, window: int | None
) -> None:
    """Any other would make Ollama load the model anew; 2048 is all that it was trained for."""
    loaded: list[dict[str, Any]] = []

    def load(exchange: Exchange) -> None:
        given = exchange.json.get("options", {}).get("num_ctx", 2048)
        about = {"name": "tiny:latest", "digest": DIGEST, "context_length": given}
        loaded.append(about)
        DONE(exchange)

    def running(exchange: Exchange) -> None:
        whole({"models": loaded[-1:]})(exchange)

    server = stand_ins.ollama("tiny:latest", POST__api_generate=load)
    server.routes["GET /api/ps"] = running
    client = either(start(server).url)
    for _ in range(2):
        assert client.manage("load", "tiny", num_ctx=window).loaded_context_length == (
            window or 2048
        )
    client.manage("load", "tiny")
    client.chat("Hello")
    asked = [
        server.last(f"POST /api/{path}").json.get("options", {}) for path in ("generate", "chat")
    ]
    assert asked == [{"num_ctx": window} if window else {}] * 2


def test_an_older_answer_does_not_hide_what_changed(either: MakeEither, start: Start) -> None:
    """A listing that began before a model was loaded is not taken for the one after it."""
    slow, is_loaded = threading.Event(), threading.Event()

    def load(exchange: Exchange) -> None:
        is_loaded.set()
        DONE(exchange)

    def running(exchange: Exchange) -> None:
        entry: dict[str, Any] = {"name": "tiny:latest", "digest": DIGEST, "context_length": 4096}
        said = {"models": [entry] if is_loaded.is_set() else []}
        if slow.is_set():
            slow.clear()
            threading.Event().wait(0.2)
        whole(said)(exchange)

    server = start(
        LoopbackServer(
            stand_ins.ollama("tiny:latest").routes
            | {"GET /api/ps": running, "POST /api/generate": load}
        )
    )
    client = either(server.url, refresh_after=0)
    client.models_by_server()
    slow.set()
    assert client.manage("load", "tiny").loaded
