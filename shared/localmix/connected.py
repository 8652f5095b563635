"""What the classes of both adapters have in common: the servers to use, and the two clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from localmix.client import AsyncClient, Client
from localmix.errors import ConfigError
from localmix.settings import ServerConfig
from localmix.types import GenerationRequest


class Connected(BaseModel):
    """Hold the servers, and open a client when one is needed.

    Attributes:
        model: Name of the model; without one, the best suitable model that is loaded, else the
            first that is installed.
        servers: Addresses to use, in order of preference; without them Ollama and LM Studio are
            looked for on this machine.
        base_url: The same for a single address, as other integrations call it.
    """

    model: str | None = None
    servers: Sequence[str | ServerConfig] = ()
    base_url: str | ServerConfig | None = None
    _client: Client | None = PrivateAttr(default=None)
    _async_client: AsyncClient | None = PrivateAttr(default=None)

    @field_validator("servers", mode="before")
    @classmethod
    def _read_servers(cls, value: Any) -> Any:
        given = [value] if isinstance(value, str | ServerConfig) else value
        return tuple(map(ServerConfig.of, given or ()))

    @field_validator("base_url", mode="before")
    @classmethod
    def _read_base_url(cls, value: Any) -> Any:
        return value and ServerConfig.of(value)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.servers and self.base_url:
            raise ConfigError("base_url and servers are both given.", hint="Give one of them.")
        return self

    @property
    def places(self) -> list[ServerConfig]:
        """Give the servers that were named."""
        return [ServerConfig.of(each) for each in (*self.servers, self.base_url) if each]

    @property
    def client(self) -> Client:
        """Give the client that synchronous calls go through."""
        if self._client is None:
            self._client = Client(servers=self.places or None)
        return self._client

    @property
    def async_client(self) -> AsyncClient:
        """Give its twin, which knows the same servers."""
        if self._async_client is None:
            self._async_client = self.client.as_async()
        return self._async_client


class Generating(Connected, GenerationRequest):
    """Hold the options of every generation as fields, so that both adapters have the same ones."""

    model_config = ConfigDict(
        frozen=False, strict=False, extra="forbid", arbitrary_types_allowed=True
    )

    def options(self, **changes: Any) -> dict[str, Any]:
        """Give the options for one call: the ones of the call over the ones of the model."""
        return {name: getattr(self, name) for name in GenerationRequest.model_fields} | changes
