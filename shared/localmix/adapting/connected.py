"""What the classes of both adapters have in common: the servers to use, and the two clients."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_serializer,
    field_validator,
    model_validator,
)

from localmix.adapting.pin import Pin
from localmix.client import AsyncClient, Client
from localmix.errors import ConfigError
from localmix.settings import ServerConfig
from localmix.types import (
    Capability,
    EmbedResult,
    GenerationRequest,
    Kind,
    ModelInfo,
    Purpose,
    Route,
    Server,
)
from localmix.types.arguments import by_our_names
from localmix.types.checked import Checked
from localmix.types.meant import OF_CLIENTS, word_to_use
from localmix.types.options import ChatOptions
from localmix.types.spellings import Seconds

# Fields that are settings of a client under the same names.
_SETTINGS = (
    "prefer",
    "timeout",
    "max_retries",
    "connect_timeout",
    "first_byte_timeout",
    "between_timeout",
)
# What a client is made of; another value means another client.
_MADE_OF = ("given_client", "servers", "base_url", "api_key", *_SETTINGS)


@dataclass(frozen=True)
class _Connection:
    """The two clients, and the fields that they were made of."""

    made_of: tuple[Any, ...]
    client: Client
    async_client: AsyncClient

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # clients serve many


class Connected(Checked):
    """The servers to use, and a client that is opened when one is needed.

    Attributes:
        model: Name of the model; without one, the best suitable model that is loaded, else the
            first that is installed.
        servers: Addresses to use, in order of preference; without them Ollama and LM Studio are
            looked for on this machine.
        base_url: The same for a single address, as other integrations call it.
        api_key: Token of the servers named here; when none is, of the LM Studio of this machine.
        given_client: A `Client` to share, given as `client=`; it brings settings of its own.
        prefer: Kinds of server to take first.
        timeout: Seconds that a request may take; see `localmix.settings.Settings`, as for the rest.
        max_retries: How often to try again when every server has failed with what may pass.
        connect_timeout: Seconds to wait for a connection.
        first_byte_timeout: Seconds to the head of a reply; a model may have to load first.
        between_timeout: Seconds between two pieces of a reply.
    """

    model_config = ConfigDict(
        hide_input_in_errors=True,  # an address may hold a password
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )

    purpose: ClassVar[Purpose] = "chat"

    @classmethod
    def _word_to_use(cls, word: str) -> str:
        return word_to_use(word, {*cls._own_names(), *cls.also_called}, OF_CLIENTS)

    model: str | None = None
    servers: Sequence[str | ServerConfig] = ()
    base_url: str | ServerConfig | None = None
    api_key: SecretStr | None = Field(default=None, exclude=True)
    given_client: Client | None = Field(default=None, alias="client", exclude=True, repr=False)
    prefer: Kind | Sequence[Kind] | None = None
    timeout: float | None = Field(default=None, gt=0)
    max_retries: int | None = Field(default=None, ge=0)
    connect_timeout: float | None = Field(default=None, gt=0)
    first_byte_timeout: float | None = Field(default=None, gt=0)
    between_timeout: float | None = Field(default=None, gt=0)
    _connection: _Connection | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Let the framework's class have its turn: pydantic would call only the first hook."""
        super().model_post_init(context)

    @field_validator("given_client", mode="before")
    @classmethod
    def _is_ours(cls, value: Any) -> Any:
        if value is None or isinstance(value, Client):
            return value
        raise ConfigError(
            "client is not a localmix.Client.",
            hint="Pass one, or base_url=..., api_key=... and timeout=... instead.",
        )

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
            raise ConfigError("base_url and servers are both given.", hint="Pass only one of them.")
        if self.given_client and any(value not in (None, ()) for value in self._made_of[1:]):
            raise ConfigError(
                "client and settings are both given.", hint="Pass the settings to the Client."
            )
        return self

    @property
    def places(self) -> list[ServerConfig]:
        """The servers that were named, each with its token."""
        named = [ServerConfig.of(each) for each in (*self.servers, self.base_url) if each]
        if self.api_key is None:
            return named
        token = {"token": self.api_key}
        return [each if each.token else each.model_copy(update=token) for each in named]

    @property
    def client(self) -> Client:
        """The client that synchronous calls go through."""
        return self._connected.client

    @property
    def async_client(self) -> AsyncClient:
        """Its twin, which knows the same servers."""
        return self._connected.async_client

    def known_model(self) -> ModelInfo | None:
        """Describe the model by what earlier requests brought; nothing is opened, nobody asked."""
        now = self._connection
        if now is None or now.made_of != self._made_of:
            return None
        return now.client.known_model(self.model, self.purpose)

    def list_models(self) -> list[ModelInfo]:
        """List the models of all servers."""
        return self.client.models_by_server()

    async def alist_models(self) -> list[ModelInfo]:
        """List the models of all servers."""
        return await self.async_client.models_by_server()

    def list_servers(self) -> list[Server]:
        """Ask every server now; give each with the verdict on it."""
        return self.client.servers()

    async def alist_servers(self) -> list[Server]:
        """Ask every server now; give each with the verdict on it."""
        return await self.async_client.servers()

    def route(self, needs: Collection[Capability] = (), num_ctx: int | None = None) -> Route:
        """Tell where a request would go, why, and where it would go next, without sending it.

        Args:
            needs: What it would need, such as `tools`, `vision` or `thinking`.
            num_ctx: The context window that it would need, in tokens.

        Raises:
            LocalMixError: The request could not be served; the error says why.
        """
        return self.client.route(self.model, **self._route_options(needs, num_ctx))

    async def aroute(self, needs: Collection[Capability] = (), num_ctx: int | None = None) -> Route:
        """Tell where a request would go, why, and where next; see `route`."""
        return await self.async_client.route(self.model, **self._route_options(needs, num_ctx))

    def preload(self) -> Route | None:
        """Have the model loaded, so that the first answer need not wait for it.

        Returns:
            Where it was loaded.
        """
        raise NotImplementedError

    async def apreload(self) -> Route | None:
        """Have the model loaded; see `preload`."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections; a later request opens new ones. A shared client stays open."""
        if self._connection and not self.given_client:
            self._connection.client.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop; a later request opens new ones."""
        if self._connection:
            await self._connection.async_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *about: object) -> None:
        await self.aclose()

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out tokens and connections: a pickle may travel."""
        state = super().__getstate__()
        state["__dict__"] = state["__dict__"] | {"api_key": None}
        state["__pydantic_private__"] = {**state["__pydantic_private__"], "_connection": None}
        return state

    def _route_options(self, needs: Collection[Capability], num_ctx: int | None) -> Any:
        return {"purpose": self.purpose, "needs": needs, "num_ctx": num_ctx}

    @property
    def _addresses(self) -> list[str]:
        """The addresses that were named, without credentials."""
        named = self.given_client.settings.servers if self.given_client else self.places
        return [server.url for server in named]

    @property
    def _made_of(self) -> tuple[Any, ...]:
        return tuple(map(self.__dict__.__getitem__, _MADE_OF))  # for each call, so without a detour

    @property
    def _connected(self) -> _Connection:
        """The clients, made on first use, and anew when a field that they depend on was changed."""
        now, made_of = self._connection, self._made_of
        if now is None or now.made_of != made_of:
            client = self.given_client or self._new_client()
            self._connection = now = _Connection(made_of, client, client.as_async())
        return now

    def _new_client(self) -> Client:
        settings: Any = {name: getattr(self, name) for name in _SETTINGS}
        if self.api_key and not self.places:
            settings["lm_api_token"] = self.api_key
        return Client(servers=self.places or None, **settings)


