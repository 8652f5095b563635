"""What the classes of both adapters have in common: the servers to use, and the two clients."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

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
            looked for on this machine. `base_url` may be written for a single one.
    """

    model: str | None = None
    servers: tuple[ServerConfig, ...] = Field(default=())
    _client: Client | None = PrivateAttr(default=None)
    _async_client: AsyncClient | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _base_url_is_one_server(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("base_url") is None:
            return values
        if values.get("servers"):
            raise ConfigError("base_url and servers are both given.", hint="Give one of them.")
        rest = {key: value for key, value in values.items() if key != "base_url"}
        return rest | {"servers": values["base_url"]}

    @field_validator("servers", mode="before")
    @classmethod
    def _as_users_write_them(cls, value: Any) -> Any:
        if value is None:
            return ()
        given = [value] if isinstance(value, str | ServerConfig) else value
        return tuple(map(ServerConfig.of, given))

    @property
    def client(self) -> Client:
        """Give the client that synchronous calls go through."""
        if self._client is None:
            self._client = Client(servers=self.servers or None)
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
