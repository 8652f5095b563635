"""The keyword arguments of the three classes, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

from langchain_core.caches import BaseCache
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.rate_limiters import BaseRateLimiter

from localmix.adapting.arguments import (
    ChattingArguments,
    EmbeddingArguments,
    GeneratingArguments,
    PeerArguments,
    PeerPlaces,
    Thinking,
)


class _ModelArguments(TypedDict, total=False):
    """Arguments of LangChain's base class of all models."""

    name: str | None
    cache: BaseCache | bool | None
    verbose: bool
    callbacks: list[BaseCallbackHandler] | BaseCallbackManager | None
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None


class ChatArguments(ChattingArguments, PeerArguments, _ModelArguments, total=False):
    """Arguments of ours, of LangChain's base class, and those of its peers that mean the same."""

    reasoning: Thinking
    think: Thinking
    response_format: Any
    streaming: bool
    rate_limiter: BaseRateLimiter | None
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: ModelProfile | None


class CompletionArguments(GeneratingArguments, PeerArguments, _ModelArguments, total=False):
    """Arguments of `LocalMixLLM`."""

    suffix: str
    streaming: bool


class EmbeddingsArguments(EmbeddingArguments, PeerPlaces, total=False):
    """Arguments of `LocalMixEmbeddings`."""

    query_prefix: str
    document_prefix: str
