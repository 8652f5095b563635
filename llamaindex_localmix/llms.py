"""LlamaIndex's LLM."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.constants import DEFAULT_NUM_OUTPUTS
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import ConfigDict, Field

from llamaindex_localmix._arguments import LLMArguments
from llamaindex_localmix._component import Component
from llamaindex_localmix._messages import Policy, must_read, to_messages
from llamaindex_localmix._responses import from_result, to_completion
from llamaindex_localmix._structured import StructuredPredicting
from llamaindex_localmix._tokens import TokenRatio
from llamaindex_localmix._tools import (
    calls_in,
    definition_of,
    to_selection,
    to_tools,
)
from localmix import AsyncStream, ChatRequest, ChatResult, Message, ModelInfo, Stream
from localmix.adapting.addable import Addable
from localmix.adapting.chatting import Chatting
from localmix.adapting.describing import window_of
from localmix.types.build import chat_request
from localmix.types.spellings import Form, Think
from localmix.types.tools import to_tool_choice

# What servers give a model whose own window is not known yet; Ollama's smallest default.
_USUAL_WINDOW = 4096


class LocalMix(Component, Chatting, StructuredPredicting):
    """An LLM on whichever local server has the model.

        from llamaindex_localmix import LocalMix

        llm = LocalMix(model="qwen3:8b", temperature=0)
        print(llm.complete("What is the capital of France?"))

    Where to ask is said by `model` (without it: the best suitable one), `servers` or `base_url`,
    `prefer`, `api_key`, `timeout` and its kin, or `client=`; see
    `localmix.adapting.connected.Connected`.
    Constructing opens nothing.

    Every option of `localmix.ChatRequest` can be given here and, for one call, as a keyword
    argument of that call; an unknown one is an error. What an answer took and where it came from
    stands in `raw` of its (last) response: `usage`, `timings`, `tokens_per_second`,
    `finish_reason`, `route`.

    Stream, also in a loop:
        for step in llm.stream_complete("Count to five."):
            print(step.delta, end="")
        async for step in await llm.astream_complete("Count to five."):
            print(step.delta, end="")

    Call tools, which agents do by themselves:
        response = llm.chat_with_tools([tool], "What is the weather in Paris?", tool_choice="any")
        llm.get_tool_calls_from_response(response)

    Get objects; `pydantic_program_mode` says how they are asked for:
        llm.structured_predict(Person, PromptTemplate("Extract the person: {text}"), text="...")

    Look around: `list_models()`, `list_servers()`, `route()`, `model_info()`, `preload()`, each
    with an asynchronous twin.

    Attributes:
        think: Whether, or how much, the model should think first; `None` is its default. What it
            thought comes as a `ThinkingBlock`, and streamed as `thinking_delta`.
        response_format: `"json"`, or the JSON schema that every answer must follow, also as a
            pydantic class or in OpenAI's dictionary.
        num_ctx: Context window in tokens to ask Ollama for; elsewhere it is what must be there.
        context_window: Tokens that LlamaIndex may fill, where it shall not be what is known of the
            model: `num_ctx`, else what is loaded.
        is_function_calling_model: Whether the model can call tools; `None` is what is known of it.
        allow_files: Whether images and documents may be paths on this machine.
        allow_urls: Whether images and documents may be addresses, which are then fetched.
        tokenizer: Cuts a text into tokens; by default an estimate that learns from every answer.
            LlamaIndex uses it after `Settings.tokenizer = llm.tokenizer`.
    """

    # The framework's own would ignore misspelt options.
    model_config = ConfigDict(extra="forbid")

    think: Think = None
    response_format: Form = None
    context_window: int | None = Field(default=None, gt=0)
    is_function_calling_model: bool | None = None
    allow_files: bool = False
    allow_urls: bool = False
    tokenizer: Callable[[str], list[Any]] = Field(
        default_factory=TokenRatio, exclude=True, repr=False
    )

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[LLMArguments]) -> None: ...

    @classmethod
    def class_name(cls) -> str:
        """Name the class in serialized data."""
        return "LocalMix_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex sizes its prompts by.

        Where nothing fresh is known of the model, the servers are asked: once, and for as long as
        they have to show what they are. This never fails; what nobody tells is what servers usually
        do (4,096 tokens, tools).

        Warning:
            A property cannot await: inside an event loop this may hold up the loop, for as long as
            a local server takes and at most `probe_timeout` (1 s). `await llm.amodel_info()`
            beforehand, and it asks nobody.
        """
        return self._described(self._look())

    def to_payload(self) -> dict[str, Any]:
        """Describe the model for events, by what is known already: no call waits for that."""
        return {"class_name": self.class_name(), **self._described(self.known_model()).model_dump()}

    def _described(self, model: ModelInfo | None) -> LLMMetadata:
        window = self.context_window or window_of(model, self.num_ctx) or _USUAL_WINDOW
        calls_tools = self.is_function_calling_model
        if calls_tools is None:
            calls_tools = model is None or model.can("tools") is not False
        return LLMMetadata(
            context_window=window,
            # LlamaIndex keeps this much free, and fails where nothing is left for the prompt.
            num_output=min(self.max_tokens or DEFAULT_NUM_OUTPUTS, window // 2),
            is_chat_model=True,
            is_function_calling_model=calls_tools,
            model_name=self.model or (model.name if model else "auto"),
        )

    # The public endpoints are decorated and call the bare ones below: one event for each call.

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Get the next turn of a conversation."""
        return self._chat(messages, kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Get the next turn of a conversation."""
        return await self._achat(messages, kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Get the next turn of a conversation, as it is written."""
        return self._stream_chat(messages, kwargs)

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Get the next turn of a conversation, as it is written."""
        return await self._astream_chat(messages, kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt.

        Args:
            prompt: The user's words.
            formatted: Whether the prompt is in the model's own template already: then it is
                continued as it stands, without a chat template.
            **kwargs: Options for this call.
        """
        if formatted:
            result = self.client.complete(prompt, **self.options(**kwargs))
            return to_completion(from_result(result))
        return to_completion(self._chat(_turn(prompt), kwargs))

    @llm_completion_callback()
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt; see `complete`."""
        if formatted:
            result = await self.async_client.complete(prompt, **self.options(**kwargs))
            return to_completion(from_result(result))
        return to_completion(await self._achat(_turn(prompt), kwargs))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt, as the answer is written; see `complete`."""
        if formatted:
            stream = self.client.stream_complete(prompt, **self.options(**kwargs))
            steps = _steps(stream, Addable(stream, think=False))
        else:
            steps = self._stream_chat(_turn(prompt), kwargs)
        return (to_completion(step) for step in steps)

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Answer a prompt, as the answer is written; see `complete`."""
        if formatted:
            options = self.options(**kwargs)
            stream = self.async_client.stream_complete(prompt, **options)
            steps = _asteps(stream, Addable(stream, think=False))
        else:
            steps = await self._astream_chat(_turn(prompt), kwargs)
        return (to_completion(step) async for step in steps)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """List the tool calls of an answer, also of one that is still being written."""
        calls = calls_in(response.message)
        if not calls and error_on_no_tool_call:
            raise ValueError("Expected at least one tool call, but the model made none.")
        return [to_selection(call, place) for place, call in enumerate(calls)]

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        if isinstance(user_msg, str):
            user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
        choice = to_tool_choice(kwargs.pop("tool_choice", None))
        if tool_required and choice == "auto":
            choice = "required"
        return {
            "messages": [*(chat_history or []), *([user_msg] if user_msg else [])],
            "tools": [definition_of(tool) for tool in tools],
            "tool_choice": choice if tools else "auto",
            "allow_parallel_tool_calls": allow_parallel_tool_calls,
            **kwargs,
        }

    def _chat(self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> ChatResponse:
        request = self._request(to_messages(messages, self.policy), kwargs)
        result = self.client.chat(request)
        self._learn(request, result)
        return from_result(result)

    async def _achat(self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> ChatResponse:
        request = self._request(await self._read(messages), kwargs)
        result = await self.async_client.chat(request)
        self._learn(request, result)
        return from_result(result)

    def _stream_chat(
        self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]
    ) -> ChatResponseGen:
        request = self._request(to_messages(messages, self.policy), kwargs)
        stream = self.client.stream(request)
        steps = Addable(stream, request.think)
        return _steps(stream, steps, partial(self._learn, request))

    async def _astream_chat(
        self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]
    ) -> ChatResponseAsyncGen:
        request = self._request(await self._read(messages), kwargs)
        stream = self.async_client.stream(request)
        steps = Addable(stream, request.think)
        return _asteps(stream, steps, partial(self._learn, request))

    async def _read(self, messages: Sequence[ChatMessage]) -> list[Message]:
        """Read messages; off the loop where a file or an address must be read."""
        if must_read(messages):
            return await asyncio.to_thread(to_messages, messages, self.policy)
        return to_messages(messages, self.policy)

    def _request(self, messages: list[Message], kwargs: dict[str, Any]) -> ChatRequest:
        """Merge the call's options over the LLM's."""
        own = {"think": self.think, "response_format": self.response_format}
        options = own | self.options(**kwargs)
        if options.pop("allow_parallel_tool_calls", None) is False:
            options["parallel_tool_calls"] = False
        options["tools"] = to_tools(options.get("tools"))
        options["tool_choice"] = to_tool_choice(options.get("tool_choice"))
        return chat_request(messages, options)

    def _learn(self, request: ChatRequest, result: ChatResult) -> None:
        if isinstance(self.tokenizer, TokenRatio):
            self.tokenizer.learn(request, result)

    @property
    def policy(self) -> Policy:
        """What becomes of messages, and what of them may be read."""
        return Policy(
            unsupported=self.unsupported_blocks,
            late_system=self.late_system,
            read_files=self.allow_files,
            fetch_urls=self.allow_urls,
        )


def _turn(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole.USER, content=prompt)]


def _steps(
    stream: Stream, steps: Addable, learn: Callable[[ChatResult], None] = lambda _: None
) -> ChatResponseGen:
    with closing(stream):
        for delta in stream:
            if step := steps.take(delta):
                yield from_result(stream.result, step)
    learn(stream.result)


async def _asteps(
    stream: AsyncStream,
    steps: Addable,
    learn: Callable[[ChatResult], None] = lambda _: None,
) -> ChatResponseAsyncGen:
    async with stream:
        async for delta in stream:
            if step := steps.take(delta):
                yield from_result(stream.result, step)
    learn(stream.result)
