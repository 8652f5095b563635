"""LlamaIndex's embedding model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.storage.kvstore.types import BaseKVStore
from pydantic import ConfigDict, Field, PrivateAttr, model_validator

from llamaindex_localmix._arguments import EmbedModelArguments
from llamaindex_localmix._component import Component
from llamaindex_localmix._instructions import PRESETS, Family, prefix_of
from llamaindex_localmix._slots import Slots
from localmix.adapting.connected import Embedding
from localmix.errors import ConfigError
from localmix.types.arguments import Names
from localmix.types.names import canonical, split_pin
from localmix.types.peers import names_of_embedding_peers
from localmix.wire import jsontext

Vectors = list[list[float]]
_COLLECTION = "embeddings"


class LocalMixEmbedding(Component, Embedding, BaseEmbedding):
    """An embedding model on whichever local server has the model.

        from llamaindex_localmix import LocalMixEmbedding

        embed_model = LocalMixEmbedding(model="nomic-embed-text", instructions="nomic")

    The first answer pins the object to its model and kind of server: vectors of two models must
    not meet in one index. Texts are sent as they are.

    Attributes:
        model: Name of the model; `model_name` means the same.
        instructions: Prefixes that a family of models was trained with, as its model card has them.
        query_instruction: Words to put before a query, with a space between.
        text_instruction: Words to put before a text that is stored, with a space between.
        dimensions: Length to cut the vectors to, for models that allow it.
        truncate: Whether a text that is too long may be cut; otherwise it is an error.
        keep_alive: Seconds the server should keep the model loaded afterwards.
        embed_batch_size: Texts that LlamaIndex hands over at a time: one event, one step of its
            progress bar.
        chunk_size: The most texts in one request.
        concurrency: The most requests on their way at once.
        num_workers: Batches that are worked on at once in asynchronous use; 1 unless it is set.
            Queries never wait for a batch.
        cache: A store for vectors, so that no text is embedded twice; `embeddings_cache` means the
            same. Models, dimensions and instructions are kept apart in it.
    """

    also_called: ClassVar[Names] = names_of_embedding_peers()
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    instructions: Family | None = None
    query_instruction: str | None = None
    text_instruction: str | None = None
    embed_batch_size: int = Field(default=512, gt=0, le=2048)
    cache: BaseKVStore | None = Field(default=None, exclude=True, repr=False)
    _slots: Slots = PrivateAttr(default_factory=Slots)

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[EmbedModelArguments]) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _other_names(cls, given: Any) -> Any:
        """Take the names that other integrations use.

        Core's own cache has the bare text for a key, so that two models, or a query and a text,
        would get each other's vectors: its field stays empty.
        """
        said = dict(given)
        for other, own in (("model_name", "model"), ("embeddings_cache", "cache")):
            value = said.pop(other, None)
            if value is None or value == "unknown":
                continue
            if said.get(own) not in (None, value):
                raise ConfigError(
                    f"{own} and {other} are both given.", hint="Pass only one of them."
                )
            said[own] = value
        return said | {"model_name": said.get("model") or "unknown"}

    @model_validator(mode="after")
    def _one_source_of_instructions(self) -> Self:
        if self.instructions and (self.query_instruction or self.text_instruction):
            raise ConfigError(
                "instructions and an instruction of your own are both given.",
                hint="Give the family, or the two instructions.",
            )
        return self

    @classmethod
    def class_name(cls) -> str:
        """Name the class in serialized data."""
        return "LocalMixEmbedding"

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__("cache" if name == "embeddings_cache" else name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Take the pin along: the workers of a pipeline must embed with one model."""
        return {**super().__getstate__(), "pinned": self._pinned}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._pinned = state["pinned"]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors([self._prefixes[0] + query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._avectors([self._prefixes[0] + query]))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> Vectors:
        return self._vectors([self._prefixes[1] + text for text in texts])

    async def _aget_text_embeddings(self, texts: list[str]) -> Vectors:
        # Core begins all batches at once.
        async with self._slots.of(self.num_workers or 1):
            return await self._avectors([self._prefixes[1] + text for text in texts])

    def _vectors(self, texts: list[str]) -> Vectors:
        """Embed what is not in the cache."""
        if self.cache is None:
            return self._pin(self.client.embed(texts, **self._options))
        held = [self.cache.get(self._key(text), _COLLECTION) for text in texts]
        fresh = self._pin(self.client.embed(_missing(texts, held), **self._options))
        for text, vector in zip(_missing(texts, held), fresh, strict=True):
            self.cache.put(self._key(text), {"vector": vector}, _COLLECTION)
        return _joined(held, fresh)

    async def _avectors(self, texts: list[str]) -> Vectors:
        """Embed what is not in the cache."""
        if self.cache is None:
            return self._pin(await self.async_client.embed(texts, **self._options))
        held = [await self.cache.aget(self._key(text), _COLLECTION) for text in texts]
        missing = _missing(texts, held)
        fresh = self._pin(await self.async_client.embed(missing, **self._options))
        for text, vector in zip(_missing(texts, held), fresh, strict=True):
            await self.cache.aput(self._key(text), {"vector": vector}, _COLLECTION)
        return _joined(held, fresh)

    @property
    def _prefixes(self) -> tuple[str, str]:
        """What stands before a query and before a text."""
        if self.instructions:
            return PRESETS[self.instructions]
        return prefix_of(self.query_instruction), prefix_of(self.text_instruction)

    def _key(self, text: str) -> str:
        """Name a vector by all that it hangs on; the text has its instruction before it.

        A model without a name is known from the first answer on; before that nothing is found.
        """
        name = self.model or (self._known_pin.model if self._known_pin else "")
        return jsontext.text([canonical(split_pin(name)[1]), self.dimensions, self.truncate, text])


def _missing(texts: Sequence[str], held: Sequence[Any]) -> list[str]:
    return [text for text, hit in zip(texts, held, strict=True) if hit is None]


def _joined(held: Sequence[Any], fresh: Vectors) -> Vectors:
    rest = iter(fresh)
    return [next(rest) if hit is None else hit["vector"] for hit in held]
