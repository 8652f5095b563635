"""The managing methods of both clients: thin, and the same."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from localmix.dialects import LoadOrder
from localmix.errors import ConfigError
from localmix.following import AsyncSteps, Steps
from localmix.following.bars import adrawn, drawn
from localmix.types import Model, ModelInfo, PullStep
from localmix.types.build import Conversation, chat_request
from localmix.types.options import ChatOptions
from localmix.types.spellings import duration

if TYPE_CHECKING:
    from localmix.management.flows import Management
    from localmix.transport import Transport
    from localmix.wire.flows import Flow, Source

T = TypeVar("T")


class Managing:
    """The management of models, for ordinary code.

    A model is named as in a request; `KIND/NAME` and `SERVER/NAME` pin it to a server. What a
    server cannot do is an `UnsupportedFeatureError` that says how to do it by hand.
    """

    _management: Management

    @property
    def _driver(self) -> Transport:
        raise NotImplementedError

    def models(self) -> list[Model]:
        """List each model once, with every server that has it; see `Model`.

        Raises:
            NoServerError: No server answered.
        """
        return self._driver.run(self._management.models())

    def count_tokens(self, messages: Conversation, **options: Unpack[ChatOptions]) -> int | None:
        """Count the tokens of a prompt with its tools, without images; arguments as for `chat`.

        `None` where the server that it would go to cannot count: of those that are known, only
        llama.cpp's can, and the embedded engine with a model that is in memory.

        Raises:
            ModelNotFoundError: No server has the model.
        """
        return self._driver.run(self._management.count_tokens(chat_request(messages, options)))

    def running(self) -> list[ModelInfo]:
        """List the models that are in memory now, one entry for each server."""
        return self._driver.run(self._management.running())

    def load(
        self,
        model: str | None = None,
        *,
        context_length: int | None = None,
        keep_alive: float | str | None = None,
    ) -> ModelInfo:
        """Bring a model into memory, and give it as it stands then.

        Whoever asks for it meanwhile waits: it is loaded once.

        Args:
            model: Its name; without one, the model for chats that name none.
            context_length: Tokens of the window; without it the server's own default.
            keep_alive: Seconds to stay without a request, or `"5m"`; negative means for ever.

        Raises:
            ModelNotFoundError: No server has it.
            ModelChangedError: It has another digest than the one that was pinned.
            ModelCrashedError: It cannot be loaded.
        """
        order = _order(context_length, keep_alive)
        return self._driver.run(self._management.load(model, order))

    def preload(
        self, *models: str, context_length: int | None = None, keep_alive: float | str | None = None
    ) -> list[ModelInfo]:
        """Load models side by side before they are needed; arguments as for `load`."""
        order = _order(context_length, keep_alive)
        return self._driver.run(self._management.preload(models, order))

    def unload(self, model: str) -> list[ModelInfo]:
        """Take a model out of memory wherever it is loaded; give what was unloaded.

        Raises:
            ModelNotFoundError: Nothing is called exactly so; see `named`.
        """
        return self._driver.run(self._management.unload(model))

    def pull(
        self, model: str, *, insecure: bool = False, progress: bool = False
    ) -> Steps[PullStep]:
        """Have a server fetch a model, and follow it step by step.

        A pull that breaks off goes on where it was. To close the iterator stops Ollama's pull, and
        the next one goes on; LM Studio cannot be stopped and loads on.

        Args:
            model: Its name; `ollama/NAME` or `lmstudio/NAME` chooses the server, else the first one
                does it that has the name in its catalogue.
            insecure: Whether Ollama may fetch from a registry without TLS.
            progress: Whether to draw a bar while the steps are iterated over; needs rich.

        Raises:
            ModelNotFoundError: There is no such model; `attempts` has what each server said.
            DownloadError: The server cannot fetch it.
        """
        steps = self._driver.iterate(self._management.pull(model, insecure=insecure))
        return Steps(drawn(steps) if progress else steps)

    def named(self, model: str) -> list[ModelInfo]:
        """List the models that have exactly this name, one entry for each server.

        Case and `:latest` say nothing, and a pin holds. `delete` and `unload` act on these alone:
        what a request for the name would take besides, an alias or the same model under another
        name, is offered in the error.

        Raises:
            ModelNotFoundError: There is none.
        """
        return self._driver.run(self._management.named(model))

    def delete(self, model: str) -> ModelInfo:
        """Delete a model from the disk of its server; give what was deleted.

        Raises:
            ModelNotFoundError: No model is called exactly so; see `named`.
            ConfigError: Several servers have it under this name: pin one.
        """
        return self._driver.run(self._management.delete(model))

    def copy(self, model: str, destination: str) -> ModelInfo:
        """Give a model a second name, and return it; what had that name there is replaced.

        Raises:
            ConfigError: Something would be replaced, and several servers have the model: pin one.
            ModelNotFoundError: No server has the model; or something would be replaced, and none
                has a model that is called exactly so.
        """
        return self._driver.run(self._management.copy(model, destination))


class AsyncManaging:
    """The management of models, for asynchronous code; see `Managing`."""

    _management: Management

    async def _run(self, flow: Flow[T]) -> T:
        raise NotImplementedError

    def _iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        raise NotImplementedError

    async def models(self) -> list[Model]:
        """List each model once, with every server that has it; see `Managing.models`."""
        return await self._run(self._management.models())

    async def count_tokens(
        self, messages: Conversation, **options: Unpack[ChatOptions]
    ) -> int | None:
        """Count the tokens of a prompt, with its tools; see `Managing.count_tokens`."""
        return await self._run(self._management.count_tokens(chat_request(messages, options)))

    async def running(self) -> list[ModelInfo]:
        """List the models that are in memory now, one entry for each server."""
        return await self._run(self._management.running())

    async def load(
        self,
        model: str | None = None,
        *,
        context_length: int | None = None,
        keep_alive: float | str | None = None,
    ) -> ModelInfo:
        """Bring a model into memory, and give it as it stands then; see `Managing.load`."""
        order = _order(context_length, keep_alive)
        return await self._run(self._management.load(model, order))

    async def preload(
        self, *models: str, context_length: int | None = None, keep_alive: float | str | None = None
    ) -> list[ModelInfo]:
        """Load models side by side before they are needed; arguments as for `load`."""
        order = _order(context_length, keep_alive)
        return await self._run(self._management.preload(models, order))

    async def unload(self, model: str) -> list[ModelInfo]:
        """Take a model out of memory wherever it is loaded; give what was unloaded."""
        return await self._run(self._management.unload(model))

    def pull(
        self, model: str, *, insecure: bool = False, progress: bool = False
    ) -> AsyncSteps[PullStep]:
        """Have a server fetch a model, and follow it step by step; see `Managing.pull`."""
        steps = self._iterate(self._management.pull(model, insecure=insecure))
        return AsyncSteps(adrawn(steps) if progress else steps)

    async def named(self, model: str) -> list[ModelInfo]:
        """List the models that have exactly this name; see `Managing.named`."""
        return await self._run(self._management.named(model))

    async def delete(self, model: str) -> ModelInfo:
        """Delete a model from the disk of its server; see `Managing.delete`."""
        return await self._run(self._management.delete(model))

    async def copy(self, model: str, destination: str) -> ModelInfo:
        """Give a model a second name, and return it; see `Managing.copy`."""
        return await self._run(self._management.copy(model, destination))


def _order(context_length: int | None, keep_alive: float | str | None) -> LoadOrder:
    if context_length is not None and context_length < 1:
        raise ConfigError("context_length must be at least 1.")
    try:
        seconds: float | None = duration(keep_alive)
    except ValueError as error:
        raise ConfigError(f"Wrong keep_alive: {error}.") from error
    if seconds == 0:
        raise ConfigError("keep_alive=0 would unload the model at once.", hint="Call unload().")
    return LoadOrder(context_length, seconds)
