"""The keyword arguments of `ChatLocalMix`, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from langchain_core.caches import BaseCache
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.rate_limiters import BaseRateLimiter

from localmix.adapting.arguments import ChattingArguments, PeerArguments, Thinking


class ChatArguments(ChattingArguments, PeerArguments, total=False):
    """Arguments of ours, of LangChain's base class, and those of its peers that mean the same."""

    reasoning: Thinking
    think: Thinking
    response_format: Any
    streaming: bool
    name: str | None
    cache: BaseCache | bool | None
    verbose: bool
    callbacks: list[BaseCallbackHandler] | BaseCallbackManager | None
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    rate_limiter: BaseRateLimiter | None
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: ModelProfile | None
