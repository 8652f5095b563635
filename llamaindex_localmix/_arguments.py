"""The keyword arguments of both classes, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.storage.kvstore.types import BaseKVStore
from llama_index.core.types import BaseOutputParser, PydanticProgramMode
from pydantic import BaseModel

from llamaindex_localmix._instructions import Family
from localmix.adapting.arguments import (
    ChattingArguments,
    EmbeddingArguments,
    PeerArguments,
    PeerPlaces,
    Thinking,
)


class LLMArguments(ChattingArguments, PeerArguments, total=False):
    """Arguments of ours, of LlamaIndex's base class, and those of its peers that mean the same."""

    think: Thinking
    reasoning: Thinking
    response_format: Literal["json"] | Mapping[str, Any] | type[BaseModel] | None
    context_window: int | None
    is_function_calling_model: bool | None
    allow_files: bool
    allow_urls: bool
    tokenizer: Callable[[str], list[Any]]
    callback_manager: CallbackManager
    rate_limiter: Any
    system_prompt: str | None
    messages_to_prompt: Callable[..., str] | None
    completion_to_prompt: Callable[..., str] | None
    output_parser: BaseOutputParser | None
    pydantic_program_mode: PydanticProgramMode
    query_wrapper_prompt: BasePromptTemplate | None


class EmbedModelArguments(EmbeddingArguments, PeerPlaces, total=False):
    """Arguments of ours, of LlamaIndex's base class, and those of its peers that mean the same."""

    instructions: Family | None
    query_instruction: str | None
    text_instruction: str | None
    cache: BaseKVStore | None
    embeddings_cache: BaseKVStore | None
    embed_batch_size: int
    num_workers: int | None
    callback_manager: CallbackManager
    rate_limiter: Any
