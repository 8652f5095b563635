"""The embedded engine's models, with the tiny models in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localmix.embedded.engine import Engine, stop_all
from localmix.errors import ModelNotFoundError, UnsupportedFeatureError
from tests.conftest import TINY_MODELS
from tests.either import Either, MakeEither

CHAT, EMBED = "localmix-tiny", "localmix-tiny-embed"


@pytest.fixture
def client(engine_alone: None, either: MakeEither) -> Iterator[Either]:
    """Give a client that finds nothing but the embedded engine, with nothing loaded."""
    stop_all()
    yield either()
    stop_all()


@pytest.mark.slow
def test_a_model_is_loaded_and_unloaded(client: Either) -> None:
    assert client.manage("running") == []
    loaded = client.manage("load", CHAT, num_ctx=512)
    assert (loaded.loaded, loaded.loaded_context_length) == (True, 512)
    assert client.manage("running") == [loaded]
    assert client.chat("What is the capital of France?", temperature=0.0).content
    assert client.manage("load", CHAT).loaded_context_length == 512  # what is loaded is good
    assert client.manage("load", CHAT, num_ctx=1024).loaded_context_length == 1024
    (unloaded,) = client.manage("unload", CHAT)
    assert not unloaded.loaded
    assert client.manage("unload", CHAT) == []


def test_models_are_preloaded(client: Either) -> None:
    assert [model.loaded for model in client.manage("preload", CHAT, EMBED)] == [True, True]


def test_the_catalog_tells_what_the_file_says(client: Either) -> None:
    embed, chat = client.manage("models")
    assert (chat.name, embed.name, chat.loaded) == (CHAT, EMBED, False)
    (place,) = chat.places
    assert (place.quantization, place.context_length, place.kind) == ("Q8_0", 2048, "embedded")
    assert place.size_bytes == (TINY_MODELS / f"{CHAT}.gguf").stat().st_size


def test_what_the_user_does_by_hand(client: Either) -> None:
    with pytest.raises(UnsupportedFeatureError, match=f"Delete the file .*{CHAT}.gguf"):
        client.manage("delete", CHAT)
    with pytest.raises(UnsupportedFeatureError, match=r"Copy or link the file .* to second.gguf"):
        client.manage("copy", CHAT, "second")
    with pytest.raises(UnsupportedFeatureError, match=r"Download a .gguf file into .*tiny-model"):
        client.pull("qwen3:8b")
    with pytest.raises(UnsupportedFeatureError, match="cannot unload a model after a time"):
        client.manage("load", CHAT, keep_alive=60)
    assert client.manage("load", CHAT, keep_alive=-1).loaded


def test_a_file_that_is_gone_need_not_be_stopped() -> None:
    Engine((TINY_MODELS,)).stop("gone")
    assert not any(model.loaded for model in Engine((TINY_MODELS,)).models())


def test_a_model_that_nobody_has(client: Either) -> None:
    for method in ("load", "unload", "delete"):
        with pytest.raises(ModelNotFoundError, match="'none'"):
            client.manage(method, "none")
