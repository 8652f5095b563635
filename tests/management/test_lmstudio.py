"""LM Studio's models, on the stand-in that follows its documentation and public recordings."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import (
    AuthenticationError,
    ConfigError,
    DownloadError,
    ModelNotFoundError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from tests.either import MakeEither
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT, EMBED
from tests.loopback import Exchange
from tests.management.conftest import Start


def loads(server: Any) -> int:
    return int(server.count("POST /api/v1/models/load"))


def test_a_model_is_loaded_as_ordered_and_once(either: MakeEither, start: Start) -> None:
    server = start(LMStudio())
    client = either(server.url)
    loaded = client.manage("load", CHAT, num_ctx=1024)
    assert (loaded.loaded, loaded.loaded_context_length) == (True, 1024)
    client.manage("load", CHAT)
    client.manage("load", CHAT, num_ctx=1024, keep_alive=-1)
    assert loads(server) == 1  # LM Studio would load a second copy
    assert client.manage("load", CHAT, num_ctx=512).loaded_context_length == 512
    assert loads(server) == 2
    assert len(client.manage("running")[0].aliases) == 1


def test_every_instance_is_unloaded(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(loaded={CHAT: CHAT, "my-tiny": CHAT, EMBED: EMBED}))
    client = either(server.url)
    (unloaded,) = client.manage("unload", CHAT)
    assert not unloaded.loaded
    assert [model.name for model in client.manage("running")] == [EMBED]
    assert client.manage("unload", CHAT) == []


def test_how_long_to_stay_is_told_by_a_request(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(loaded={CHAT: CHAT}))
    client = either(server.url)
    assert client.manage("load", CHAT, keep_alive="1m30s").loaded
    assert client.manage("load", EMBED, keep_alive=60).loaded
    assert loads(server) == 0
    assert server.last("POST /v1/chat/completions").json["ttl"] == 90
    assert server.last("POST /v1/embeddings").json["ttl"] == 60
    with pytest.raises(UnsupportedFeatureError, match="--context-length 512 --ttl 60"):
        client.manage("load", CHAT, keep_alive=60, num_ctx=512)
    assert client.manage("running")[0].loaded  # what is refused changes nothing


def test_0_3_loads_by_a_request_and_no_more(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(generation="0.3"))
    client = either(server.url)
    with pytest.raises(UnsupportedFeatureError, match=f"Run: lms load {CHAT} --context-length 512"):
        client.manage("load", CHAT, num_ctx=512)
    assert client.manage("load", CHAT).loaded
    assert client.manage("load", EMBED).loaded
    assert "ttl" not in server.last("POST /v1/chat/completions").json
    with pytest.raises(UnsupportedFeatureError, match=f"Run: lms unload {CHAT}"):
        client.manage("unload", CHAT)
    with pytest.raises(UnsupportedFeatureError, match="Run: lms get new/model"):
        client.pull("new/model")


def test_what_no_version_can(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio()).url)
    with pytest.raises(UnsupportedFeatureError, match="My Models"):
        client.manage("delete", CHAT)
    with pytest.raises(UnsupportedFeatureError, match=f"Run: lms load {CHAT} --identifier second"):
        client.manage("copy", CHAT, "second")
    with pytest.raises(UnsupportedFeatureError, match="insecure"):
        client.pull("new/model", insecure=True)


def test_orders_that_make_no_sense(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio()).url)
    with pytest.raises(ConfigError, match=r"Call unload\(\)"):
        client.manage("load", CHAT, keep_alive=0)
    with pytest.raises(ConfigError, match="num_ctx"):
        client.manage("preload", CHAT, num_ctx=0)
    with pytest.raises(UnsupportedFeatureError, match="at most 2048"):
        client.manage("load", CHAT, num_ctx=4096)


def test_a_download_is_watched(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(catalogue={"new/model": 100}))
    steps = either(server.url).pull("new/model")
    assert [(step.status, step.completed, step.total) for step in steps] == [
        ("downloading", 0, 100),
        ("downloading", 25, 100),
        ("downloading", 50, 100),
        ("downloading", 75, 100),
        ("finishing", 100, 100),
        ("done", 100, 100),
    ]


def test_a_download_is_watched_on_after_a_break(either: MakeEither, start: Start) -> None:
    class Leaving(LMStudio):
        """Hang up once, at the third look."""

        def respond(self, exchange: Exchange) -> None:
            looks = [each for each in self.requests if "/status/" in each.path]
            if exchange in looks and len(looks) == 3:
                exchange.connection.close()
            else:
                super().respond(exchange)

    server = start(Leaving(catalogue={"new/model": 100}))
    steps = either(server.url).pull("new/model")
    assert (steps[-1].status, steps[-1].breaks) == ("done", 1)
    assert server.count("POST /api/v1/models/download") == 2


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("new/model", "failed", DownloadError),
        ("none", "", ModelNotFoundError),
    ],
)
def test_a_download_that_fails(
    either: MakeEither, start: Start, name: str, status: str, error: type[Exception]
) -> None:
    server = start(LMStudio(catalogue={"new/model": 100}, download_status=status))
    with pytest.raises(error):
        either(server.url).pull(name)


def test_a_download_that_is_paused_is_waited_for(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(catalogue={"new/model": 100}, download_status="paused"))
    steps = either(server.url).pull("new/model", at_most=3)
    assert [step.status for step in steps] == ["downloading", "paused", "paused"]


def test_a_token_is_wanted_here_too(either: MakeEither, start: Start) -> None:
    server = LMStudio()
    client = either(start(server).url)
    client.models_by_server()
    server.token = "new"
    with pytest.raises((AuthenticationError, ModelNotFoundError, StreamInterruptedError)):
        client.manage("load", CHAT)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_many_load_a_model_once(start: Start, colour: str) -> None:
    """Requests for a model that is not loaded would each load a copy (bug-tracker 1751)."""
    server = start(LMStudio())
    if colour == "async":
        _load_in_tasks(server.url)
    else:
        _load_in_threads(server.url)
    assert loads(server) == 1


def _load_in_threads(url: str) -> None:
    with Client(url) as client:
        threads = [threading.Thread(target=client.load, args=(CHAT,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _load_in_tasks(url: str) -> None:
    import asyncio

    async def main() -> None:
        async with AsyncClient(url) as client:
            await asyncio.gather(*(client.load(CHAT) for _ in range(4)))

    asyncio.run(main())


def test_models_are_preloaded_side_by_side(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio()).url)
    assert [model.name for model in client.manage("preload", CHAT, EMBED)] == [CHAT, EMBED]
    assert len(client.manage("running")) == 2
    (usual,) = client.manage("preload")
    assert usual.name == CHAT


def test_a_name_that_its_catalogue_does_not_have(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(catalogue={"new/model": 100}))
    with pytest.raises(ModelNotFoundError, match=r"lmstudio\.ai/models"):
        either(server.url).pull("new/modle")
