"""Requests of every shape that a dialect can carry, and the way there and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from localmix.dialects import Dialect, Endpoint, Target
from localmix.dialects.asking import Asked
from localmix.dialects.serving import ServerDialect, Wanted
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
    Image,
    Message,
    ModelInfo,
    Tool,
    ToolCall,
)
from localmix.wire.flows import Timeouts

PNG = b"\x89PNG\r\n\x1a\n"
MODEL = ModelInfo("tiny:latest", "http://s", "ollama", context_length=8192)
TARGET = Target(Endpoint("http://s", Timeouts.within(1)), MODEL)


def now() -> datetime:
    return datetime(2026, 11, 25, 7, 28, 8, 123456, tzinfo=UTC)


def there_and_back(
    client: Dialect, server: ServerDialect, request: GenerationRequest | EmbedRequest
) -> Wanted:
    """Write a request as the client side does, and read it as the server side does."""
    if isinstance(request, EmbedRequest):
        sent = client.embed_request(TARGET, request)
    else:
        sent = client.generation_request(TARGET, request, stream=True)
    assert sent.body
    said = Asked.of(sent.body)
    said.raw = b""  # what was read of it counts, and not the bytes, which would be passed on
    return server.read(sent.url.removeprefix("http://s"), said).wanted


_text = st.text(st.characters(codec="utf-8"), max_size=20)
_words = _text.filter(bool)
_name = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_name, inner, max_size=2),
    max_leaves=5,
)
_objects = st.dictionaries(_name, _json, max_size=3)
_numbers = st.integers(0, 2**31)
_some = st.floats(0, 1, allow_nan=False)


def _options(names: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=names)


SAMPLING: dict[str, st.SearchStrategy[Any]] = {
    "temperature": _some,
    "top_p": _some,
    "top_k": _numbers,
    "min_p": _some,
    "typical_p": _some,
    "seed": st.integers(0, 2**63 - 1),
    "max_tokens": st.integers(1, 2**31),
    "repeat_penalty": _some,
    "repeat_last_n": _numbers,
    "presence_penalty": _some,
    "frequency_penalty": _some,
    "num_keep": _numbers,
}
LENGTHS = {"num_ctx": st.integers(1, 8192), "keep_alive": st.floats(-1, 1e6, allow_nan=False)}
_images = st.binary(max_size=8).map(lambda data: Image(data=PNG + data))
_tool = st.builds(
    Tool,
    name=_name,
    description=_text,
    parameters=_objects.map(lambda inner: {"type": "object", "properties": inner}),
)


@st.composite
def _turns(draw: st.DrawFn) -> list[Message]:
    """A conversation with calls and their results, each with an id."""
    messages = [Message(role="system", content=draw(_text))] if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 3))):
        images = draw(st.lists(_images, max_size=2))
        text = draw(_words)
        messages.append(Message(role="user", content=(text, *images) if images else text))
        calls = [
            ToolCall(
                name=draw(_name), arguments=json.dumps(draw(_objects), ensure_ascii=False),
                id=f"id-{turn}-{place}",
            )
            for place in range(draw(st.integers(0, 2)))
        ]  # fmt: skip
        messages.append(
            Message(
                role="assistant",
                content=draw(_text),
                reasoning=draw(_text),
                tool_calls=tuple(calls),
            )
        )
        messages += [
            Message(role="tool", content=draw(_text), tool_call_id=call.id, tool_name=call.name)
            for call in calls
        ]
    return messages


def chats(
    names: dict[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[ChatRequest]:
    """Chats with some of the options; `more` are fields with strategies of their own."""

    def build(messages: list[Message], options: dict[str, Any], **fields: Any) -> ChatRequest:
        fields = {name: value for name, value in fields.items() if value is not None}
        return ChatRequest(messages=tuple(messages), model="tiny:latest", **options, **fields)

    return st.builds(
        build,
        messages=_turns(),
        options=_options(names),
        stop=st.lists(_words, max_size=2).map(tuple),
        tools=st.lists(_tool, max_size=2, unique_by=lambda tool: tool.name).map(tuple),
        response_format=st.none() | st.just("json") | _objects.filter(bool),
        **more,
    )


def completions(
    names: dict[str, st.SearchStrategy[Any]],
) -> st.SearchStrategy[CompletionRequest]:
    def build(prompt: str, suffix: str, options: dict[str, Any]) -> CompletionRequest:
        return CompletionRequest(prompt=prompt, suffix=suffix, model="tiny:latest", **options)

    return st.builds(build, prompt=_words, suffix=_text, options=_options(names))


def embeddings(
    names: dict[str, st.SearchStrategy[Any]],
) -> st.SearchStrategy[EmbedRequest]:
    def build(texts: list[str], options: dict[str, Any]) -> EmbedRequest:
        return EmbedRequest(texts=tuple(texts), model="tiny:latest", **options)

    return st.builds(
        build, texts=st.lists(_words, min_size=1, max_size=3).map(tuple), options=_options(names)
    )


THINKING = st.none() | st.booleans() | st.sampled_from(["low", "medium", "high", "max"])
