"""LangChain's chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk
from langchain_core.outputs import ChatResult as LcChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import field_validator, model_validator

from langchain_localmix._arguments import ChatArguments
from langchain_localmix._component import STRICT, Asking, Tools
from langchain_localmix._convert import (
    from_delta,
    from_result,
    to_response_format,
)
from langchain_localmix._errors import model_errors
from langchain_localmix._messages import to_messages
from langchain_localmix._profile import Profile
from langchain_localmix._structured import Form, Method, Schema, Structured, asked_for
from localmix import AsyncStream, ChatRequest, Delta, Stream
from localmix.adapting.addable import Addable
from localmix.adapting.chatting import Chatting
from localmix.types.build import chat_request
from localmix.types.spellings import Think
from localmix.types.tools import to_tool, to_tool_choice

M = TypeVar("M", bound="ChatLocalMix")


class ChatLocalMix(Asking, Chatting, BaseChatModel):
    """A chat model on whichever local server has the model.

    Setup:
        Install `localmix[langchain]`, and run Ollama or LM Studio. Nothing else need be set: the
        servers of this machine are found. Without any, GGUF files in `LOCAL_MODELS_PATH` are
        served by the embedded engine (`localmix[embedded]`).

    Key init args, completion:
        `model` (without it: the best suitable model, loaded ones first), `temperature`,
        `max_tokens`, `stop`, `seed`, `top_p`, `top_k`, `num_ctx`, `keep_alive`, `reasoning`,
        `response_format`, `logprobs`, and the rest of `localmix.GenerationRequest`. All of them
        may be given per call too; a name that is unknown is refused. Names of ChatOllama and
        ChatOpenAI are taken where they mean the same.

    Key init args, messages:
        `late_system`, the role of system messages after the first turn, and `unsupported_blocks`,
        what becomes of content that no local model takes.

    Key init args, client:
        `servers` or `base_url`, `prefer`, `api_key`, `timeout`, `max_retries`, or `client=` with a
        `localmix.Client` to share. See `localmix.adapting.connected.Connected`.

    Instantiate:
        ```python
        from langchain_localmix import ChatLocalMix

        model = ChatLocalMix(model="qwen3:8b", temperature=0)
        ```

    Invoke:
        ```python
        model.invoke("What is the capital of France?").text
        ```

    Stream:
        ```python
        for chunk in model.stream("Tell me a story."):
            print(chunk.text, end="")
        ```

    Async:
        ```python
        await model.ainvoke("What is the capital of France?")
        async for chunk in model.astream("Tell me a story."):
            print(chunk.text, end="")
        ```

    Tool calling:
        ```python
        bound = model.bind_tools([get_weather], tool_choice="any")
        bound.invoke("What is the weather in Paris?").tool_calls
        ```

    Structured output:
        ```python
        model.with_structured_output(Country).invoke("What is the capital of France?")
        ```

    Image input:
        ```python
        image = {"type": "image", "base64": data, "mime_type": "image/png"}
        model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, image])])
        ```

    Reasoning:
        ```python
        message = ChatLocalMix(model="qwen3:8b", reasoning=True).invoke("Is 91 prime?")
        message.additional_kwargs["reasoning_content"]  # or a block in message.content_blocks
        ```

    Token usage:
        ```python
        message.usage_metadata  # {'input_tokens': 19, 'output_tokens': 26, 'total_tokens': 45}
        ```

    Response metadata:
        `message.response_metadata` has `model_name`, `finish_reason`, `timings` in seconds,
        `tokens_per_second`, and the `route`: which server answered and why.

    Attributes:
        reasoning: Whether, or how much, the model should think first; `None` is its default.
        response_format: `"json"`, or the schema that every answer must follow.
    """

    model_config = STRICT
    ls_model_type = "chat"

    reasoning: Think = None
    response_format: Any = None

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[ChatArguments]) -> None: ...

    @field_validator("profile", mode="before")
    @classmethod
    def _a_profile_belongs_to_one_model(cls, profile: Any) -> Any:
        return None if isinstance(profile, Profile) else profile

    @property
    def _llm_type(self) -> str:
        return "localmix-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("reasoning", "response_format", "late_system", "unsupported_blocks")
        own = {name: getattr(self, name) for name in names}
        return super()._identifying_params | own

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """Write the key of the cache from what the fields say now.

        Core's own is kept from the first call on, also by copies that ask for another model.
        """
        known = None if self.model else self.known_model()
        asked = {"chosen": known.name if known else None, **self._options_of(stop, kwargs)}
        return str(sorted((self._identifying_params | asked).items()))

    @model_validator(mode="after")
    def _with_a_profile(self) -> Self:
        # After core's own validators: they read every key of a profile, which would ask a server.
        return _with_own_profile(self) if self.profile is None else self

    def __copy__(self) -> Self:
        return _with_own_profile(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return _with_own_profile(super().__deepcopy__(memo))

    # What may be bound

    def bind_tools(
        self,
        tools: Tools,
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools to the model.

        Args:
            tools: Tools in any form that LangChain knows; there may be none.
            tool_choice: `"auto"`, `"none"`, `"any"`, `"required"`, `True`, or the name of the
                tool that must be called, also as OpenAI writes it. It holds on every server.
            strict: Whether arguments may have no other fields than the schema.
            response_format: Schema that the answer must follow when no tool is called. Servers
                cannot do both at once: the model is then asked twice.
            **kwargs: Options to bind as well.
        """
        bound = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        given = {"tool_choice": tool_choice, "response_format": response_format}
        said = {name: value for name, value in given.items() if value is not None}
        return self.bind(tools=bound, **said, **kwargs)

    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        method: Method = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Get values instead of messages.

        What the model wrote is read with patience: a fence, words around the JSON and thoughts
        before it do no harm. If it cannot be read, the model is told why and asked once more.

        Args:
            schema: A Pydantic class, a TypedDict, a JSON schema or an OpenAI function.
            method: `json_schema` has the server hold the model to the schema, `function_calling`
                has it call a tool of that shape, `json_mode` has it write some JSON, of whatever
                shape the prompt asks for.
            include_raw: Whether to give a dictionary with `raw`, `parsed` and `parsing_error`;
                then an answer that cannot be read raises nothing.
            strict: Whether there may be no other fields than the schema's.
            **kwargs: There are none.

        Raises:
            ValueError: An argument is unknown, or there is no schema where one is needed.
        """
        if kwargs:
            raise ValueError(f"with_structured_output does not take {sorted(kwargs)}.")
        llm = self.bind(**asked_for(schema, method, strict=strict))
        by_tool = method == "function_calling"
        return Structured(llm, Form(schema, by_tool=by_tool), include_raw=include_raw)

    # Conveniences

    def load_profile(self) -> ModelProfile | None:
        """Ask the server now for what `profile` tells."""
        if isinstance(self.profile, Profile):
            with model_errors():
                self.profile.read()
        return self.profile

    async def aload_profile(self) -> ModelProfile | None:
        """Ask the server now for what `profile` tells."""
        if isinstance(self.profile, Profile):
            with model_errors():
                await self.profile.aread()
        return self.profile

    # What LangChain calls

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LcChatResult:
        with model_errors():
            result = self.client.chat(self._request(messages, stop, kwargs))
        return LcChatResult(generations=[ChatGeneration(message=from_result(result))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LcChatResult:
        with model_errors():
            result = await self.async_client.chat(self._request(messages, stop, kwargs))
        return LcChatResult(generations=[ChatGeneration(message=from_result(result))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with model_errors():
            request = self._request(messages, stop, kwargs)
            with closing(self.client.stream(request)) as deltas:
                steps = Addable(deltas, request.think)
                for delta in deltas:
                    for message in _chunks(steps.take(delta), deltas):
                        chunk = ChatGenerationChunk(message=message)
                        if run_manager:
                            run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with model_errors():
            request = self._request(messages, stop, kwargs)
            async with self.async_client.stream(request) as deltas:
                steps = Addable(deltas, request.think)
                async for delta in deltas:
                    for message in _chunks(steps.take(delta), deltas):
                        chunk = ChatGenerationChunk(message=message)
                        if run_manager:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> ChatRequest:
        options = self._options_of(stop, kwargs)
        options["think"] = options.pop("reasoning", self.reasoning)
        options["tools"] = [to_tool(tool) for tool in options.get("tools") or ()]
        options["tool_choice"] = to_tool_choice(options.get("tool_choice"))
        options["response_format"] = to_response_format(
            options.get("response_format", self.response_format)
        )
        return chat_request(to_messages(messages, self.policy), options)


def _with_own_profile(model: M) -> M:
    """Give a model a profile; a copy may ask for another model than what it was copied from."""
    if model.profile is None or isinstance(model.profile, Profile):
        model.profile = cast("ModelProfile", Profile(model))
    return model


def _chunks(step: Delta | None, stream: Stream | AsyncStream) -> list[AIMessageChunk]:
    """Write a step; logprobs come all at the end: in pieces they would not survive merging."""
    if step is None:
        return []
    return from_delta(step, stream.result.logprobs if step.finish_reason else ())
