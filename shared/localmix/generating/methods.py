"""The methods of both clients that get text: thin, and the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from pydantic import BaseModel

from localmix.following import AsyncStream, Stream
from localmix.generating.forms import formed
from localmix.generating.runs import Run, afinish, finish
from localmix.types import ChatRequest, ChatResult, CompletionRequest, GenerationRequest, RunResult
from localmix.types.build import Conversation, chat_request, completion_request
from localmix.types.options import ChatOptions, CompletionOptions, FormlessOptions, TalkOptions
from localmix.types.signatures import naming

if TYPE_CHECKING:
    from localmix.routing.answering import Answering
    from localmix.transport import Transport
    from localmix.wire.flows import Flow

MAX_TURNS = 10

P = TypeVar("P", bound=BaseModel)
T = TypeVar("T")


class Generating:
    """Text from a model, for ordinary code."""

    _requests: Answering

    @property
    def _driver(self) -> Transport:
        raise NotImplementedError

    def _stream(self, request: GenerationRequest) -> Stream:
        raise NotImplementedError

    @overload
    def chat(
        self,
        messages: Conversation,
        *,
        response_format: type[P],
        **options: Unpack[FormlessOptions],
    ) -> ChatResult[P]: ...
    @overload
    def chat(self, messages: Conversation, **options: Unpack[ChatOptions]) -> ChatResult: ...
    @naming(ChatOptions, ChatRequest)
    def chat(self, messages: Conversation, **options: Any) -> ChatResult[Any]:
        """Get the next turn of a conversation, whole.

        Args:
            messages: A text, a `Message`, a list of messages, or a `ChatRequest`.
            **options: See `localmix.ChatRequest`. With a pydantic class as `response_format`, the
                answer's `parsed` is an object of it.

        Raises:
            LocalMixError: See `localmix.errors`; after a fail-over it lists every attempt.
        """
        return self._driver.run(formed(self._requests, chat_request(messages, options)))

    @overload
    def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = ...,
        response_format: type[P],
        **options: Unpack[TalkOptions],
    ) -> RunResult[P]: ...
    @overload
    def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = ...,
        response_format: Literal["json"] | Mapping[str, Any] | None = ...,
        **options: Unpack[TalkOptions],
    ) -> RunResult: ...
    @naming(ChatOptions, ChatRequest)
    def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = MAX_TURNS,
        **options: Any,
    ) -> RunResult[Any]:
        """Run a conversation in which the model calls Python functions, until it answers.

        The model receives what a function returns as text or JSON, and also exceptions and
        what is wrong with the arguments that it wrote.

        Args:
            messages: As for `chat`.
            tools: The functions; annotations and docstrings tell the model what they are for.
            max_turns: The most answers to ask the model for.
            **options: As for `chat`.

        Raises:
            TurnLimitError: The model still calls tools at the last turn; `partial` holds the rest.
            LocalMixError: See `localmix.errors`.
        """
        request = chat_request(messages, {**options, "tools": tools})
        run = Run.of(request, tools, max_turns).without_waiting()
        return finish(run.steps(), lambda one: self._driver.run(formed(self._requests, one)))

    @naming(ChatOptions, ChatRequest)
    def stream(self, messages: Conversation, **options: Unpack[ChatOptions]) -> Stream:
        """Stream the next turn of a conversation as it is written; arguments as for `chat`."""
        return self._stream(chat_request(messages, options))

    @naming(CompletionOptions, CompletionRequest)
    def complete(
        self, prompt: str | CompletionRequest, **options: Unpack[CompletionOptions]
    ) -> ChatResult:
        """Continue a text, or what a `CompletionRequest` says, without a chat template."""
        return self._driver.run(self._requests.generate(completion_request(prompt, options)))

    @naming(CompletionOptions, CompletionRequest)
    def stream_complete(
        self, prompt: str | CompletionRequest, **options: Unpack[CompletionOptions]
    ) -> Stream:
        """Stream the continuation of a text as it is written; arguments as for `complete`."""
        return self._stream(completion_request(prompt, options))


class AsyncGenerating:
    """Text from a model, for asynchronous code; see `Generating`."""

    _requests: Answering

    async def _run(self, flow: Flow[T]) -> T:
        raise NotImplementedError

    def _stream(self, request: GenerationRequest) -> AsyncStream:
        raise NotImplementedError

    @overload
    async def chat(
        self,
        messages: Conversation,
        *,
        response_format: type[P],
        **options: Unpack[FormlessOptions],
    ) -> ChatResult[P]: ...
    @overload
    async def chat(self, messages: Conversation, **options: Unpack[ChatOptions]) -> ChatResult: ...
    @naming(ChatOptions, ChatRequest)
    async def chat(self, messages: Conversation, **options: Any) -> ChatResult[Any]:
        """Get the next turn of a conversation, whole; see `Client.chat`."""
        return await self._run(formed(self._requests, chat_request(messages, options)))

    @overload
    async def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = ...,
        response_format: type[P],
        **options: Unpack[TalkOptions],
    ) -> RunResult[P]: ...
    @overload
    async def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = ...,
        response_format: Literal["json"] | Mapping[str, Any] | None = ...,
        **options: Unpack[TalkOptions],
    ) -> RunResult: ...
    @naming(ChatOptions, ChatRequest)
    async def run(
        self,
        messages: Conversation,
        tools: Sequence[Callable[..., Any]],
        *,
        max_turns: int = MAX_TURNS,
        **options: Any,
    ) -> RunResult[Any]:
        """Have a conversation in which the model calls functions, until it answers.

        Coroutine functions are awaited, others run in threads, those of one answer side by side;
        see `Client.run`.
        """
        request = chat_request(messages, {**options, "tools": tools})
        run = Run.of(request, tools, max_turns)
        return await afinish(run.steps(), lambda one: self._run(formed(self._requests, one)))

    @naming(ChatOptions, ChatRequest)
    def stream(self, messages: Conversation, **options: Unpack[ChatOptions]) -> AsyncStream:
        """Stream the next turn of a conversation as it is written; arguments as for `chat`."""
        return self._stream(chat_request(messages, options))

    @naming(CompletionOptions, CompletionRequest)
    async def complete(
        self, prompt: str | CompletionRequest, **options: Unpack[CompletionOptions]
    ) -> ChatResult:
        """Continue a text, or what a `CompletionRequest` says, without a chat template."""
        return await self._run(self._requests.generate(completion_request(prompt, options)))

    @naming(CompletionOptions, CompletionRequest)
    def stream_complete(
        self, prompt: str | CompletionRequest, **options: Unpack[CompletionOptions]
    ) -> AsyncStream:
        """Stream the continuation of a text as it is written; arguments as for `complete`."""
        return self._stream(completion_request(prompt, options))