class Generating(Connected, GenerationRequest):
    """The options of every generation as fields, the same in all adapters."""

    model_config = ConfigDict(
        frozen=False, strict=False, extra="forbid", arbitrary_types_allowed=True
    )

    def options(self, **changes: Any) -> dict[str, Any]:
        """Give the options for one call: the ones of the call over the ones of the model.

        Raises:
            ConfigError: One is given under two names, or is said otherwise here.
        """
        own = {name: getattr(self, name) for name in GenerationRequest.model_fields}
        return own | by_our_names(changes, self.also_called, self._own_names())

    def preload(self) -> Route | None:
        """Have the model loaded, so that the first answer need not wait for it.

        It is asked for one token: that loads a model on every kind of server. The servers then tell
        what they have allocated, so that `known_model()` is up to date.

        Returns:
            Where it was loaded.
        """
        route = self.client.chat("Hello", **self._of_loading).route
        self.client.models_by_server()
        return route

    async def apreload(self) -> Route | None:
        """Have the model loaded; see `preload`."""
        route = (await self.async_client.chat("Hello", **self._of_loading)).route
        await self.async_client.models_by_server()
        return route

    @property
    def _of_loading(self) -> ChatOptions:
        """The options that a loaded model depends on, for the shortest of answers."""
        return ChatOptions(
            model=self.model,
            num_ctx=self.num_ctx,
            keep_alive=self.keep_alive,
            max_tokens=1,
            cache=False,
        )


class Embedding(Connected):
    """The options of every embedding as fields; all vectors come from the model that answers first.

    Attributes:
        dimensions: Length to cut the vectors to, for models that allow it.
        truncate: Whether a text that is too long may be cut; otherwise it is an error.
        keep_alive: Seconds the server should keep the model loaded afterwards.
        chunk_size: The most texts in one request.
        concurrency: The most requests on their way at once.
    """

    purpose: ClassVar[Purpose] = "embedding"

    dimensions: int | None = Field(default=None, ge=1)
    truncate: bool = False
    keep_alive: Seconds | None = None
    chunk_size: int = Field(default=128, ge=1)
    concurrency: int = Field(default=4, ge=1)
    _pinned: Pin | None = PrivateAttr(default=None)

    def preload(self) -> Route | None:
        """Have the model loaded, so that the first vectors need not wait for it.

        Returns:
            Where it was loaded.
        """
        result = self.client.embed("Hello", cache=False, **self._options)
        self._pin(result)
        return result.route

    async def apreload(self) -> Route | None:
        """Have the model loaded; see `preload`."""
        result = await self.async_client.embed("Hello", cache=False, **self._options)
        self._pin(result)
        return result.route

    def _pin(self, result: EmbedResult) -> list[list[float]]:
        """Stay with the model of the first answer."""
        if self._known_pin:
            self._known_pin.check(result)
        else:
            self._pinned = Pin.of(self._asked, result)
        return result.vectors

    @property
    def _known_pin(self) -> Pin | None:
        """The pin; a copy may ask for something else than what was pinned."""
        return self._pinned if self._pinned and self._pinned.asked == self._asked else None

    @property
    def _asked(self) -> tuple[Any, ...]:
        return (self.model, self.dimensions, self._addresses)

    @property
    def _options(self) -> Any:
        """The options for a request, which goes to the pinned model."""
        names = ("dimensions", "truncate", "keep_alive", "chunk_size", "concurrency")
        model = self._known_pin.model if self._known_pin else self.model
        return {"model": model, **{name: getattr(self, name) for name in names}}


def _server(given: str | ServerConfig) -> ServerConfig:
    return _read_once(given) if isinstance(given, str) else given


@lru_cache(maxsize=64)
def _read_once(address: str) -> ServerConfig:
    """Read an address; programs make many models for one server, and the result is immutable."""
    return ServerConfig.of(address)
