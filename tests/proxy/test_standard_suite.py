"""LangChain's standard suites by its own `ChatOllama`, with LM Studio alone behind the proxy."""

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

from tests.lmstudio.server import CHAT, EMBED
from tests.proxy.behind import Front, lmstudio

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


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with lmstudio() as running:
        yield running


class TestChatOllama(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _served(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = front.url

        def get(*args: Any, **kwargs: Any) -> httpx.Response:
            return httpx.Response(200, content=PNG)

        monkeypatch.setattr(httpx, "get", get)  # the suite's pictures are on the internet

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOllama

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": CHAT, "base_url": self.url, "temperature": 0, "num_predict": 100}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def has_tool_choice(self) -> bool:
        return False

    @property
    def supports_image_inputs(self) -> bool:
        return True


class TestOllamaEmbeddings(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def _served(self, front: Front) -> None:
        self.url = front.url

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return OllamaEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": EMBED, "base_url": self.url}
