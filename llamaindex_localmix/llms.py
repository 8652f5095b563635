"""LlamaIndex's LLM."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

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
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from pydantic import ConfigDict, Field

from llamaindex_localmix._convert import from_result, to_completion, to_messages, to_tools
from localmix import ChatRequest
from localmix.ask import chat_request
from localmix.connected import Generating
from localmix.types import ThinkLevel

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool


class LocalMix(Generating, FunctionCallingLLM):
    """Ask a model on whichever local server has it.

        from llamaindex_localmix import LocalMix

        llm = LocalMix(model="qwen3:8b", temperature=0)
        print(llm.complete("What is the capital of France?"))

    Attributes:
        context_window: Tokens that LlamaIndex may fill; set it to what the server has loaded.
        is_function_calling_model: Whether the model can call tools.
    """

    model_config = ConfigDict(extra="forbid")  # the framework's own would ignore misspelt options

    think: bool | ThinkLevel | None = None
    context_window: int = Field(default=4096, gt=0)
    is_function_calling_model: bool = True

    @classmethod
    def class_name(cls) -> str:
        """Name the class in serialized data."""
        return "LocalMix_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """Describe the model, from what was configured alone: no I/O."""
        return LLMMetadata(
            context_window=self.num_ctx or self.context_window,
            num_output=self.max_tokens or 256,
            is_chat_model=True,
            is_function_calling_model=self.is_function_calling_model,
            model_name=self.model or "auto",
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
        return self._astream_chat(messages, kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt."""
        return to_completion(self._chat(_prompt(prompt), kwargs))

    @llm_completion_callback()
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt."""
        return to_completion(await self._achat(_prompt(prompt), kwargs))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt, as the answer is written."""
        return (to_completion(step) for step in self._stream_chat(_prompt(prompt), kwargs))

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Answer a prompt, as the answer is written."""
        steps = self._astream_chat(_prompt(prompt), kwargs)
        return (to_completion(step) async for step in steps)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """List the tool calls of an answer, also of one that is still being written."""
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError("Expected at least one tool call, but the model made none.")
        return [_selection(call) for call in calls]

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
        choice = kwargs.pop("tool_choice", None) or ("required" if tool_required else "auto")
        return {
            "messages": [*(chat_history or []), *([user_msg] if user_msg else [])],
            "tools": to_tools(tools),
            "tool_choice": choice if tools else "auto",
            **kwargs,
        }

    def _chat(self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> ChatResponse:
        return from_result(self.client.chat(self._request(messages, kwargs)))

    async def _achat(self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> ChatResponse:
        return from_result(await self.async_client.chat(self._request(messages, kwargs)))

    def _stream_chat(
        self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]
    ) -> ChatResponseGen:
        with closing(self.client.stream(self._request(messages, kwargs))) as deltas:
            for delta in deltas:
                yield from_result(deltas.result, delta)

    async def _astream_chat(
        self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]
    ) -> ChatResponseAsyncGen:
        async with self.async_client.stream(self._request(messages, kwargs)) as deltas:
            async for delta in deltas:
                yield from_result(deltas.result, delta)

    def _request(self, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> ChatRequest:
        """Merge the options of the call over those of the LLM."""
        options = self.options(**{"think": self.think, **kwargs})
        return chat_request(to_messages(messages), options)


def _prompt(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole.USER, content=prompt)]


def _selection(call: ToolCallBlock) -> ToolSelection:
    said = call.tool_kwargs
    try:
        kwargs = parse_partial_json(said) if isinstance(said, str) else said
    except ValueError:
        kwargs = {}
    return ToolSelection(
        tool_id=call.tool_call_id or call.tool_name, tool_name=call.tool_name, tool_kwargs=kwargs
    )
