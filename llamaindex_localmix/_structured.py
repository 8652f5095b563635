"""Answers as objects: asked for by schema, as a tool call, or in plain text.

A `Form` knows how to ask for an object and how to read it; `localmix.adapting.structured` asks, and
asks once more when an answer is of no use. The four methods only drive that, in their colour.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, Literal, TypeVar, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.output_parsers.pydantic import PydanticOutputParser
from llama_index.core.program.utils import FlexibleModel, create_flexible_model
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, ValidationError

from llamaindex_localmix._tools import calls_in
from localmix import Tool
from localmix.adapting.structured import Flow, Reading, afinish, asking, correction, finish
from localmix.errors import ConfigError
from localmix.types.find_json import json_in, json_so_far
from localmix.wire import jsontext

M = TypeVar("M", bound=BaseModel)
Messages = list[ChatMessage]
Way = Literal["schema", "tool", "text"]
_WAYS: dict[PydanticProgramMode, Way] = {
    PydanticProgramMode.DEFAULT: "schema",
    PydanticProgramMode.FUNCTION: "tool",
    PydanticProgramMode.LLM: "text",
}
# Core's own programs drop these as well: how the object is asked for is decided here.
_DECIDED_HERE = ("tools", "tool_choice", "tool_required", "allow_parallel_tool_calls")
Predicting = Flow[Messages, ChatResponse, M]
_dispatcher = get_dispatcher(__name__)


@dataclass(frozen=True)
class Form(Generic[M]):
    """A class whose objects are asked for: how that is done, and how an answer is read."""

    output_cls: type[M]
    way: Way

    @cached_property
    def tool(self) -> Tool:
        """The object as a tool whose arguments are its fields."""
        schema = self.output_cls.model_json_schema()
        if schema.get("type") != "object":
            raise ConfigError(
                f"{self.output_cls.__name__} is not an object, so it cannot be the arguments of a"
                " tool.",
                hint="Use PydanticProgramMode.DEFAULT, or put it into a field of a model.",
            )
        name = "".join(c if c.isalnum() else "_" for c in self.output_cls.__name__)
        return Tool(name=name, description=schema.get("description", ""), parameters=schema)

    def options(self) -> dict[str, Any]:
        """Give the options that make the model write one."""
        if self.way == "schema":
            return {"response_format": self.output_cls.model_json_schema()}
        if self.way == "tool":
            return {"tools": [self.tool], "tool_choice": self.tool.name, "response_format": None}
        return {"response_format": None}

    def messages(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """Put the schema into words where nothing else tells the model of it."""
        if self.way != "text":
            return list(messages)
        *before, last = messages
        words = PydanticOutputParser(self.output_cls).get_format_string(escape_json=False)
        return [*before, _with_text(last, words)]

    def read(self, response: ChatResponse) -> M:
        """Read the object out of a whole answer.

        Raises:
            ValueError: There is none.
        """
        return self.output_cls.model_validate_json(jsontext.text(json_in(_answer(response))))

    def is_cut(self, response: ChatResponse) -> bool:
        """Tell whether the limit of tokens cut the answer."""
        return (response.raw or {}).get("finish_reason") == "length"

    def again(self, asked: Messages, response: ChatResponse, problem: str) -> Messages:
        """Show the model its answer, and say what is wrong with it."""
        said = ChatMessage(role=MessageRole.ASSISTANT, content=_answer(response))
        told = correction(problem, jsontext.text(self.output_cls.model_json_schema()))
        return [*asked, said, ChatMessage(role=MessageRole.USER, content=told)]

    def predicting(self, messages: Sequence[ChatMessage]) -> Predicting[M]:
        """Yield the messages to send, take the response, and ask once more if it is of no use."""
        return asking(self, self.messages(messages))

    def made(self, reading: Reading[ChatResponse, M]) -> M:
        """Give the object.

        Raises:
            UnusableAnswerError: There is none; the error says what is wrong with the answer.
        """
        if reading.problem:
            error = reading.error(self.output_cls.__name__, _answer(reading.answer))
            raise error from reading.problem
        return cast("M", reading.value)

    def partial(self, response: ChatResponse) -> M | FlexibleModel | None:
        """Read what there is of the object so far, if anything."""
        value = json_so_far(_written(response))
        if not isinstance(value, dict):
            return None
        try:
            return self.output_cls.model_validate(value)
        except ValidationError:
            return self._flexible.model_validate(value)

    @cached_property
    def _flexible(self) -> type[FlexibleModel]:
        return create_flexible_model(self.output_cls)


class StructuredPredicting(FunctionCallingLLM):
    """Predict objects; modes that are not ours are left to LlamaIndex's own programs."""

    @_dispatcher.span
    def structured_predict(
        self,
        output_cls: type[M],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> M:
        """Get an object of a class.

        `pydantic_program_mode` chooses how: `DEFAULT` by a schema that the server enforces,
        `FUNCTION` as a tool call, `LLM` by describing it in the prompt. An answer that cannot be
        read is asked for once more.

        Raises:
            UnusableAnswerError: The model wrote no such object (also a `ValueError`).
        """
        if (form := self._form(output_cls)) is None:
            return cast(
                "M", super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            )
        _tell_start(output_cls, prompt, prompt_args)
        options = _options(form, llm_kwargs)
        flow = form.predicting(self._filled(prompt, prompt_args))
        return _tell_end(form.made(finish(flow, partial(self.chat, **options))))

    @_dispatcher.span
    async def astructured_predict(
        self,
        output_cls: type[M],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> M:
        """Get an object of a class; see `structured_predict`."""
        if (form := self._form(output_cls)) is None:
            return cast(
                "M",
                await super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args),
            )
        _tell_start(output_cls, prompt, prompt_args)
        options = _options(form, llm_kwargs)
        flow = form.predicting(self._filled(prompt, prompt_args))
        return _tell_end(form.made(await afinish(flow, partial(self.achat, **options))))

    # Core calls these two for the streamed siblings, and tells of their events itself.

    def _structured_stream_call(
        self,
        output_cls: type[M],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any]:
        if (form := self._form(output_cls)) is None:
            return super()._structured_stream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        flow = form.predicting(self._filled(prompt, prompt_args))
        return self._streamed(form, flow, _options(form, llm_kwargs))

    def _streamed(
        self, form: Form[M], flow: Predicting[M], options: dict[str, Any]
    ) -> Generator[Any]:
        response, shown = None, None
        with closing(self.stream_chat(next(flow), **options)) as responses:
            for response in responses:
                if (so_far := form.partial(response)) not in (None, shown):
                    yield (shown := so_far)
        whole = form.made(finish(flow, partial(self.chat, **options), response))
        if whole != shown:
            yield whole

    async def _structured_astream_call(
        self,
        output_cls: type[M],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any]:
        if (form := self._form(output_cls)) is None:
            return await super()._structured_astream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        flow = form.predicting(self._filled(prompt, prompt_args))
        return self._astreamed(form, flow, _options(form, llm_kwargs))

    async def _astreamed(
        self,
        form: Form[M],
        flow: Predicting[M],
        options: dict[str, Any],
    ) -> AsyncGenerator[Any]:
        response, shown = None, None
        async with aclosing(await self.astream_chat(next(flow), **options)) as responses:
            async for response in responses:
                if (so_far := form.partial(response)) not in (None, shown):
                    yield (shown := so_far)
        reading = await afinish(flow, partial(self.achat, **options), response)
        whole = form.made(reading)
        if whole != shown:
            yield whole

    def _form(self, output_cls: type[M]) -> Form[M] | None:
        way = _WAYS.get(self.pydantic_program_mode)
        return Form(output_cls, way) if way else None

    def _filled(self, prompt: PromptTemplate, prompt_args: dict[str, Any]) -> list[ChatMessage]:
        return self._extend_messages(prompt.format_messages(llm=self, **prompt_args))


def _options(form: Form[Any], llm_kwargs: dict[str, Any] | None) -> dict[str, Any]:
    given = {name: value for name, value in (llm_kwargs or {}).items() if name not in _DECIDED_HERE}
    return given | form.options()


def _tell_start(output_cls: type[M], prompt: PromptTemplate, args: dict[str, Any]) -> None:
    _dispatcher.event(
        LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=args)
    )


def _tell_end(output: M) -> M:
    _dispatcher.event(LLMStructuredPredictEndEvent(output=output))
    return output


def _written(response: ChatResponse) -> str:
    """Give what should be JSON: the arguments of the call, or else the text."""
    for call in calls_in(response.message):
        said = call.tool_kwargs
        return said if isinstance(said, str) else jsontext.text(said)
    return response.message.content or ""


def _answer(response: ChatResponse) -> str:
    # Some servers take an answer under a schema for thoughts.
    return _written(response) or _thoughts(response)


def _thoughts(response: ChatResponse) -> str:
    blocks = response.message.blocks
    return "".join(block.content or "" for block in blocks if isinstance(block, ThinkingBlock))


def _with_text(message: ChatMessage, text: str) -> ChatMessage:
    """Add to a message without touching it."""
    blocks = [*message.blocks, TextBlock(text=f"\n\n{text}")]
    return ChatMessage(
        role=message.role, blocks=blocks, additional_kwargs=message.additional_kwargs
    )
