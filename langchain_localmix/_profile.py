"""What a model can do, asked of its server when somebody wants to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from localmix import AsyncClient, Client, ModelInfo
from localmix.errors import ModelNotFoundError

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

_WINDOW = "max_input_tokens"


class Described(Protocol):
    """Be a chat model that has a profile."""

    model: str | None
    num_ctx: int | None

    @property
    def client(self) -> Client:
        """Give its client."""
        ...

    @property
    def async_client(self) -> AsyncClient:
        """Give its asynchronous client."""
        ...


class Profile(Mapping[str, Any]):
    """Read the profile of a model when it is looked at, not before.

    What the server does not say has no key. How large the window is, most say only of a model that
    is loaded: until then each look at it asks again.
    """

    def __init__(self, model: Described) -> None:
        self._model = model
        self._info: ModelInfo | None = None

    def read(self) -> None:
        """Ask the server now."""
        client, name = self._model.client, self._model.model
        client.models()  # what is loaded may have changed
        self._info = client.show(_name(client.known(name), name))

    async def aread(self) -> None:
        """Ask the server now."""
        client, name = self._model.async_client, self._model.model
        await client.models()
        self._info = await client.show(_name(client.known(name), name))

    def __getitem__(self, key: str) -> Any:
        if key in _CERTAIN:
            return _CERTAIN[key]
        facts = self._facts()
        if key == _WINDOW and key not in facts:
            self.read()  # the model may have been loaded since
            facts = self._facts()
        return facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts())

    def __len__(self) -> int:
        return len(self._facts())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        known = _CERTAIN if self._info is None else _facts(self._info, self._model.num_ctx)
        return f"{type(self).__name__}({known})"

    def _facts(self) -> dict[str, Any]:
        if self._info is None:
            self.read()
        return _facts(self._info, self._model.num_ctx) if self._info else {}


def _name(known: ModelInfo | None, asked: str | None) -> str:
    if asked is None and known is None:
        raise ModelNotFoundError("No server holds a model for chat.")
    return asked or (known.name if known else "")


def _facts(info: ModelInfo, num_ctx: int | None) -> dict[str, Any]:
    facts = {**_CERTAIN, "name": info.name, _WINDOW: _window(info, num_ctx)}
    able = info.capabilities
    if able is not None:
        facts["tool_calling"] = "tools" in able
        facts["tool_choice"] = facts["tool_call_streaming"] = "tools" in able
        facts["reasoning_output"] = "thinking" in able
        facts["image_inputs"] = "vision" in able
    return {key: value for key, value in facts.items() if value is not None}


def _window(info: ModelInfo, num_ctx: int | None) -> int | None:
    """Give the tokens that are allocated or will be asked for, never just the trained maximum."""
    if num_ctx is None:
        return info.loaded_context_length
    return min(num_ctx, info.context_length or num_ctx)
