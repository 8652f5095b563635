"""Our answers to LlamaIndex's responses; no I/O."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)

from llamaindex_localmix._tools import from_tool_call, to_plain
from localmix import ChatResult, Delta, Usage
from localmix.adapting.metrics import metrics_of
from localmix.types import TokenLogprob


def from_result(result: ChatResult, delta: Delta | None = None) -> ChatResponse:
    """Write what an answer is so far; `delta` is its last step, if it is streamed."""
    calls = result.tool_calls
    blocks: list[ContentBlock] = [TextBlock(text=result.content)]
    if result.reasoning:
        tokens = result.usage.reasoning_tokens if result.usage else None
        blocks.insert(0, ThinkingBlock(content=result.reasoning, num_tokens=tokens))
    kwargs: dict[str, Any] = {}
    if calls:
        blocks += map(from_tool_call, calls)
        # Core's own streaming programs and chat engines look only at the plain list.
        kwargs["tool_calls"] = [to_plain(call) for call in calls]
    usage = _from_usage(result.usage) if result.finish_reason and result.usage else {}
    thought = {} if delta is None else {"thinking_delta": delta.reasoning or None}
    return ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=kwargs),
        delta=None if delta is None else delta.content,
        raw=_raw(result, usage),
        logprobs=[_from_logprob(each) for each in result.logprobs] if result.logprobs else None,
        additional_kwargs=thought | usage,
    )


def to_completion(response: ChatResponse) -> CompletionResponse:
    """Write a chat answer as the answer to a prompt."""
    return CompletionResponse(
        text=response.message.content or "",
        delta=response.delta,
        raw=response.raw,
        logprobs=response.logprobs,
        additional_kwargs=response.message.additional_kwargs | response.additional_kwargs,
    )


def _raw(result: ChatResult, usage: dict[str, int]) -> dict[str, Any]:
    """Tell usage, timings and route, once the answer is whole; plain JSON."""
    if result.finish_reason is None:
        return {}
    return {"model": result.model} | ({"usage": usage} if usage else {}) | metrics_of(result)


def _from_usage(usage: Usage) -> dict[str, int]:
    """Name the counts as LlamaIndex's `TokenCountingHandler` looks for them."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }


def _from_logprob(token: TokenLogprob) -> list[LogProb]:
    """Write the likeliest tokens of a place; the one that was taken, where no others are known."""
    return [LogProb(token=each.token, logprob=each.logprob) for each in token.top or (token,)]
