"""Build requests from what callers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from localmix.errors import config_error
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    Message,
    RouteRequest,
)

M = TypeVar("M", bound=BaseModel)
Conversation = (
    str | Message | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]] | ChatRequest
)


def chat_request(conversation: Conversation, options: Mapping[str, Any]) -> ChatRequest:
    """Build a chat request; a text alone is the user's message.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    if isinstance(conversation, ChatRequest):
        return conversation.model_copy(update=dict(options))
    if isinstance(conversation, str):
        conversation = Message(role="user", content=conversation)
    if isinstance(conversation, Message | Mapping):
        conversation = [conversation]
    messages = [
        _made(Message, **message) if isinstance(message, Mapping) else message
        for message in conversation
    ]
    return _made(ChatRequest, messages=messages, **options)


def completion_request(prompt: str, options: Mapping[str, Any]) -> CompletionRequest:
    """Build a text completion request.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    return _made(CompletionRequest, prompt=prompt, **options)


def embed_request(texts: str | Sequence[str], options: Mapping[str, Any]) -> EmbedRequest:
    """Build an embedding request; a text alone is a list of one.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    return _made(EmbedRequest, texts=(texts,) if isinstance(texts, str) else texts, **options)


def route_request(model: str | None, needs: Mapping[str, Any]) -> RouteRequest:
    """Build a question where a request would go.

    Raises:
        ConfigError: A value or a name is wrong; the sentence says which.
    """
    return _made(RouteRequest, model=model, **needs)


def _made(kind: type[M], **values: Any) -> M:
    try:
        return kind(**values)
    except ValidationError as error:
        raise config_error(kind, error) from error
