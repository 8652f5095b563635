"""The face of the core: `Client`, and `AsyncClient` with the same methods."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from pydantic import SecretStr

from localmix.errors import LocalMixError
from localmix.management import AsyncManaging, Managing
from localmix.servers.progress import Progress
from localmix.streams import AsyncStream, Stream
from localmix.types import (
    ChatResult,
    Delta,
    EmbedResult,
    GenerationRequest,
    ModelInfo,
    Purpose,
    Route,
    Server,
)
from localmix.types.build import (
    Conversation,
    chat_request,
    completion_request,
    embed_request,
    route_request,
)
from localmix.types.options import (
    ChatOptions,
    CompletionOptions,
    EmbedOptions,
    RouteOptions,
    SettingsOptions,
)

# These rooms bring the HTTP library and the settings, some 200 ms of imports: a client pays
# for them when it is made, not whoever imports localmix.
if TYPE_CHECKING:
    from localmix.management.flows import Management
    from localmix.routing import Router
    from localmix.settings import ServerConfig, Settings
    from localmix.transport import AsyncTransport, Transport

F = TypeVar("F", bound="_Face")


class _Face:
    """Hold what both clients are made of: settings, and the router that knows the servers."""

    settings: Settings
    _router: Router
    _management: Management
    _driver: Any

    def __init__(
        self,
        servers: str | Sequence[str | ServerConfig | Mapping[str, Any]] | None = None,
        **settings: Unpack[SettingsOptions],
    ) -> None:
        from localmix.settings import Settings

        given = {"servers": servers, **settings}
        self._given = [name for name, value in given.items() if value is not None]
        self._build(Settings.load(servers=servers, **settings))

    def _build(self, settings: Settings) -> None:
        from localmix.management.flows import Management
        from localmix.routing import CompoundRouter

        self.settings = settings
        self._router = CompoundRouter(self.settings)
        self._management = Management(self._router)
        self._forget_connections()

    @classmethod
    def with_settings(cls, settings: Settings, transport: Any = None) -> Self:
        """Make a client of settings that were read before, on a transport of one's own."""
        client = cls.__new__(cls)
        client._given = []  # noqa: SLF001  (its own class)
        client._build(settings)  # noqa: SLF001
        if transport:
            client._driver = transport  # noqa: SLF001
        return client

    def known(self, model: str | None = None, purpose: Purpose = "chat") -> ModelInfo | None:
        """Describe the model that a request would go to, by what earlier requests brought.

        Nobody is asked, so this never blocks; `None` where nothing is known yet.
        """
        return self._router.known(model, purpose)

    def _forget_connections(self) -> None:
        """Start without a connection; they are opened by the first request."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """Keep what was given but tokens; the rest is read in the environment of the new place."""
        given = {name: getattr(self.settings, name) for name in self._given if name != "tokens"}
        return {name: value for name, value in given.items() if not isinstance(value, SecretStr)}

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
        twin._forget_connections()  # noqa: SLF001  (its own class)
        return twin

    def __repr__(self) -> str:
        places = ", ".join(server.url for server in self.settings.candidates())
        return f"{type(self).__name__}({places})"


class Client(_Face, Managing):
    """Use whichever model servers there are, from ordinary code.

    Nothing is opened by constructing one; one instance serves many threads.

        client = Client()
        print(client.chat("What is the capital of France?").content)
        for delta in client.stream("Tell me a story."):
            print(delta.content, end="")

    Args:
        servers: Addresses to use, in order of preference. Without them the client looks for
            Ollama and LM Studio on this machine.
        **settings: See `localmix.settings.Settings`.

    Raises:
        ConfigError: A setting cannot be right.
    """

    _driver: Transport

    def as_async(self) -> AsyncClient:
        """Give an `AsyncClient` that shares everything known about the servers."""
        return self._twin(AsyncClient)

    def servers(self) -> list[Server]:
        """Ask every candidate now; give each with the verdict on it."""
        return self._driver.run(self._router.servers())

    def listing(self) -> list[ModelInfo]:
        """List what each server says of its models, as its listing tells it; see `models`.

        Raises:
            NoServerError: No server answered.
        """
        return self._driver.run(self._router.listing())

    def show(self, model: str) -> ModelInfo:
        """Describe a model as fully as its server can.

        Raises:
            ModelNotFoundError: No server holds it.
        """
        return self._driver.run(self._router.show(model))

    def route(self, model: str | None = None, **needs: Unpack[RouteOptions]) -> Route:
        """Tell where a request would go, why, and where next, without sending it.

        Args:
            model: Name of the model; `None` for the one that would be taken.
            **needs: What the request would need; see `localmix.types.options.RouteOptions`.

        Raises:
            LocalMixError: The request could not be served; the error says why.
        """
        return self._driver.run(self._router.route(route_request(model, needs)))

    def chat(self, messages: Conversation, **options: Unpack[ChatOptions]) -> ChatResult:
        """Get the next turn of a conversation, whole.

        Args:
            messages: A text, a `Message`, a list of messages, or a `ChatRequest`.
            **options: See `localmix.ChatRequest`.

        Raises:
            LocalMixError: See `localmix.errors`; after a fail-over it lists every attempt.
        """
        return self._driver.run(self._router.generate(chat_request(messages, options)))

    def stream(self, messages: Conversation, **options: Unpack[ChatOptions]) -> Stream:
        """Get the next turn of a conversation, as it is written; arguments as for `chat`."""
        return self._stream(chat_request(messages, options))

    def complete(self, prompt: str, **options: Unpack[CompletionOptions]) -> ChatResult:
        """Continue a text, without a chat template; see `localmix.CompletionRequest`."""
        return self._driver.run(self._router.generate(completion_request(prompt, options)))

    def stream_complete(self, prompt: str, **options: Unpack[CompletionOptions]) -> Stream:
        """Continue a text, as it is written; arguments as for `complete`."""
        return self._stream(completion_request(prompt, options))

    def embed(self, texts: str | Sequence[str], **options: Unpack[EmbedOptions]) -> EmbedResult:
        """Get one vector for each text, in their order; see `localmix.EmbedRequest`."""
        return self._driver.run(self._router.embed(embed_request(texts, options)))

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _forget_connections(self) -> None:
        from localmix.transport import Transport

        self._driver = Transport()

    def _stream(self, request: GenerationRequest) -> Stream:
        progress = Progress(self._router.clock)
        return Stream(self._deltas(request, progress), progress)

    def _deltas(self, request: GenerationRequest, progress: Progress) -> Generator[Delta]:
        progress.begin()
        try:
            started = self._driver.run(self._router.start(request))
            progress.follow(started.route, started.lease)
            yield from map(progress.take, started.whole)
            if started.opened:
                with closing(started.opened.stream) as stream:
                    yield from map(progress.take, stream)
        except LocalMixError as error:
            progress.fail(error)
            raise
        finally:
            progress.end()


class AsyncClient(_Face, AsyncManaging):
    """Use whichever model servers there are, from asynchronous code.

    The same as `Client`, method for method. Nothing is opened by constructing one; one instance
    serves one event loop after another.
    """

    _driver: AsyncTransport

    async def servers(self) -> list[Server]:
        """Ask every candidate now; give each with the verdict on it."""
        return await self._driver.run(self._router.servers())

    async def listing(self) -> list[ModelInfo]:
        """List what each server says of its models, as its listing tells it; see `models`.

        Raises:
            NoServerError: No server answered.
        """
        return await self._driver.run(self._router.listing())

    async def show(self, model: str) -> ModelInfo:
        """Describe a model as fully as its server can.

        Raises:
            ModelNotFoundError: No server holds it.
        """
        return await self._driver.run(self._router.show(model))

    async def route(self, model: str | None = None, **needs: Unpack[RouteOptions]) -> Route:
        """Tell where a request would go, why, and where next; see `Client.route`."""
        return await self._driver.run(self._router.route(route_request(model, needs)))

    async def chat(self, messages: Conversation, **options: Unpack[ChatOptions]) -> ChatResult:
        """Get the next turn of a conversation, whole; see `Client.chat`."""
        return await self._driver.run(self._router.generate(chat_request(messages, options)))

    def stream(self, messages: Conversation, **options: Unpack[ChatOptions]) -> AsyncStream:
        """Get the next turn of a conversation, as it is written; arguments as for `chat`."""
        return self._stream(chat_request(messages, options))

    async def complete(self, prompt: str, **options: Unpack[CompletionOptions]) -> ChatResult:
        """Continue a text, without a chat template; see `localmix.CompletionRequest`."""
        return await self._driver.run(self._router.generate(completion_request(prompt, options)))

    def stream_complete(self, prompt: str, **options: Unpack[CompletionOptions]) -> AsyncStream:
        """Continue a text, as it is written; arguments as for `complete`."""
        return self._stream(completion_request(prompt, options))

    async def embed(
        self, texts: str | Sequence[str], **options: Unpack[EmbedOptions]
    ) -> EmbedResult:
        """Get one vector for each text, in their order; see `localmix.EmbedRequest`."""
        return await self._driver.run(self._router.embed(embed_request(texts, options)))

    async def close(self) -> None:
        """Close this loop's connections; a later request opens new ones."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *about: object) -> None:
        await self.close()

    def _forget_connections(self) -> None:
        from localmix.transport import AsyncTransport

        self._driver = AsyncTransport()

    def _stream(self, request: GenerationRequest) -> AsyncStream:
        progress = Progress(self._router.clock)
        return AsyncStream(self._deltas(request, progress), progress)

    async def _deltas(
        self, request: GenerationRequest, progress: Progress
    ) -> AsyncGenerator[Delta]:
        progress.begin()
        try:
            started = await self._driver.run(self._router.start(request))
            progress.follow(started.route, started.lease)
            for delta in started.whole:
                yield progress.take(delta)
            if started.opened:
                async with aclosing(started.opened.stream) as stream:
                    async for delta in stream:
                        yield progress.take(delta)
        except LocalMixError as error:
            progress.fail(error)
            raise
        finally:
            progress.end()
