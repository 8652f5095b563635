"""LangChain's own standard suites: a recorded Ollama, an LM Studio, and whatever is there.

`Ollama` replays what a real one said, with sockets off; `make record-langchain` records it
again. `LMStudio` asks the stand-in with a real model behind it. `Auto` names no server and no model
and finds the embedded engine.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
)
from langchain_tests.unit_tests import ChatModelUnitTests, EmbeddingsUnitTests

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from tests.conftest import TINY_MODELS
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT, EMBED
from tests.replay.cassettes import CANONICAL, Recorder, Source

OLLAMA = Source(
    "ollama",
    "0.12.11-langchain",
    about="langchain-tests 1.1.9; localmix-tiny by Modelfile.go-template and a copy of it, CPU",
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)
OTHER = "localmix-other"


@pytest.mark.usefixtures("no_sockets")
class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLocalMix

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": CHAT}

    @pytest.mark.xfail(reason="core's mapping admits no other packages: see test_serialization.py")
    def test_serdes(self, model: Any, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)


@pytest.mark.usefixtures("no_sockets")
class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return LocalMixEmbeddings


class Chat(ChatModelIntegrationTests):
    """Say what localmix can do on every server."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLocalMix

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 100}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return OTHER


class RecordedOllama:
    """Play every test from its own recording."""

    @pytest.fixture(autouse=True)
    def _replayed(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        # The suite makes up ids for the calls in its few-shot examples.
        monkeypatch.setattr(uuid, "uuid4", partial(uuid.UUID, int=4))
        urls = tuple(request.config.getoption("--url") or ())
        self.url = urls[0] if urls else CANONICAL[0]
        self.recorder = Recorder(OLLAMA, _name_of(request), urls)
        if not urls:
            request.getfixturevalue("no_sockets")
        with self.recorder.running():
            yield

    @pytest.fixture
    def vcr(self, _replayed: None) -> Any:
        """Give the tape to the test that is marked for pytest-recording."""
        return self.recorder.tape


class TestOllama(RecordedOllama, Chat):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "model": CHAT, "base_url": self.url}

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @pytest.mark.xfail(reason="the tiny model does not copy Japanese when it is held to a schema")
    def test_unicode_tool_call_integration(self, model: Any) -> None:
        super().test_unicode_tool_call_integration(model)


class TestLMStudio(Chat):
    @pytest.fixture(autouse=True)
    def _served(self, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = start(LMStudio(vision=True)).url

        def get(*args: Any, **kwargs: Any) -> httpx.Response:
            return httpx.Response(200, content=PNG)

        monkeypatch.setattr(httpx, "get", get)  # the suite's pictures are on the internet

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "base_url": self.url}

    @property
    def model_override_value(self) -> str:
        return CHAT

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True


@pytest.mark.slow
class TestAuto(Chat):
    @pytest.fixture(autouse=True)
    def _alone(self, engine_alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "localmix-tiny.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
        (tmp_path / f"{OTHER}.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
        monkeypatch.setenv("LOCAL_MODELS_PATH", str(tmp_path))


class Vectors(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return LocalMixEmbeddings


class TestOllamaEmbeddings(RecordedOllama, Vectors):
    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "localmix-tiny-embed", "base_url": self.url}


class TestLMStudioEmbeddings(Vectors):
    @pytest.fixture(autouse=True)
    def _served(self, start: Any) -> None:
        self.url = start(LMStudio()).url

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": EMBED, "base_url": self.url}


@pytest.mark.slow
@pytest.mark.usefixtures("engine_alone")
class TestAutoEmbeddings(Vectors):
    pass


def _name_of(request: pytest.FixtureRequest) -> str:
    name = request.node.name.removeprefix("test_").replace("_", "-")
    return "".join(each if each.isalnum() or each == "-" else "." for each in name).strip(".")
