"""LangChain's embedding model."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Unpack

from langchain_core.embeddings import Embeddings

from langchain_localmix._arguments import EmbeddingsArguments
from langchain_localmix._component import STRICT, Component
from langchain_localmix._errors import model_errors
from localmix import ModelInfo, Route
from localmix.adapting.connected import Embedding
from localmix.types.arguments import Names
from localmix.types.peers import names_of_embedding_peers
from localmix.wire import jsontext


class LocalMixEmbeddings(Component, Embedding, Embeddings):
    """An embedding model on whichever local server has the model.

    The first answer pins the object to its model and kind of server: vectors of two models must
    not meet in one index. Several servers that hold the same model may share the work.

    Setup:
        Install `localmix[langchain]`, and run Ollama or LM Studio. Nothing else need be set.

    Key init args:
        `model` (without it: the best embedding model there is), `dimensions`, `truncate`,
        `query_prefix`, `document_prefix`, `chunk_size`, `concurrency`, `keep_alive`, and where to
        ask: `servers` or `base_url`, `prefer`, `api_key`, `timeout`, or `client=`.

    Instantiate:
        ```python
        from langchain_localmix import LocalMixEmbeddings

        embeddings = LocalMixEmbeddings(model="nomic-embed-text")
        ```

    Embed single text:
        ```python
        embeddings.embed_query("Who designed the red bridge?")
        ```

    Embed multiple texts:
        ```python
        embeddings.embed_documents(["Mira Okafor designed the red bridge.", "..."])
        ```

    Async:
        ```python
        await embeddings.aembed_query("Who designed the red bridge?")
        ```

    Attributes:
        dimensions: Length to cut the vectors to, for models that allow it.
        truncate: Whether a text that is too long may be cut; otherwise it is an error.
        query_prefix: Text to put before a query, as the model's card has it; nothing is added.
        document_prefix: Text to put before a document.
        chunk_size: The most texts to send in one request.
        concurrency: The most requests to have on their way at once.
        keep_alive: Seconds the server should keep the model loaded afterwards.
    """

    also_called: ClassVar[Names] = names_of_embedding_peers()
    model_config = STRICT

    query_prefix: str = ""
    document_prefix: str = ""

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[EmbeddingsArguments]) -> None: ...

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order.

        Raises:
            ContextLengthError: A text is too long for the model; the error tells which.
            ConfigError: A text is empty.
            LocalMixError: See `localmix.errors`.
        """
        return self._embed([self.document_prefix + text for text in texts])

    def embed_query(self, text: str) -> list[float]:
        """Embed one text as a query; see `embed_documents`."""
        return self._embed([self.query_prefix + text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order; see `embed_documents`."""
        return await self._aembed([self.document_prefix + text for text in texts])

    async def aembed_query(self, text: str) -> list[float]:
        """Embed one text as a query; see `embed_documents`."""
        return (await self._aembed([self.query_prefix + text]))[0]

    def cache_namespace(self) -> str:
        """Ask the server which model this is, and name a cache that fits no other.

            CacheBackedEmbeddings.from_bytes_store(
                embeddings, store, namespace=embeddings.cache_namespace()
            )

        It is made of letters, digits, `_`, `.` and `-`, as files need it. If there are prefixes,
        leave that class's `query_embedding_cache` off: it does not tell queries from documents.

        Raises:
            ModelNotFoundError: No server holds it.
        """
        with model_errors():
            pin = self._known_pin
            return self._namespace(self.client.show(pin.model if pin else _at(self.route())))

    async def acache_namespace(self) -> str:
        """Name a cache that fits no other model; see `cache_namespace`."""
        with model_errors():
            pin = self._known_pin
            name = pin.model if pin else _at(await self.aroute())
            return self._namespace(await self.async_client.show(name))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if not texts:
            return []
        with model_errors():
            return self._pin(self.client.embed(texts, **self._options))

    async def _aembed(self, texts: list[str]) -> list[list[float]]:
        if not texts:
            return []
        with model_errors():
            return self._pin(await self.async_client.embed(texts, **self._options))

    def _namespace(self, info: ModelInfo) -> str:
        """Put everything into it that a vector hangs on, and nothing of where it was made."""
        facts = [info.digest, info.quantization, self.dimensions, self.document_prefix]
        told = jsontext.text([info.name, *facts]).encode()
        readable = re.sub(r"[^A-Za-z0-9_.-]", "_", info.name)
        return f"{readable}-{sha256(told).hexdigest()[:16]}-"


def _at(route: Route) -> str:
    return f"{route.server.kind}/{route.model}"
