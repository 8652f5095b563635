"""The eight endpoints of an LLM, by their names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from llama_index.core.base.llms.types import ChatMessage

ENDPOINTS = (
    *("chat", "stream_chat", "achat", "astream_chat"),
    *("complete", "stream_complete", "acomplete", "astream_complete"),
)
SYNC = tuple(name for name in ENDPOINTS if not name.startswith("a"))
ASYNC = tuple(name for name in ENDPOINTS if name.startswith("a"))


def question_for(endpoint: str, text: str) -> Any:
    """Say a text as the endpoint takes it."""
    return [ChatMessage(content=text)] if endpoint.endswith("chat") else text


def call(llm: Any, endpoint: str, text: str = "hello", **options: Any) -> list[Any]:
    """Call a synchronous endpoint; give its responses, one where it does not stream."""
    response = getattr(llm, endpoint)(question_for(endpoint, text), **options)
    return list(response) if "stream" in endpoint else [response]


async def acall(llm: Any, endpoint: str, text: str = "hello", **options: Any) -> list[Any]:
    """Call an asynchronous endpoint; give its responses, one where it does not stream."""
    response = await getattr(llm, endpoint)(question_for(endpoint, text), **options)
    if isinstance(response, AsyncIterator):
        return [step async for step in response]
    return [response]


def text_of(response: Any) -> str:
    """Give the text of a response of either sort."""
    return str(response.message.content if hasattr(response, "message") else response.text)
