"""LangChain's standard suites by its own `ChatOllama`, in front of all that can stand there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
)

from tests.conftest import leave_only_the_engine
from tests.proxy.behind import BEHIND, Front

# The clients cannot be closed, and leave their sockets to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("unclosed_clients"),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    ),
]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)


# What was recorded answers whatever is asked, so it shows shapes, and no call of a tool.
LIVING = ["lmstudio", pytest.param("embedded", marks=pytest.mark.exhaustive)]
RECORDED = ["ollama-0.12.11", "ollama-0.33.0-rc2", "dying"]


@pytest.fixture(scope="class")
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "embedded":
            leave_only_the_engine(patch)
        with BEHIND[request.param]() as running:
            yield running


@pytest.mark.parametrize("front", LIVING, indirect=True)
class TestChatOllama(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _served(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        self.front = front

        def get(*args: Any, **kwargs: Any) -> httpx.Response:
            return httpx.Response(200, content=PNG)

        monkeypatch.setattr(httpx, "get", get)  # the suite's pictures are on the internet

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOllama

    @property
    def chat_model_params(self) -> dict[str, Any]:
        base = {"model": self.front.chat, "base_url": self.front.url}
        return {**base, "temperature": 0, "num_predict": 100}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def has_tool_choice(self) -> bool:
        return False

    @property
    def supports_image_inputs(self) -> bool:
        return self.front.sees


@pytest.mark.exhaustive
@pytest.mark.parametrize("front", RECORDED, indirect=True)
class TestChatOllamaOnRecordings(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _served(self, front: Front) -> None:
        self.front = front

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOllama

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.front.chat, "base_url": self.front.url}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


@pytest.mark.parametrize("front", LIVING, indirect=True)
class TestOllamaEmbeddings(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def _served(self, front: Front) -> None:
        self.front = front

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return OllamaEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": self.front.embed, "base_url": self.front.url}
