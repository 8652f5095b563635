"""Build requests from what callers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    LoadRequest,
    Message,
    RouteRequest,
)

Conversation = (
    str | Message | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]] | ChatRequest
)


def chat_request(conversation: Conversation, options: Mapping[str, Any]) -> ChatRequest:
    """Build a chat request; a text alone is the user's message.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    if isinstance(conversation, ChatRequest):
        return ChatRequest(**(dict(conversation) | dict(options))) if options else conversation
    if isinstance(conversation, str):
        conversation = Message(role="user", content=conversation)
    if isinstance(conversation, Message | Mapping):
        conversation = [conversation]
    messages = tuple(
        Message(**message) if isinstance(message, Mapping) else message for message in conversation
    )
    return ChatRequest(messages=messages, **options)


def completion_request(
    prompt: str | CompletionRequest, options: Mapping[str, Any]
) -> CompletionRequest:
    """Build a text completion request.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    if isinstance(prompt, CompletionRequest):
        return CompletionRequest(**(dict(prompt) | dict(options))) if options else prompt
    return CompletionRequest(prompt=prompt, **options)


def embed_request(
    texts: str | Sequence[str] | EmbedRequest, options: Mapping[str, Any]
) -> EmbedRequest:
    """Build an embedding request; a text alone is a list of one.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    if isinstance(texts, EmbedRequest):
        return EmbedRequest(**(dict(texts) | dict(options))) if options else texts
    return EmbedRequest(texts=(texts,) if isinstance(texts, str) else tuple(texts), **options)


def load_requests(models: Sequence[str | None], options: Mapping[str, Any]) -> list[LoadRequest]:
    """Build a request to load each model; none named means the one for chats that name none.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    return [LoadRequest(model=model, **options) for model in models or (None,)]


def route_request(model: str | None, needs: Mapping[str, Any]) -> RouteRequest:
    """Build a question where a request would go.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    return RouteRequest(model=model, **needs)
