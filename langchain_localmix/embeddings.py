"""LangChain's embedding model."""

from __future__ import annotations

from typing import Any, ClassVar

from langchain_core.embeddings import Embeddings
from pydantic import Field, PrivateAttr

from langchain_localmix._component import STRICT, Component
from langchain_localmix._errors import model_errors
from localmix import EmbedResult, ModelInfo, Route
from localmix.pin import Pin
from localmix.types import Purpose


class LocalMixEmbeddings(Component, Embeddings):
    """Embed texts with a model on whichever local server has it.

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

    model_config = STRICT
    purpose: ClassVar[Purpose] = "embedding"

    dimensions: int | None = Field(default=None, ge=1)
    truncate: bool = False
    query_prefix: str = ""
    document_prefix: str = ""
    chunk_size: int = Field(default=128, ge=1)
    concurrency: int = Field(default=4, ge=1)
    keep_alive: float | None = None
    _pinned: Pin | None = PrivateAttr(default=None)

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

    def preload(self) -> Route | None:
        """Have the model loaded, so that the first vectors need not wait for it.

        Returns:
            Where it was loaded.
        """
        with model_errors():
            result = self.client.embed("Hi", **self._options)
            self._pin(result)
        return result.route

    async def apreload(self) -> Route | None:
        """Have the model loaded; see `preload`."""
        with model_errors():
            result = await self.async_client.embed("Hi", **self._options)
            self._pin(result)
        return result.route

    def cache_namespace(self) -> str:
        """Ask the server which model this is, and name a cache that fits no other.

            CacheBackedEmbeddings.from_bytes_store(
                embeddings, store, namespace=embeddings.cache_namespace()
            )

        Raises:
            ModelNotFoundError: No server holds it.
        """
        with model_errors():
            return self._namespace(self.client.show(self.route().model))

    async def acache_namespace(self) -> str:
        """Name a cache that fits no other model; see `cache_namespace`."""
        with model_errors():
            return self._namespace(await self.async_client.show((await self.aroute()).model))

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

    def _pin(self, result: EmbedResult) -> list[list[float]]:
        """Stay with the model of the first answer."""
        if self._known_pin:
            self._known_pin.check(result)
        else:
            self._pinned = Pin.of(self._asked, result)
        return result.vectors

    @property
    def _known_pin(self) -> Pin | None:
        """Give the pin; a copy may ask for something else than what was pinned."""
        return self._pinned if self._pinned and self._pinned.asked == self._asked else None

    @property
    def _asked(self) -> tuple[Any, ...]:
        return (self.model, self.dimensions, self._addresses)

    @property
    def _options(self) -> Any:
        return {
            "model": self._known_pin.model if self._known_pin else self.model,
            "dimensions": self.dimensions,
            "truncate": self.truncate,
            "keep_alive": self.keep_alive,
            "chunk_size": self.chunk_size,
            "concurrency": self.concurrency,
        }

    def _namespace(self, info: ModelInfo) -> str:
        """Put everything into it that a vector hangs on, and nothing of where it was made."""
        facts = (info.name, info.digest, info.quantization, self.dimensions, self.document_prefix)
        return "-".join(str(fact) for fact in facts if fact)
