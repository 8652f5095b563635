"""LangChain's embedding model."""

from __future__ import annotations

from langchain_core.embeddings import Embeddings
from pydantic import ConfigDict, Field

from localmix.connected import Connected


class LocalMixEmbeddings(Connected, Embeddings):
    """Embed texts with a model on whichever local server has it.

    Instantiate:
        ```python
        from langchain_localmix import LocalMixEmbeddings

        embeddings = LocalMixEmbeddings(model="nomic-embed-text")
        ```

    Attributes:
        dimensions: Length to cut the vectors to, for models that allow it.
        chunk_size: The most texts to send in one request.
    """

    model_config = ConfigDict(extra="forbid")

    dimensions: int | None = None
    chunk_size: int = Field(default=128, ge=1)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order."""
        return [
            vector
            for chunk in self._chunks(texts)
            for vector in self.client.embed(
                chunk, model=self.model, dimensions=self.dimensions
            ).vectors
        ]

    def embed_query(self, text: str) -> list[float]:
        """Embed one text."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order."""
        return [
            vector
            for chunk in self._chunks(texts)
            for vector in (
                await self.async_client.embed(chunk, model=self.model, dimensions=self.dimensions)
            ).vectors
        ]

    async def aembed_query(self, text: str) -> list[float]:
        """Embed one text."""
        return (await self.aembed_documents([text]))[0]

    def _chunks(self, texts: list[str]) -> list[list[str]]:
        size = self.chunk_size
        return [texts[start : start + size] for start in range(0, len(texts), size)]
