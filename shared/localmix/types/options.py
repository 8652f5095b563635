"""The keyword arguments of the façade, for editors and type checkers.

`ChatRequest` and its kin validate them; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Required, TypedDict

from pydantic import BaseModel, SecretStr

from localmix.types import Capability, Kind, Purpose, ToolLike


class GenerationOptions(TypedDict, total=False):
    """Options of every generation; see `types.GenerationRequest`."""

    model: str | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    typical_p: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    max_tokens: int | None
    repeat_penalty: float | None
    repeat_last_n: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | None
    num_ctx: int | None
    num_keep: int | None
    logprobs: bool
    top_logprobs: int | None
    keep_alive: float | str | None
    extra: Mapping[str, Any]


class TalkOptions(GenerationOptions, total=False):
    """Options of a chat but its tools and the form of its answer, which types depend on."""

    tool_choice: str | bool | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    think: bool | str | Mapping[str, Any] | None
    cache: bool | None


class FormlessOptions(TalkOptions, total=False):
    """Options of a chat but the form of its answer."""

    tools: Sequence[ToolLike] | None


class ChatOptions(FormlessOptions, total=False):
    """Options of a chat; see `types.ChatRequest`."""

    response_format: Literal["json"] | Mapping[str, Any] | type[BaseModel] | None


class CompletionOptions(GenerationOptions, total=False):
    """Options of a text completion; see `types.CompletionRequest`."""

    suffix: str
    cache: bool | None


class EmbedOptions(TypedDict, total=False):
    """Options of an embedding; see `types.EmbedRequest`."""

    model: str | None
    dimensions: int | None
    truncate: bool
    keep_alive: float | str | None
    skip_bad: bool
    chunk_size: int
    concurrency: int
    spread: bool
    cache: bool | None


class LoadOptions(TypedDict, total=False):
    """How a model is to be loaded; see `types.LoadRequest`."""

    num_ctx: int | None
    keep_alive: float | str | None


class PullOptions(TypedDict, total=False):
    """How a model is to be fetched; see `types.PullRequest`."""

    insecure: bool
    progress: bool


class RouteOptions(TypedDict, total=False):
    """What a request would need; see `types.RouteRequest`."""

    purpose: Purpose
    needs: Collection[Capability]
    num_ctx: int | None


class ServerOptions(TypedDict, total=False):
    """How to use a server; see `settings.ServerConfig`."""

    url: Required[str]
    name: str
    token: SecretStr | str | None
    headers: Mapping[str, str]
    only_kind: Kind | None
    order: int | None
    weight: float
    limit: int | None


class SettingsOptions(TypedDict, total=False):
    """Settings that a client takes as arguments; see `settings.Settings`."""

    tokens: Mapping[str, str] | None
    prefer: str | Sequence[Kind] | None
    model: str | None
    aliases: Mapping[str, str | Sequence[str]] | None
    digests: Mapping[str, str] | None
    models_path: str | Path | Sequence[Path] | None
    embedded_context_length: int | None
    timeout: float | None
    connect_timeout: float | None
    first_byte_timeout: float | None
    warm_first_byte_timeout: float | None
    between_timeout: float | None
    probe_timeout: float | None
    named_probe_timeout: float | None
    refresh_after: float | None
    monitor_every: float | None
    cache: bool | str | Path | None
    cache_max_bytes: int | None
    cache_max_age: float | None
    max_reply_bytes: int | None
    max_listing_bytes: int | None
    max_retries: int | None
    max_failures: int | None
    max_waiting: int | None
    wait_timeout: float | None
    telemetry: bool | None
    telemetry_content: bool | None
