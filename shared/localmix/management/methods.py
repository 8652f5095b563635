"""The managing methods of both clients: thin, and the same."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from localmix.following import AsyncSteps, Steps
from localmix.following.bars import adrawn, drawn
from localmix.types import ChatRequest, LoadRequest, Model, ModelInfo, PullProgress, PullRequest
from localmix.types.build import Conversation, chat_request, load_requests
from localmix.types.options import ChatOptions, LoadOptions, PullOptions
from localmix.types.signatures import naming

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

    @naming(ChatOptions, ChatRequest)
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

    @naming(LoadOptions, LoadRequest)
    def load(self, model: str | None = None, **options: Unpack[LoadOptions]) -> ModelInfo:
        """Load a model into memory, and return it as it is then.

        Whoever asks for it meanwhile waits: it is loaded once.

        Args:
            model: Its name; without one, the model for chats that name none.
            **options: See `localmix.LoadRequest`.

        Raises:
            ModelNotFoundError: No server has it.
            ModelChangedError: It has another digest than the one that was pinned.
            ModelCrashedError: It cannot be loaded.
        """
        [request] = load_requests([model], options)
        return self._driver.run(self._management.load(request))

    @naming(LoadOptions, LoadRequest)
    def preload(self, *models: str, **options: Unpack[LoadOptions]) -> list[ModelInfo]:
        """Load models side by side before they are needed; arguments as for `load`."""
        return self._driver.run(self._management.preload(load_requests(models, options)))

    def unload(self, model: str) -> list[ModelInfo]:
        """Unload a model wherever it is loaded, and return what was unloaded.

        Raises:
            ModelNotFoundError: Nothing is called exactly so; see `named`.
        """
        return self._driver.run(self._management.unload(model))

    @naming(PullOptions, PullRequest)
    def pull(self, model: str, **options: Unpack[PullOptions]) -> Steps[PullProgress]:
        """Have a server download a model, and follow the download step by step.

        An interrupted pull resumes where it stopped. Closing the iterator stops Ollama's pull, and
        the next one resumes; LM Studio cannot stop a download, and continues.

        Args:
            model: Its name; `ollama/NAME` or `lmstudio/NAME` chooses the server, else the first one
                does it that has the name in its catalogue.
            **options: See `localmix.PullRequest`.

        Raises:
            ModelNotFoundError: There is no such model; `attempts` has what each server said.
            DownloadError: The server cannot fetch it.
        """
        request = PullRequest(model=model, **options)
        steps = self._driver.iterate(self._management.pull(model, insecure=request.insecure))
        return Steps(drawn(steps) if request.progress else steps)

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
        """Delete a model from its server's disk, and return what was deleted.

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
        """List each model once, with every server that has it; see `Client.models`."""
        return await self._run(self._management.models())

    @naming(ChatOptions, ChatRequest)
    async def count_tokens(
        self, messages: Conversation, **options: Unpack[ChatOptions]
    ) -> int | None:
        """Count the tokens of a prompt, with its tools; see `Client.count_tokens`."""
        return await self._run(self._management.count_tokens(chat_request(messages, options)))

    async def running(self) -> list[ModelInfo]:
        """List the models that are in memory now, one entry for each server."""
        return await self._run(self._management.running())

    @naming(LoadOptions, LoadRequest)
    async def load(self, model: str | None = None, **options: Unpack[LoadOptions]) -> ModelInfo:
        """Load a model into memory, and return it as it is then; see `Client.load`."""
        [request] = load_requests([model], options)
        return await self._run(self._management.load(request))

    @naming(LoadOptions, LoadRequest)
    async def preload(self, *models: str, **options: Unpack[LoadOptions]) -> list[ModelInfo]:
        """Load models side by side before they are needed; arguments as for `load`."""
        return await self._run(self._management.preload(load_requests(models, options)))

    async def unload(self, model: str) -> list[ModelInfo]:
        """Unload a model wherever it is loaded, and return what was unloaded."""
        return await self._run(self._management.unload(model))

    @naming(PullOptions, PullRequest)
    def pull(self, model: str, **options: Unpack[PullOptions]) -> AsyncSteps[PullProgress]:
        """Have a server download a model, and follow it step by step; see `Client.pull`."""
        request = PullRequest(model=model, **options)
        steps = self._iterate(self._management.pull(model, insecure=request.insecure))
        return AsyncSteps(adrawn(steps) if request.progress else steps)

    async def named(self, model: str) -> list[ModelInfo]:
        """List the models that have exactly this name; see `Client.named`."""
        return await self._run(self._management.named(model))

    async def delete(self, model: str) -> ModelInfo:
        """Delete a model from the disk of its server; see `Client.delete`."""
        return await self._run(self._management.delete(model))

    async def copy(self, model: str, destination: str) -> ModelInfo:
        """Give a model a second name, and return it; see `Client.copy`."""
        return await self._run(self._management.copy(model, destination))
