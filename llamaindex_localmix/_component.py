"""What the LLM and the embedding model have in common inside LlamaIndex."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any, ClassVar, Self

from llama_index.core.schema import BaseComponent

from localmix import ModelInfo
from localmix.adapting.connected import Connected
from localmix.client import is_in_a_loop
from localmix.errors import LocalMixError, ModelNotFoundError
from localmix.types.arguments import Names
from localmix.types.peers import names_of_peers


class Component(Connected, BaseComponent):
    """What can be asked of servers and models; it is copied and pickled without harm."""

    also_called: ClassVar[Names] = names_of_peers("think")

    def model_info(self) -> ModelInfo:
        """Describe the model as fully as its server can, asked now.

        Raises:
            NoServerError: No server answered.
            ModelNotFoundError: No server holds it.
        """
        self.client.models_by_server()
        return self.client.show(self._name())

    async def amodel_info(self) -> ModelInfo:
        """Describe the model as fully as its server can, asked now; see `model_info`."""
        await self.async_client.models_by_server()
        return await self.async_client.show(self._name())

    def _name(self) -> str:
        """Name the model, or the one that a request without a name would go to."""
        known = self.model or self.known_model()
        if not known:
            raise ModelNotFoundError(f"No server holds a model for {self.purpose}.")
        return known if isinstance(known, str) else known.name

    def _look(self) -> ModelInfo | None:
        """Learn of the model what is not known yet; an event loop is held up for a short time only.

        Nothing is said where nobody answers: the request that follows will say it.
        """
        with suppress(LocalMixError):
            client = self.client
            within = client.settings.probe_timeout if is_in_a_loop() else None
            return client.look_up(self.model, self.purpose, within=within)
        return None

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
