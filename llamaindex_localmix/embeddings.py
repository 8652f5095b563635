"""LlamaIndex's embedding model."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import ConfigDict, model_validator

from localmix.connected import Connected


class LocalMixEmbedding(Connected, BaseEmbedding):
    """Embed texts with a model on whichever local server has it.

        from llamaindex_localmix import LocalMixEmbedding

        embed_model = LocalMixEmbedding(model="nomic-embed-text")

    Attributes:
        dimensions: Length to cut the vectors to, for models that allow it.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    dimensions: int | None = None

    @model_validator(mode="after")
    def _one_name(self) -> LocalMixEmbedding:
        """Show the model under LlamaIndex's own field as well."""
        if self.model and self.model_name == "unknown":
            object.__setattr__(self, "model_name", self.model)
        return self

    @classmethod
    def class_name(cls) -> str:
        """Name the class in serialized data."""
        return "LocalMixEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aget_text_embeddings([query]))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self.client.embed(texts, **self._options).vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return (await self.async_client.embed(texts, **self._options)).vectors

    @property
    def _options(self) -> Any:
        return {"model": self.model, "dimensions": self.dimensions}
