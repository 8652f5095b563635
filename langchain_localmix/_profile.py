"""What a model can do, looked up when somebody wants to know."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from contextlib import suppress
from typing import Any, Protocol, Self

from localmix import AsyncClient, Client, ModelInfo
from localmix.adapting.describing import window_of
from localmix.client import is_in_a_loop
from localmix.errors import LocalMixError, ModelNotFoundError

# What holds of every model, because localmix sees to it; read without asking anyone.
_CERTAIN = {
    "text_inputs": True,
    "text_outputs": True,
    "structured_output": True,  # also next to tools
    "temperature": True,
    "image_url_inputs": False,  # remote addresses are not fetched
    "pdf_inputs": False,
    "audio_inputs": False,
    "video_inputs": False,
    "image_outputs": False,
    "audio_outputs": False,
    "video_outputs": False,
}


class Described(Protocol):
    """A chat model that has a profile."""

    model: str | None
    num_ctx: int | None

    @property
    def client(self) -> Client:
        """Its client."""
        ...

    @property
    def async_client(self) -> AsyncClient:
        """Its asynchronous client."""
        ...

    def known_model(self) -> ModelInfo | None:
        """Describe the model by what earlier requests brought."""
        ...


class Profile(dict[str, Any]):
    """The profile of a model, filled whenever it is looked at.

    What nobody tells has no key. Looking asks for what is not known yet, and is silent where nobody
    answers; within an event loop nobody is asked.
    """

    def __init__(self, model: Described) -> None:
        super().__init__(_CERTAIN)
        self._model = model
        self._told: ModelInfo | None = None

    def read(self) -> None:
        """Ask the server now."""
        client, name = self._model.client, self._model.model
        client.models_by_server()  # what is loaded may have changed
        self._told = client.show(_name(client.known_model(name), name))

    async def aread(self) -> None:
        """Ask the server now."""
        client, name = self._model.async_client, self._model.model
        await client.models_by_server()
        self._told = await client.show(_name(client.known_model(name), name))

    # All ways to look into a dictionary; what is certain is told without a look.

    def __getitem__(self, key: str) -> Any:
        self._look(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Get what is known under a key."""
        self._look(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._look(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._look()
        return super().__iter__()

    def __len__(self) -> int:
        self._look()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):  # comparing two models asks nobody
            self._look()
        return super().__eq__(other)

    __hash__ = None

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """List the keys."""
        self._look()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """List the values."""
        self._look()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """List keys and values."""
        self._look()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """Give what is known now as a plain dictionary."""
        return dict(self)

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def __reduce__(self) -> Any:
        return type(self), (self._model,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a model that is copied makes its own

    def _look(self, key: object = None) -> None:
        if key in _CERTAIN:
            return
        facts = {key: value for key, value in self._facts(self._info()) if value is not None}
        super().update(facts)
        for gone in super().keys() - facts.keys() - _CERTAIN.keys():
            super().pop(gone, None)

    def _info(self) -> ModelInfo | None:
        if is_in_a_loop():
            return self._model.known_model() or self._told
        with suppress(LocalMixError):  # the request that follows will say it
            return self._model.client.look_up(self._model.model) or self._told
        return self._told

    def _facts(self, info: ModelInfo | None) -> Iterator[tuple[str, Any]]:
        yield "max_input_tokens", window_of(info, self._model.num_ctx)
        if info is None:
            return
        yield "name", info.name
        for key in ("tool_calling", "tool_choice", "tool_call_streaming"):
            yield key, info.can("tools")
        yield "reasoning_output", info.can("thinking")
        yield "image_inputs", info.can("vision")
        yield "image_tool_message", info.can("vision")


def _name(known: ModelInfo | None, asked: str | None) -> str:
    if asked is None and known is None:
        raise ModelNotFoundError("No server holds a model for chat.")
    return asked or (known.name if known else "")
