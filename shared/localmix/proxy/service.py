"""The one way from a call to the model servers: what a client of localmix does, and no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from typing import Literal, TypeVar

from localmix import AsyncClient
from localmix.dialects.ollama import listings
from localmix.dialects.serving import Ask, Listed, Load
from localmix.errors import (
    ContextLengthError,
    LocalMixError,
    ModelNotFoundError,
    UnsupportedFeatureError,
)
from localmix.following import AsyncStream
from localmix.proxy.aliases import Aliases
from localmix.proxy.busy import Busy
from localmix.proxy.failures import RefusedError
from localmix.proxy.inventory import Inventory
from localmix.proxy.windows import Windows
from localmix.proxy.wishes import Wishes, without
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    ModelInfo,
    Purpose,
)

MoveStep = Literal["load", "unload"]
MoveListener = Callable[[MoveStep, ModelInfo], None]
T = TypeVar("T")
R = TypeVar("R", GenerationRequest, EmbedRequest)


class Service:
    """What the endpoints of every dialect stand on."""

    def __init__(
        self, client: AsyncClient, aliases: Aliases, *, allows_cloud: bool, is_read_only: bool
    ) -> None:
        self.client = client
        self.aliases = aliases
        self._allows_cloud = allows_cloud
        self._windows = None if is_read_only else Windows(client)
        self._wishes = Wishes()
        self._busy = Busy()
        self.inventory = Inventory(client, aliases, shows_cloud=allows_cloud)
        self.move_listeners: list[MoveListener] = []

    # Answers

    def using(self, ask: Ask) -> AbstractContextManager[None]:
        """Keep a model from being unloaded while it answers."""
        return self._busy.using(self.aliases.source(ask.model))

    async def open(self, ask: Ask, request: GenerationRequest) -> tuple[Delta, AsyncStream]:
        """Open a stream; give its first delta with it. Until then another server may answer."""

        async def begin(eased: GenerationRequest) -> tuple[Delta, AsyncStream]:
            stream = self._stream(eased)
            try:
                return await anext(stream), stream
            except StopAsyncIteration:
                return Delta(finish_reason="stop"), stream
            except BaseException:
                await stream.close()
                raise

        return await self._asked(ask, request, begin)

    async def whole(self, ask: Ask, request: GenerationRequest) -> ChatResult:
        """Get a whole answer."""

        async def answer(eased: GenerationRequest) -> ChatResult:
            if isinstance(eased, CompletionRequest):
                return await self.client.complete(eased)
            assert isinstance(eased, ChatRequest)  # noqa: S101  (there are no others)
            return await self.client.chat(eased)

        return await self._asked(ask, request, answer)

    async def embed(self, ask: Ask, request: EmbedRequest) -> EmbedResult:
        """Get vectors."""
        with self.using(ask):
            return await self._asked(ask, request, self.client.embed)

    async def count(self, request: ChatRequest) -> int | None:
        """Have a prompt counted by its server; `None` where that cannot, or there is none."""
        request = self.aliases.applied(request)
        self.check_cloud(request.model or "")
        try:
            return await self.client.count_tokens(request)
        except LocalMixError:
            return None

    # Models

    async def load(self, ask: Ask, order: Load) -> None:
        """Bring a model into memory.

        One that is there stays as it is: LM Studio would load it anew to be told for how long.
        """
        model = self.aliases.source(ask.model)
        place = await self._place(model, "chat")
        wants = order.keep_alive if order.keep_alive and not place.loaded else None
        try:
            loaded = await self.client.load(model, keep_alive=wants)
        except UnsupportedFeatureError:  # how long it stays is a wish
            loaded = await self.client.load(model)
        self._moved("load", [loaded] if loaded.loaded and not place.loaded else [])

    async def unload(self, ask: Ask) -> None:
        """Take a model out of memory, once the requests for it that run are done."""
        model = self.aliases.source(ask.model)
        self.check_cloud(model)
        await self._busy.idle(model)
        self._moved("unload", await self.client.unload(model))

    def _moved(self, step: MoveStep, models: Iterable[ModelInfo]) -> None:
        """Tell what a caller has had done, and have the servers asked again."""
        self.inventory.doubt()
        for model in models:
            for listener in self.move_listeners:
                listener(step, model)

    async def show(self, name: str) -> Listed:
        """Describe a model; under the name that it was asked for by."""
        alias, model = self.aliases.get(name), self.aliases.source(name)
        place = await self._place(model, "chat")
        with suppress(UnsupportedFeatureError):  # some servers only list their models
            place = await self.client.show(model)
        if alias:
            place = listings.with_defaults(place, alias.system, alias.template, alias.parameters)
        listed = self.inventory.listed(name, [place], datetime.now(UTC))
        if listed is None:
            raise ModelNotFoundError(f"No server holds the model {name!r}.")
        return listed

    async def find(self, name: str) -> ModelInfo:
        """Find the model that a name means.

        Raises:
            ModelNotFoundError: No server has it.
        """
        return await self._place(self.aliases.source(name), "chat")

    async def named(self, name: str) -> list[ModelInfo]:
        """List the models that servers call exactly so."""
        try:
            return await self.client.named(name)
        except ModelNotFoundError:
            return []

    # What all requests have in common

    def _stream(self, request: GenerationRequest) -> AsyncStream:
        if isinstance(request, CompletionRequest):
            return self.client.stream_complete(request)
        assert isinstance(request, ChatRequest)  # noqa: S101  (there are no others)
        return self.client.stream(request)

    async def _asked(self, ask: Ask, request: R, answer: Callable[[R], Awaitable[T]]) -> T:
        """Ask; without an option that the server cannot be told, and once the model is loaded."""
        purpose: Purpose = "embedding" if isinstance(request, EmbedRequest) else "chat"
        is_loaded = has_grown = False
        request = self.aliases.applied(request)
        model = request.model or ask.model
        while True:
            place = await self._place(model, purpose)
            try:
                return await answer(self._wishes.eased(request, place))
            except UnsupportedFeatureError as error:
                if self._wishes.learn(error, place):
                    continue
                simpler = without(request, ask.wishes)
                if simpler == request:
                    raise
                request = simpler
            except ModelNotFoundError as error:
                # LM Studio without just-in-time loading: it has the model, and will not load it.
                if is_loaded or not await self._is_loaded_now(model):
                    raise error from None
                is_loaded = True
            except ContextLengthError as error:
                if has_grown or not await self._has_grown(model, request, place, error):
                    raise
                has_grown = True

    async def _has_grown(
        self, model: str, request: R, place: ModelInfo, error: ContextLengthError
    ) -> bool:
        """Widen the window of a model, if a request does not fit that asks for a wider one."""
        wanted = getattr(request, "num_ctx", None)
        if not (wanted and self._windows):
            return False
        return await self._windows.grow(model, place, wanted, error.context_length)

    async def _is_loaded_now(self, model: str) -> bool:
        """Load a model; however many ask for it, it is loaded once."""
        try:
            await self.client.load(model)
        except LocalMixError:
            return False
        return True

    async def _place(self, model: str, purpose: Purpose) -> ModelInfo:
        """Find where a request would go."""
        self.check_cloud(model)
        known = self.client.known_model(model, purpose)
        if known is None:
            await self.client.route(model, purpose=purpose)
            known = self.client.known_model(model, purpose)
        if known is None:
            raise ModelNotFoundError(f"No server holds the model {model!r}.")
        self.check_cloud(model, known)
        return known

    def check_cloud(self, model: str, place: ModelInfo | None = None) -> None:
        """Refuse what would leave for a cloud, unless the user allows that.

        Raises:
            RefusedError: It would.
        """
        is_cloud = model.casefold().endswith((":cloud", "-cloud")) or (place and place.remote)
        if is_cloud and not self._allows_cloud:
            raise RefusedError(403, "ollama cloud is disabled: remote model is unavailable")
