"""LangChain's schemas to ours, and our answers to LangChain's; no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages import InvalidToolCall as LcInvalidToolCall
from langchain_core.messages import ToolCall as LcToolCall
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.utils.function_calling import convert_to_json_schema

from localmix import ChatResult, Delta, ToolCall, Usage
from localmix.adapting.metrics import metrics_of
from localmix.errors import ConfigError
from localmix.types import TokenLogprob
from localmix.types.spellings import form_of

PROVIDER = "localmix"
# LangChain merges blocks of equal index; tool calls must be out of reach of text and reasoning,
# which it numbers from 0.
TOOL_CALL_INDEX = 1000


def to_response_format(response_format: Any) -> Any:
    """Read a response format in OpenAI's form, or a schema in any form that LangChain knows."""
    if isinstance(response_format, type):
        return to_json_schema(response_format)
    form = form_of(response_format)
    return to_json_schema(form) if isinstance(form, dict) else form


def to_json_schema(schema: dict[str, Any] | type, *, strict: bool | None = None) -> dict[str, Any]:
    """Read a schema in any form that LangChain knows; a JSON schema stays as it is."""
    if isinstance(schema, dict) and "parameters" not in schema and not strict:
        return schema
    return convert_to_json_schema(schema, strict=strict)


def from_result(result: ChatResult) -> AIMessage:
    """Write a whole answer as a message."""
    calls, invalid = _from_tool_calls(result.tool_calls)
    return AIMessage(
        content=result.content,
        additional_kwargs=_reasoning(result.reasoning),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=from_usage(result.usage),
        response_metadata=metadata_of(result, result.logprobs),
    )


def from_delta(delta: Delta, logprobs: tuple[TokenLogprob, ...] = ()) -> list[AIMessageChunk]:
    """Write one step of an answer as chunks, one kind of thing in each.

    Only the last chunk of an answer carries metadata: LangChain adds numbers and joins texts when
    it merges chunks. `logprobs` are those of the whole answer, for the last step.
    """
    if not (delta.finish_reason or delta.reasoning or delta.tool_calls):
        return [AIMessageChunk(content=delta.content)]  # nearly all of them: worth the shortcut
    return [_from_part(part, logprobs) for part in _parts(delta)]


def from_usage(usage: Usage | None) -> UsageMetadata | None:
    """Write the counts of tokens."""
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    if usage.cached_tokens is not None:
        metadata["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return metadata


def metadata_of(
    answer: ChatResult | Delta, logprobs: tuple[TokenLogprob, ...] = ()
) -> dict[str, Any]:
    """Tell who answered, why the answer ended, and what it took."""
    about = {"model_name": answer.model, "model_provider": PROVIDER, **metrics_of(answer)}
    if logprobs:
        about["logprobs"] = {"content": [_from_logprob(each) for each in logprobs]}
    return about


def _parts(delta: Delta) -> list[Delta]:
    """Split a step: a piece of a call next to text would be taken for a whole call."""
    if bool(delta.reasoning) + bool(delta.content) + bool(delta.tool_calls) < 2:  # noqa: PLR2004
        return [delta]
    parts = [Delta(reasoning=delta.reasoning)] if delta.reasoning else []
    if not delta.tool_calls:
        return [*parts, replace(delta, reasoning="")]
    if delta.content:
        parts.append(Delta(content=delta.content))
    return [*parts, replace(delta, reasoning="", content="")]


def _from_part(delta: Delta, logprobs: tuple[TokenLogprob, ...]) -> AIMessageChunk:
    is_last = delta.finish_reason is not None
    return AIMessageChunk(
        content=delta.content,
        additional_kwargs=_reasoning(delta.reasoning),
        tool_call_chunks=[
            tool_call_chunk(
                name=piece.name or None,
                args=piece.arguments,
                id=piece.id or None,
                index=TOOL_CALL_INDEX + piece.index,
            )
            for piece in delta.tool_calls
        ],
        usage_metadata=from_usage(delta.usage),
        response_metadata=metadata_of(delta, logprobs) if is_last else {},
        chunk_position="last" if is_last else None,
    )


def _from_tool_calls(
    calls: tuple[ToolCall, ...],
) -> tuple[list[LcToolCall], list[LcInvalidToolCall]]:
    valid: list[LcToolCall] = []
    invalid: list[LcInvalidToolCall] = []
    for call in calls:
        try:
            args = call.parsed()
        except ConfigError as error:
            invalid.append(
                LcInvalidToolCall(
                    type="invalid_tool_call",
                    name=call.name,
                    args=call.arguments,
                    id=call.id,
                    error=error.message,
                )
            )
            continue
        valid.append(LcToolCall(type="tool_call", name=call.name, args=args, id=call.id))
    return valid, invalid


def _from_logprob(token: TokenLogprob) -> dict[str, Any]:
    rivals = [{"token": each.token, "logprob": each.logprob} for each in token.top]
    return {"token": token.token, "logprob": token.logprob, "top_logprobs": rivals}


def _reasoning(reasoning: str) -> dict[str, str]:
    return {"reasoning_content": reasoning} if reasoning else {}
