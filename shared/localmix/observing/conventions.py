"""Requests and answers in the words of OpenTelemetry's conventions for generative AI.

The words are our own strings: no package carries them any more (semantic-conventions-genai,
`gen-ai-dev/1.42.0-dev`, November 2026). Of providers the conventions know no local ones, and allow
values of one's own: `ServerKind.provider`. What has no word there begins with `localmix.`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from localmix.dialects import KINDS
from localmix.types import (
    ChatRequest,
    ChatResult,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Server,
)

Attributes: TypeAlias = dict[str, str | bool | int | float | Sequence[str]]

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
ERROR = "error.type"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  (no secret)
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
# As long as nobody knows who will answer.
_OURSELVES = "localmix"
_PORTS = {"http": 80, "https": 443}
_OPTIONS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "frequency_penalty",
    "presence_penalty",
)


def of_operation(request: GenerationRequest | EmbedRequest) -> Attributes:
    """Say what is asked for, in what spans and metrics have in common."""
    if isinstance(request, EmbedRequest):
        operation = "embeddings"
    else:
        operation = "chat" if isinstance(request, ChatRequest) else "text_completion"
    model: Attributes = {REQUEST_MODEL: request.model} if request.model else {}
    return {OPERATION: operation, PROVIDER: _OURSELVES, **model}


def of_request(request: GenerationRequest | EmbedRequest, *, is_streamed: bool) -> Attributes:
    """Say with what options it is asked for."""
    said: dict[str, str | bool | int | float | Sequence[str] | None] = {}
    if isinstance(request, EmbedRequest):
        said["gen_ai.embeddings.dimension.count"] = request.dimensions
    else:
        said = {f"gen_ai.request.{name}": getattr(request, name) for name in _OPTIONS}
        said["gen_ai.request.stop_sequences"] = request.stop or None
    if isinstance(request, ChatRequest) and request.response_format:
        said["gen_ai.output.type"] = "json"
    if is_streamed:
        said["gen_ai.request.stream"] = True
    return {name: value for name, value in said.items() if value is not None}


def of_server(server: Server, model: str) -> Attributes:
    """Say which server is asked, by the program that it is, its host and port, and for what."""
    kind = KINDS.get(server.kind) if server.kind else None
    provider = (kind.provider or kind.name) if kind else _OURSELVES
    return {PROVIDER: provider, REQUEST_MODEL: model, **of_address(server.url)}


def of_address(url: str) -> Attributes:
    """Give host and port; of the embedded engine there are none."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    if not parts.hostname or port is None:
        return {}
    return {"server.address": parts.hostname, "server.port": port}


def of_result(result: ChatResult | EmbedResult) -> Attributes:
    """Say what has come: by which model, why it ended, and the tokens."""
    said: Attributes = {}
    if model := result.model or (result.route.model if result.route else ""):
        said[RESPONSE_MODEL] = model
    if isinstance(result, EmbedResult):
        said["gen_ai.embeddings.dimension.count"] = max(map(len, result.vectors), default=0)
    elif result.finish_reason:
        said["gen_ai.response.finish_reasons"] = [result.finish_reason]
    for kind, count in tokens_of(result).items():
        said[f"gen_ai.usage.{kind}_tokens"] = count
    usage = result.usage
    if usage and usage.reasoning_tokens is not None:
        said["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if usage and usage.cached_tokens is not None:
        said["gen_ai.usage.cache_read.input_tokens"] = usage.cached_tokens
    return said


def tokens_of(result: ChatResult | EmbedResult | None) -> Mapping[str, int]:
    """Count tokens by the conventions' types; vectors are made of input alone."""
    if result is None or result.usage is None:
        return {}
    read = {"input": result.usage.input_tokens}
    return (
        read if isinstance(result, EmbedResult) else {**read, "output": result.usage.output_tokens}
    )


def of_error(error: Exception) -> Attributes:
    """Name an error by its type: its words may quote what a server said of the prompt."""
    return {ERROR: type(error).__qualname__}
