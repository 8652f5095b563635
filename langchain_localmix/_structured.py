"""Answers that follow a schema: read with patience, and asked for once more if need be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langchain_core.messages.ai import add_usage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from langchain_localmix._convert import from_result, to_json_schema
from langchain_localmix._errors import UnusableAnswerError
from localmix.adapting.structured import Reading, afinish, asking, correction, finish
from localmix.types.find_json import json_in, json_so_far
from localmix.wire import jsontext

Schema = dict[str, Any] | type
Method = Literal["json_schema", "function_calling", "json_mode"]


def asked_for(schema: Schema | None, method: Method, *, strict: bool | None) -> dict[str, Any]:
    """Give the options by which a model is asked for a value.

    Raises:
        ValueError: There is no such method, or no schema where one is needed.
    """
    about = {"kwargs": {"method": method, "strict": strict}, "schema": schema}
    options: dict[str, Any] = {"ls_structured_output_format": about}
    if method == "json_mode":
        return options | {"response_format": "json"}
    if schema is None:
        raise ValueError(f"The method {method!r} needs a schema.")
    if method == "json_schema":
        return options | {"response_format": to_json_schema(schema, strict=strict)}
    if method == "function_calling":
        tool = convert_to_openai_tool(schema, strict=strict)
        choice = {"tool_choice": tool["function"]["name"], "parallel_tool_calls": False}
        return options | {"tools": [tool], **choice}
    raise ValueError(f"{method!r} is not json_schema, function_calling or json_mode.")


class Form:
    """Read a value of a schema out of messages, and ask for it once more.

    Attributes:
        by_tool: Whether the value is the arguments of a call.
    """

    def __init__(self, schema: Schema | None, *, by_tool: bool) -> None:
        self.by_tool = by_tool
        self._schema = schema
        self._kind: Any = (
            schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None
        )

    @property
    def name(self) -> str:
        """Name the schema, also in traces and graphs."""
        if isinstance(self._schema, dict):
            return str(self._schema.get("title") or self._schema.get("name") or "JSON")
        return self._schema.__name__ if self._schema else "JSON"

    @property
    def makes_instances(self) -> bool:
        """Whether values are instances of a class."""
        return self._kind is not None

    def read(self, raw: AIMessage) -> Any:
        """Read the value out of a whole answer.

        Raises:
            ValueError: There is none.
        """
        value = _value_in(raw, by_tool=self.by_tool)
        if self._kind is None:
            return _complete(value, self._schema)
        if hasattr(self._kind, "model_validate"):
            return self._kind.model_validate(value)
        return self._kind.parse_obj(value)  # pydantic's version 1

    def is_cut(self, raw: AIMessage) -> bool:
        """Tell whether the limit of tokens cut the answer."""
        return raw.response_metadata.get("finish_reason") == "length"

    def again(self, asked: LanguageModelInput, raw: AIMessage, problem: str) -> LanguageModelInput:
        """Ask once more: as a tool that could not be run, or in words."""
        schema = jsontext.text(to_json_schema(self._schema)) if self._schema else ""
        told = correction(problem, schema)
        said: list[BaseMessage] = [
            ToolMessage(told, tool_call_id=call["id"] or "", name=call["name"])
            for call in raw.tool_calls
        ]
        return [*_messages(asked), raw, *(said or [HumanMessage(told)])]

    def error(self, reading: Reading[AIMessage, Any]) -> Exception:
        """Say why there is no value."""
        raw = reading.answer
        said = raw.text or str(raw.tool_calls or raw.invalid_tool_calls)
        return reading.error(self.name, said, UnusableAnswerError)


class Structured(Runnable[LanguageModelInput, Any]):
    """Ask a model, read its answer, and ask once more with the reason if it cannot be read.

    The value is an instance where the schema is a Pydantic class, else what the JSON says; then
    streaming it shows it growing.
    """

    def __init__(
        self,
        llm: Runnable[LanguageModelInput, AIMessage],
        form: Form,
        *,
        include_raw: bool,
    ) -> None:
        self._llm = llm
        self._form = form
        self._include_raw = include_raw
        self.name = form.name

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  (the framework's name)
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Get the value."""
        return self._call_with_config(self._ask, input, config, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Get the value."""
        return await self._acall_with_config(self._aask, input, config, **kwargs)

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Get the value, each time as far as it is written."""
        once = iter([input])
        yield from self._transform_stream_with_config(once, self._follow, config, **kwargs)

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Get the value, each time as far as it is written."""

        async def once() -> AsyncIterator[LanguageModelInput]:
            yield input

        values = self._atransform_stream_with_config(once(), self._afollow, config, **kwargs)
        async for value in values:
            yield value

    def _ask(
        self, asked: LanguageModelInput, run_manager: Any, config: RunnableConfig, **kwargs: Any
    ) -> Any:
        flow = asking(self._form, asked)
        try:
            reading = finish(flow, lambda each: self._llm.invoke(each, config, **kwargs))
        except UnusableAnswerError as error:
            return self._cut(error)
        return self._output(reading)

    async def _aask(
        self, asked: LanguageModelInput, run_manager: Any, config: RunnableConfig, **kwargs: Any
    ) -> Any:
        flow = asking(self._form, asked)
        try:
            reading = await afinish(flow, lambda each: self._llm.ainvoke(each, config, **kwargs))
        except UnusableAnswerError as error:
            return self._cut(error)
        return self._output(reading)

    def _follow(
        self,
        inputs: Iterator[LanguageModelInput],
        run_manager: Any,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> Iterator[Any]:
        flow = asking(self._form, next(inputs))
        writing = _Writing(self._form.by_tool)
        try:
            for chunk in self._llm.stream(next(flow), config, **kwargs):
                writing.add(chunk)
                if self._may_grow and writing.has_grown():
                    yield writing.value
            reading = finish(
                flow, lambda each: self._llm.invoke(each, config, **kwargs), writing.message
            )
        except UnusableAnswerError as error:
            yield self._cut(error)
            return
        yield from self._rest(reading, writing)

    async def _afollow(
        self,
        inputs: AsyncIterator[LanguageModelInput],
        run_manager: Any,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        flow = asking(self._form, await anext(inputs))
        writing = _Writing(self._form.by_tool)
        try:
            async for chunk in self._llm.astream(next(flow), config, **kwargs):
                writing.add(chunk)
                if self._may_grow and writing.has_grown():
                    yield writing.value
            reading = await afinish(
                flow, lambda each: self._llm.ainvoke(each, config, **kwargs), writing.message
            )
        except UnusableAnswerError as error:
            yield self._cut(error)
            return
        for value in self._rest(reading, writing):
            yield value

    @property
    def _may_grow(self) -> bool:
        """Half an instance is none, and a raw message is whole or nothing."""
        return not (self._form.makes_instances or self._include_raw)

    def _rest(self, reading: Reading[AIMessage, Any], writing: _Writing) -> Iterator[Any]:
        output = self._output(reading)
        if not (self._may_grow and output == writing.value):
            yield output

    def _cut(self, error: UnusableAnswerError) -> Any:
        """Tell of a call that the limit of tokens cut."""
        if not self._include_raw:
            raise error
        raw = from_result(error.partial) if error.partial else AIMessage("")
        return {"raw": raw, "parsed": None, "parsing_error": error}

    def _output(self, reading: Reading[AIMessage, Any]) -> Any:
        error = self._form.error(reading) if reading.problem else None
        if self._include_raw:
            raw = _with_what_both_took(reading.first, reading.answer)
            return {"raw": raw, "parsed": reading.value, "parsing_error": error}
        if error:
            raise error from reading.problem
        return reading.value


class _Writing:
    """Follow a message that is being written."""

    def __init__(self, by_tool: bool) -> None:
        self._by_tool = by_tool
        self._merged: Any = None
        self.value: Any = None

    def add(self, chunk: Any) -> None:
        """Take the next chunk."""
        self._merged = chunk if self._merged is None else self._merged + chunk

    def has_grown(self) -> bool:
        """Read the value as far as it is written; tell whether there is more of it."""
        value = json_so_far(self._text)
        if value is None or value == self.value:
            return False
        self.value = value
        return True

    @property
    def message(self) -> AIMessage:
        """Give the message as it is now."""
        message: Any = message_chunk_to_message(self._merged)
        return message  # type: ignore[no-any-return]

    @property
    def _text(self) -> str:
        if not self._by_tool:
            return str(self._merged.text)
        calls = self._merged.tool_call_chunks if isinstance(self._merged, AIMessageChunk) else []
        return (calls[0]["args"] or "") if calls else ""


def _value_in(raw: AIMessage, *, by_tool: bool) -> Any:
    """Find the value in an answer.

    Raises:
        ValueError: There is none.
    """
    if not by_tool:
        # Some servers take an answer under a schema for reasoning.
        return json_in(raw.text or raw.additional_kwargs.get("reasoning_content", ""))
    if raw.tool_calls:
        return raw.tool_calls[0]["args"]
    if raw.invalid_tool_calls:
        return json_in(raw.invalid_tool_calls[0]["args"] or "")
    raise ValueError("the tool was not called")


def _complete(value: Any, schema: Schema | None) -> Any:
    """Give the value, if it has what its schema asks for at least.

    Raises:
        ValueError: It lacks a field.
    """
    required = to_json_schema(schema).get("required", ()) if schema else ()
    missing = [name for name in required if not (isinstance(value, dict) and name in value)]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    return value


def _with_what_both_took(first: AIMessage | None, second: AIMessage) -> AIMessage:
    """Give the second of two answers with the tokens of both, and the routes of both."""
    if first is None:
        return second
    about = second.response_metadata
    route = {**about.get("route", {}), "earlier": [first.response_metadata.get("route", {})]}
    known = first.usage_metadata and second.usage_metadata
    usage = add_usage(first.usage_metadata, second.usage_metadata) if known else None
    told = {"usage_metadata": usage, "response_metadata": {**about, "route": route}}
    return second.model_copy(update=told)


def _messages(asked: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(asked, PromptValue):
        return asked.to_messages()
    return convert_to_messages([asked] if isinstance(asked, str) else asked)
