"""LangChain's chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk
from langchain_core.outputs import ChatResult as LcChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from langchain_localmix._convert import (
    PROVIDER,
    from_delta,
    from_result,
    to_messages,
    to_response_format,
    to_tool_choice,
    to_tools,
)
from localmix import ChatRequest
from localmix.ask import chat_request
from localmix.connected import Generating
from localmix.types import ThinkLevel


class ChatLocalMix(Generating, BaseChatModel):
    """Chat with a model on whichever local server has it.

    Setup:
        Install `localmix[langchain]` and run Ollama or LM Studio.

    Instantiate:
        ```python
        from langchain_localmix import ChatLocalMix

        model = ChatLocalMix(model="qwen3:8b", temperature=0)
        ```

    Invoke:
        ```python
        model.invoke("What is the capital of France?").content
        ```

    Stream:
        ```python
        for chunk in model.stream("Tell me a story."):
            print(chunk.text, end="")
        ```
    """

    model_config = ConfigDict(extra="forbid")  # the framework's own would ignore misspelt options

    reasoning: bool | ThinkLevel | None = None

    @property
    def _llm_type(self) -> str:
        return "localmix-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        servers = [server.url for server in self.places]
        return self.options(servers=servers, reasoning=self.reasoning)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        asked = {**self._identifying_params, **kwargs}
        params = LangSmithParams(
            ls_provider=PROVIDER, ls_model_type="chat", ls_model_name=asked["model"] or "auto"
        )
        if asked["temperature"] is not None:
            params["ls_temperature"] = asked["temperature"]
        if asked["max_tokens"] is not None:
            params["ls_max_tokens"] = asked["max_tokens"]
        if stops := stop or asked["stop"]:
            params["ls_stop"] = list(stops)
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | Literal[True] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools to the model.

        Args:
            tools: Tools in any form that LangChain knows.
            tool_choice: `"auto"`, `"none"`, `"any"`, `"required"`, `True`, or the name of the
                tool that must be called.
            **kwargs: Options to bind as well.
        """
        bound = [convert_to_openai_tool(tool) for tool in tools]
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=bound, **choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LcChatResult:
        result = self.client.chat(self._request(messages, stop, kwargs))
        return LcChatResult(generations=[ChatGeneration(message=from_result(result))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LcChatResult:
        result = await self.async_client.chat(self._request(messages, stop, kwargs))
        return LcChatResult(generations=[ChatGeneration(message=from_result(result))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with closing(self.client.stream(self._request(messages, stop, kwargs))) as deltas:
            for delta in deltas:
                yield ChatGenerationChunk(message=from_delta(delta))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with self.async_client.stream(self._request(messages, stop, kwargs)) as deltas:
            async for delta in deltas:
                yield ChatGenerationChunk(message=from_delta(delta))

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> ChatRequest:
        """Merge the options of the call over those of the model."""
        options = self.options(**kwargs)
        options.pop("stream", None)
        options["stop"] = stop or options["stop"]
        options["think"] = options.pop("reasoning", self.reasoning)
        options["tools"] = to_tools(options.get("tools") or ())
        options["tool_choice"] = to_tool_choice(options.get("tool_choice"))
        options["response_format"] = to_response_format(options.get("response_format"))
        return chat_request(to_messages(messages), options)
