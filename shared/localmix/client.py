"""The face of the core: `Client`, and `AsyncClient` with the same methods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, Unpack

from pydantic import SecretStr

from localmix.bulk import AsyncInBulk, InBulk
from localmix.following import AsyncStream, Stream
from localmix.generating import AsyncGenerating, Generating, form_of
from localmix.management import AsyncManaging, Managing
from localmix.servers.progress import Progress
from localmix.types import (
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    ModelInfo,
    Purpose,
    Route,
    RouteRequest,
    Server,
)
from localmix.types.build import (
    embed_request,
    route_request,
)
from localmix.types.options import (
    EmbedOptions,
    RouteOptions,
    SettingsOptions,
)
from localmix.types.signatures import naming

# These rooms bring the HTTP library and the settings, some 200 ms of imports: a client pays
# for them when it is made, not whoever imports localmix.
if TYPE_CHECKING:
    from localmix.bulk.embedding import Bulk
    from localmix.management.flows import Management
    from localmix.observing import Observer
    from localmix.routing import Fleet, Inventory
    from localmix.routing.answering import Answering
    from localmix.settings import ServerConfig, Settings
    from localmix.transport import AsyncTransport, Transport
    from localmix.wire.flows import Flow, Source

Address: TypeAlias = "str | ServerConfig | Mapping[str, Any]"
F = TypeVar("F", bound="_Face")
T = TypeVar("T")


class _Face:
    """What both clients are made of: the servers, and what can be asked of them."""

    _fleet: Fleet
    _inventory: Inventory
    _requests: Answering
    _bulk: Bulk
    _management: Management
    _transport: Any

    @naming(SettingsOptions)
    def __init__(
        self,
        servers: Address | Sequence[Address] | None = None,
        *,
        observers: Iterable[Observer] = (),
        **settings: Unpack[SettingsOptions],
    ) -> None:
        from localmix.routing import Fleet
        from localmix.settings import Settings

        given = {"servers": servers, **settings}
        self._given = [name for name, value in given.items() if value is not None]
        self._build(Fleet(given, observers))
        if is_in_a_loop():  # where nothing may block: the files are read by the first request
            Settings.check(**given)
        else:
            self._prepare()

    def _build(self, fleet: Fleet) -> None:
        from localmix.bulk.embedding import Bulk
        from localmix.caching import Cached
        from localmix.management.flows import Management
        from localmix.routing import Compound, Inventory, Requests

        self._fleet = fleet
        self._inventory = Inventory(fleet)
        self._requests = Cached(Compound(Requests(fleet), fleet.clock), fleet)
        self._bulk = Bulk(self._requests, fleet)
        self._management = Management(fleet)

    @classmethod
    def with_settings(
        cls, settings: Settings, transport: Any = None, observers: Iterable[Observer] = ()
    ) -> Self:
        """Make a client from given settings, and from a transport if one is given."""
        from localmix.routing import Fleet

        client = cls.__new__(cls)
        client._given = []  # noqa: SLF001  (its own class)
        client._build(Fleet(settings, observers))  # noqa: SLF001
        if transport:
            client._transport = transport  # noqa: SLF001
        return client

    @property
    def settings(self) -> Settings:
        """The settings in effect; `settings.sources` says where each came from."""
        return self._fleet.settings

    def known_model(self, model: str | None = None, purpose: Purpose = "chat") -> ModelInfo | None:
        """Describe the model that a request would go to, by what earlier requests brought.

        Nobody is asked, so this never blocks; `None` where nothing is known yet.
        """
        return self._inventory.known(model, purpose)

    def _prepare(self) -> Any:
        """Read the settings and import the HTTP library, which look at files; give the transport.

        Several threads may do this at once: all get the same one.
        """
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """Keep what was given but tokens; the rest is read in the environment of the new place."""
        given = {name: getattr(self.settings, name) for name in self._given if name != "tokens"}
        kept = {name: value for name, value in given.items() if not isinstance(value, SecretStr)}
        return {"observers": self._fleet.observers, **kept}

    def __setstate__(self, given: dict[str, Any]) -> None:
        self.__init__(**given)  # type: ignore[misc]  # a new life begins as the first did

    def __copy__(self) -> Self:
        """Give another client of this process: it knows what this one knows, tokens too."""
        return self._twin(type(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._twin(type(self))

    def _twin(self, kind: type[F]) -> F:
        twin = kind.__new__(kind)
        twin.__dict__.update(self.__dict__)
        twin.__dict__.pop("_transport", None)  # connections are its own
        return twin

    def __repr__(self) -> str:
        places = ", ".join(server.url for server in self.settings.candidates())
        return f"{type(self).__name__}({places})"


class Client(_Face, Generating, InBulk, Managing):
    """Client for all model servers on this machine, in synchronous code.

    Constructing one opens no connections; an instance can serve many threads.

        client = Client()
        print(client.chat("What is the capital of France?").content)
        for delta in client.stream("Tell me a story."):
            print(delta.content, end="")

    Args:
        servers: Addresses to use, in order of preference. Without them the client looks for
            Ollama and LM Studio on this machine.
        **settings: See `localmix.Settings`.

    Raises:
        ConfigError: A setting cannot be right.
    """

    _transport: Transport | None = None

    def as_async(self) -> AsyncClient:
        """Return an `AsyncClient` that shares everything known about the servers."""
        return self._twin(AsyncClient)

    def servers(self) -> list[Server]:
        """Probe every candidate now, and return each with what was found there."""
        return self._driver.run(self._inventory.servers())

    def models_by_server(self) -> list[ModelInfo]:
        """List what each server says of its models, as its listing tells it; see `models`.

        Raises:
            NoServerError: No server answered.
        """
        return self._driver.run(self._inventory.listing())

    def show(self, model: str) -> ModelInfo:
        """Describe a model as fully as its server can.

        Raises:
            ModelNotFoundError: No server holds it.
        """
        return self._driver.run(self._inventory.show(model))

    def look_up(
        self, model: str | None = None, purpose: Purpose = "chat", *, within: float | None = None
    ) -> ModelInfo | None:
        """Describe the model that a request would go to, asking only for what is not known yet.

        While what is known is fresh, nobody is asked. This never fails: `None` where no server
        tells of such a model.

        Args:
            model: Its name; without one, the best suitable model.
            purpose: What the request would be for.
            within: The most seconds that it may take, where an event loop stands still meanwhile;
                without it, as long as servers have to show what they are.
        """
        return self._driver.run(self._inventory.look_up(model, purpose, within))

    @naming(RouteOptions, RouteRequest)
    def route(self, model: str | None = None, **needs: Unpack[RouteOptions]) -> Route:
        """Tell where a request would go, why, and where it would go next, without sending it.

        Args:
            model: Name of the model; `None` for the one that would be taken.
            **needs: What the request would need; see `localmix.RouteRequest`.

        Raises:
            LocalMixError: The request could not be served; the error says why.
        """
        return self._driver.run(self._inventory.route(route_request(model, needs)))

    @naming(EmbedOptions, EmbedRequest)
    def embed(
        self, texts: str | Sequence[str] | EmbedRequest, **options: Unpack[EmbedOptions]
    ) -> EmbedResult:
        """Get one vector for each text, in their order; options as in an `EmbedRequest`."""
        return self._driver.run(self._requests.embed(embed_request(texts, options)))

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._transport:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    @property
    def _driver(self) -> Transport:
        return self._transport or self._prepare()

    def _prepare(self) -> Transport:
        from localmix.transport import Transport

        self._fleet.prepare()
        transport: Transport = self.__dict__.setdefault("_transport", Transport())
        return transport

    def _stream(self, request: GenerationRequest) -> Stream:
        progress = Progress(self._fleet.clock, form_of(request))
        return Stream(self._driver.iterate(self._requests.stream(request, progress)), progress)


class AsyncClient(_Face, AsyncGenerating, AsyncInBulk, AsyncManaging):
    """Client for all model servers on this machine, in asynchronous code.

    The same as `Client`, method for method. Constructing one opens no connections; an instance can
    serve several event loops, one after another.
    """

    _transport: AsyncTransport | None = None

    async def servers(self) -> list[Server]:
        """Probe every candidate now, and return each with what was found there."""
        return await self._run(self._inventory.servers())

    async def models_by_server(self) -> list[ModelInfo]:
        """List what each server says of its models, as its listing tells it; see `models`.

        Raises:
            NoServerError: No server answered.
        """
        return await self._run(self._inventory.listing())

    async def show(self, model: str) -> ModelInfo:
        """Describe a model as fully as its server can.

        Raises:
            ModelNotFoundError: No server holds it.
        """
        return await self._run(self._inventory.show(model))

    async def look_up(
        self, model: str | None = None, purpose: Purpose = "chat", *, within: float | None = None
    ) -> ModelInfo | None:
        """Describe the model that a request would go to; see `Client.look_up`."""
        return await self._run(self._inventory.look_up(model, purpose, within))

    @naming(RouteOptions, RouteRequest)
    async def route(self, model: str | None = None, **needs: Unpack[RouteOptions]) -> Route:
        """Tell where a request would go, why, and where next; see `Client.route`."""
        return await self._run(self._inventory.route(route_request(model, needs)))

    @naming(EmbedOptions, EmbedRequest)
    async def embed(
        self, texts: str | Sequence[str] | EmbedRequest, **options: Unpack[EmbedOptions]
    ) -> EmbedResult:
        """Get one vector for each text, in their order; see `localmix.EmbedRequest`."""
        return await self._run(self._requests.embed(embed_request(texts, options)))

    async def close(self) -> None:
        """Close this loop's connections; a later request opens new ones."""
        if self._transport:
            await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *about: object) -> None:
        await self.close()

    def _stream(self, request: GenerationRequest) -> AsyncStream:
        progress = Progress(self._fleet.clock, form_of(request))
        return AsyncStream(self._iterate(self._requests.stream(request, progress)), progress)

    async def _run(self, flow: Flow[T]) -> T:
        return await (await self._ready()).run(flow)

    async def _iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        async with aclosing((await self._ready()).iterate(source)) as values:
            async for value in values:
                yield value

    async def _ready(self) -> AsyncTransport:
        if self._transport:
            return self._transport
        return await asyncio.to_thread(self._prepare)

    def _prepare(self) -> AsyncTransport:
        from localmix.transport import AsyncTransport

        self._fleet.prepare()
        transport: AsyncTransport = self.__dict__.setdefault("_transport", AsyncTransport())
        return transport


def is_in_a_loop() -> bool:
    """Tell whether an event loop runs here, which must not wait for a file or a server."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
