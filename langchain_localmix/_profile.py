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

    def known(self) -> ModelInfo | None:
        """Describe the model by what earlier requests brought."""
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
        client.listing()  # what is loaded may have changed
        self._info = client.show(_name(client.known(name), name))

    async def aread(self) -> None:
        """Ask the server now."""
        client, name = self._model.async_client, self._model.model
        await client.listing()
        self._info = await client.show(_name(client.known(name), name))

    def __getitem__(self, key: str) -> Any:
        if key in _CERTAIN:
            return _CERTAIN[key]
        if key == _WINDOW and (window := self._window):
            return window
        if self._info is None or key == _WINDOW:
            self.read()
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        if self._info is None:
            self.read()
        return iter(self._facts)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._facts})"

    @property
    def _window(self) -> int | None:
        """Give the tokens that are allocated or will be asked for, never the trained maximum."""
        if self._model.num_ctx:
            longest = self._info.context_length if self._info else None
            return min(self._model.num_ctx, longest or self._model.num_ctx)
        newest = self._model.known() or self._info
        return newest.loaded_context_length if newest else None

    @property
    def _facts(self) -> dict[str, Any]:
        """List what is known by now."""
        if self._info is None:
            return _CERTAIN
        facts = {**_CERTAIN, "name": self._info.name, _WINDOW: self._window, **_able(self._info)}
        return {key: value for key, value in facts.items() if value is not None}


def _name(known: ModelInfo | None, asked: str | None) -> str:
    if asked is None and known is None:
        raise ModelNotFoundError("No server holds a model for chat.")
    return asked or (known.name if known else "")


def _able(info: ModelInfo) -> dict[str, bool | None]:
    tools = info.can("tools")
    return {
        "tool_calling": tools,
        "tool_choice": tools,
        "tool_call_streaming": tools,
        "reasoning_output": info.can("thinking"),
        "image_inputs": info.can("vision"),
        "image_tool_message": info.can("vision"),
    }
