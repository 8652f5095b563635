"""What the classes of both adapters have in common: the servers to use, and the two clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_serializer,
    field_validator,
    model_validator,
)

from localmix.client import AsyncClient, Client
from localmix.errors import ConfigError
from localmix.settings import ServerConfig
from localmix.types import GenerationRequest


@dataclass(frozen=True)
class _Connection:
    """Hold the two clients, and the fields that they were made of."""

    made_of: tuple[Any, ...]
    client: Client
    async_client: AsyncClient


class Connected(BaseModel):
    """Hold the servers, and open a client when one is needed.

    Attributes:
        model: Name of the model; without one, the best suitable model that is loaded, else the
            first that is installed.
        servers: Addresses to use, in order of preference; without them Ollama and LM Studio are
            looked for on this machine.
        base_url: The same for a single address, as other integrations call it.
        connect_timeout: Seconds to wait for a connection; see `localmix.settings.Settings`.
        first_byte_timeout: Seconds to the head of a reply; a model may have to load first.
        between_timeout: Seconds between two pieces of a reply.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # an address may hold a password

    model: str | None = None
    servers: Sequence[str | ServerConfig] = ()
    base_url: str | ServerConfig | None = None
    connect_timeout: float | None = Field(default=None, gt=0)
    first_byte_timeout: float | None = Field(default=None, gt=0)
    between_timeout: float | None = Field(default=None, gt=0)
    _connection: _Connection | None = PrivateAttr(default=None)

    @field_validator("servers", mode="before")
    @classmethod
    def _read_servers(cls, value: Any) -> Any:
        given = [value] if isinstance(value, str | ServerConfig) else value
        return tuple(map(_server, given or ()))

    @field_validator("base_url", mode="before")
    @classmethod
    def _read_base_url(cls, value: Any) -> Any:
        return value and _server(value)

    @field_serializer("servers")
    def _write_servers(self, servers: Sequence[str | ServerConfig]) -> list[str]:
        """Write addresses alone: tokens and headers stand in no dump."""
        return [ServerConfig.of(server).url for server in servers]

    @field_serializer("base_url")
    def _write_base_url(self, base_url: str | ServerConfig | None) -> str | None:
        return ServerConfig.of(base_url).url if base_url else None

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
        return self._connected.client

    @property
    def async_client(self) -> AsyncClient:
        """Give its twin, which knows the same servers."""
        return self._connected.async_client

    @property
    def _connected(self) -> _Connection:
        """Make the clients on first use, and anew when a field that they depend on was changed."""
        timeouts = (self.connect_timeout, self.first_byte_timeout, self.between_timeout)
        made_of = (self.servers, self.base_url, *timeouts)
        if self._connection is None or self._connection.made_of != made_of:
            client = Client(
                servers=self.places or None,
                connect_timeout=self.connect_timeout,
                first_byte_timeout=self.first_byte_timeout,
                between_timeout=self.between_timeout,
            )
            self._connection = _Connection(made_of, client, client.as_async())
        return self._connection


class Generating(Connected, GenerationRequest):
    """Hold the options of every generation as fields, so that both adapters have the same ones."""

    model_config = ConfigDict(
        frozen=False, strict=False, extra="forbid", arbitrary_types_allowed=True
    )

    def options(self, **changes: Any) -> dict[str, Any]:
        """Give the options for one call: the ones of the call over the ones of the model."""
        return {name: getattr(self, name) for name in GenerationRequest.model_fields} | changes


def _server(given: str | ServerConfig) -> ServerConfig:
    return _read_once(given) if isinstance(given, str) else given


@lru_cache(maxsize=64)
def _read_once(address: str) -> ServerConfig:
    """Read an address; programs make many models for one server, and the result is immutable."""
    return ServerConfig.of(address)
