"""The keyword arguments of the adapters' classes, for editors and type checkers.

Fields validate them; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from pydantic import SecretStr

from localmix.adapting.blocks import Late, Unsupported
from localmix.client import Client
from localmix.settings import ServerConfig
from localmix.types import Kind
from localmix.types.options import GenerationOptions

Thinking = bool | str | Mapping[str, Any] | None


class ConnectionArguments(TypedDict, total=False):
    """Where to ask; see `connected.Connected`."""

    servers: Sequence[str | ServerConfig] | str | ServerConfig | None
    base_url: str | ServerConfig | None
    api_key: SecretStr | str | None
    client: Client | None
    prefer: Kind | Sequence[Kind] | None
    timeout: float | None
    max_retries: int | None
    connect_timeout: float | None
    first_byte_timeout: float | None
    between_timeout: float | None


class GeneratingArguments(ConnectionArguments, GenerationOptions, total=False):
    """Where and what to ask; see `connected.Generating`."""


class ChattingArguments(GeneratingArguments, total=False):
    """What becomes of messages, too; see `chatting.Chatting`."""

    late_system: Late
    unsupported_blocks: Unsupported


class EmbeddingArguments(ConnectionArguments, total=False):
    """Where and how to embed; see `connected.Embedding`."""

    model: str | None
    dimensions: int | None
    truncate: bool
    keep_alive: float | str | None
    chunk_size: int
    concurrency: int


class PeerPlaces(TypedDict, total=False):
    """Names of other integrations for where to ask; see `peers`."""

    model_name: str | None
    api_base: str | None
    openai_api_base: str | None
    openai_api_key: SecretStr | str | None
    request_timeout: float | None


class PeerArguments(PeerPlaces, total=False):
    """Names of other integrations that mean the same; see `peers`."""

    num_predict: int | None
    max_completion_tokens: int | None
    stop_sequences: str | Sequence[str] | None
    stream_chunk_timeout: float | None
    format: Literal["", "json"] | dict[str, Any] | None
    json_mode: bool
    extra_body: Mapping[str, Any] | None
    model_kwargs: Mapping[str, Any] | None
    reasoning_effort: str | None
    thinking: Thinking
