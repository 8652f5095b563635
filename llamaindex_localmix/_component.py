"""What the LLM and the embedding model have in common inside LlamaIndex."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, ClassVar, Self

from llama_index.core.schema import BaseComponent
from pydantic import PrivateAttr

from localmix import ModelInfo
from localmix.adapting.connected import Connected
from localmix.adapting.names import Names
from localmix.adapting.peers import names_of_peers
from localmix.errors import ModelNotFoundError


class Component(Connected, BaseComponent):
    """Ask about servers and models, and be copied and pickled without harm."""

    also_called: ClassVar[Names] = names_of_peers("think")

    # What was asked for, and what was told; a copy may ask for another model.
    _told: tuple[Any, ModelInfo] | None = PrivateAttr(default=None)

    def model_info(self) -> ModelInfo:
        """Describe the model as fully as its server can, asked now.

        Raises:
            NoServerError: No server answered.
            ModelNotFoundError: No server holds it.
        """
        self.client.listing()
        return self._note(self.client.show(self._name()))

    async def amodel_info(self) -> ModelInfo:
        """Describe the model as fully as its server can, asked now; see `model_info`."""
        await self.async_client.listing()
        return self._note(await self.async_client.show(self._name()))

    def _name(self) -> str:
        """Name the model, or the one that a request without a name would go to."""
        known = self.model or self.known()
        if not known:
            raise ModelNotFoundError(f"No server holds a model for {self.purpose}.")
        return known if isinstance(known, str) else known.name

    def _note(self, told: ModelInfo) -> ModelInfo:
        self._told = ((self.model, self._made_of), told)
        return told

    @property
    def _about(self) -> ModelInfo | None:
        """Give what is known of the model, without asking: what was told, and what is newer."""
        listed = self.known()
        if self._told is None or self._told[0] != (self.model, self._made_of):
            return listed
        told = self._told[1]
        window = (listed and listed.loaded_context_length) or told.loaded_context_length
        return replace(told, loaded_context_length=window)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle a copy: core deletes from the live object what cannot be pickled."""
        state: dict[str, Any] = super(Component, self.model_copy()).__getstate__()
        return state

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy what is data; callbacks, limiters, caches and connections are shared."""
        fields = type(self).model_fields
        data = {
            name: copy.deepcopy(value, memo)
            for name, value in self.__dict__.items()
            if isinstance(value, dict | list) and not fields[name].exclude
        }
        return self.model_copy(update=data)
