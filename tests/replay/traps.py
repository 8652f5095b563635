"""The traps that servers set: one raw exchange each, and what localmix makes of the reply.

What is sent here is what localmix itself does not send, or not any more: the exchange is the
evidence for a quirk, and the judgement shows that it is understood if it comes all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from localmix.dialects import KINDS
from localmix.dialects.dialect import Dialect
from localmix.dialects.failures import error_of
from localmix.errors import (
    AuthenticationError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from localmix.types import ChatRequest, ChatResult, EmbedRequest, Kind, Message
from localmix.types.fold import fold
from localmix.wire import jsontext
from localmix.wire.flows import Response
from tests.replay.scenarios import FRANCE, JOKE, LONG_TEXT, WEATHER_QUESTION, Stage
from tests.unit.streams import target

CHAT = ChatRequest(messages=(Message(role="user", content="Hello"),))
USER = [{"role": "user", "content": "Hello"}]
TINY, EMBED = {"model": "localmix-tiny"}, {"model": "localmix-tiny-embed"}
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather at a location.",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}
Judge = Callable[[Response, Stage], None]


@dataclass(frozen=True)
class Trap:
    """Hold one exchange: what is sent, where, and how the reply is judged."""

    name: str
    request: str
    body: Any
    judge: Judge
    kinds: tuple[str, ...]


TRAPS: dict[str, Trap] = {}


def trap(
    request: str, body: Any = None, *, kinds: tuple[str, ...] = ("ollama",)
) -> Callable[[Judge], Judge]:
    """Enter a judgement in the list, under its name."""

    def enter(judge: Judge) -> Judge:
        name = "trap-" + judge.__name__.replace("_", "-")
        TRAPS[name] = Trap(name, request, body, judge, kinds)
        return judge

    return enter


def dialect(on: Stage) -> tuple[Dialect, Kind]:
    kind: Kind = {"ollama": "ollama", "lmstudio": "lmstudio"}.get(on.kind, "openai")  # type: ignore[assignment]
    return KINDS[kind].dialect, kind


def answer(reply: Response, on: Stage, request: ChatRequest = CHAT) -> ChatResult:
    """Read a whole reply as an answer."""
    speaks, kind = dialect(on)
    return speaks.parse_generation(target(kind, "localmix-tiny"), request, reply)


def streamed(reply: Response, on: Stage) -> ChatResult:
    """Read a streamed reply as an answer."""
    speaks, kind = dialect(on)
    decoder = speaks.generation_decoder(target(kind, "localmix-tiny"), CHAT)
    return fold(decoder.feed(reply.body) + decoder.close())


def meaning(reply: Response) -> type[LocalMixError]:
    return type(error_of(reply, "http://server"))


OLLAMA_CHAT = {**TINY, "stream": False, "messages": USER, "options": {"num_predict": 8}}


# What is silent


@trap(
    "POST /api/chat",
    {**OLLAMA_CHAT, "messages": [{"role": "user", "content": LONG_TEXT}]},
)
def overflow_without_truncate_false(reply: Response, on: Stage) -> None:
    """0.12.11 cuts the prompt without a word; the newest answers with JSON in a string."""
    if on.is_old_ollama:
        assert reply.status == 200
    else:
        error = error_of(reply, "http://server")
        assert isinstance(error, ContextLengthError)
        assert error.context_length == 2048


@trap(
    "POST /api/chat",
    {
        **OLLAMA_CHAT,
        "messages": [
            {"role": "user", "content": LONG_TEXT},
            {"role": "assistant", "content": "yes"},
            *USER,
        ],
    },
)
def history_overflow_without_truncate_false(reply: Response, on: Stage) -> None:
    """Both generations drop the older messages; only the count of tokens shows it."""
    result = answer(reply, on)
    assert result.usage is not None
    assert result.usage.input_tokens < 100


@trap(
    "POST /api/chat",
    {
        **TINY,
        "stream": False,
        "messages": [{"role": "user", "content": "river stone lamp green " * 900 + FRANCE}],
    },
    kinds=("ollama-0.12.11-samples",),
)
def an_answer_that_repeats_itself(reply: Response, on: Stage) -> None:
    """0.12.11 gives up, with status 200 and `done: false`; that is no answer."""
    assert reply.status == 200
    assert jsontext.load_object(reply.body)["done"] is False
    with pytest.raises(StreamInterruptedError):
        answer(reply, on)


@trap(
    "POST /api/chat",
    {
        **OLLAMA_CHAT,
        "messages": [{"role": "user", "content": WEATHER_QUESTION}],
        "tools": [WEATHER_TOOL],
        "format": JOKE,
        "options": {"num_predict": 60},
    },
)
def schema_next_to_tools(reply: Response, on: Stage) -> None:
    """The schema wins on both: no tool is ever called."""
    assert "tool_calls" not in jsontext.load_object(reply.body)["message"]
    assert answer(reply, on).tool_calls == ()


@trap(
    "POST /api/chat",
    {
        **OLLAMA_CHAT,
        "messages": [{"role": "user", "content": FRANCE}],
        "tools": [WEATHER_TOOL],
        "tool_choice": "required",
        "think": False,
    },
)
def tool_choice_is_ignored(reply: Response, on: Stage) -> None:
    assert answer(reply, on).tool_calls == ()


@trap(
    "POST /api/generate",
    {**TINY, "stream": False, "prompt": FRANCE, "options": {"repeat_penalty": 1.0}},
)
def generate_leaves_the_thought_in_the_text(reply: Response, on: Stage) -> None:
    """The newest leaves the thought and `</think>` in `response`; so localmix sends `raw`."""
    said = jsontext.load_object(reply.body)
    if on.is_old_ollama:
        assert said["thinking"]
        assert "</think>" not in said["response"]
    else:
        assert "</think>" in said["response"]


@trap("POST /api/embeddings", {**EMBED, "prompt": "The library opens at nine."})
def legacy_embeddings_are_not_normalized(reply: Response, on: Stage) -> None:
    """0.12.11 gives the raw vector; localmix uses `/api/embed`, which is normalized on both."""
    vector = jsontext.load_object(reply.body)["embedding"]
    length = math.sqrt(sum(number * number for number in vector))
    assert (abs(length - 1) < 0.01) is not on.is_old_ollama


@trap("POST /api/embed", {**EMBED, "input": ""})
def embedding_of_an_empty_text(reply: Response, on: Stage) -> None:
    assert jsontext.load_object(reply.body)["embeddings"] == []
    with pytest.raises(ProtocolError, match="0 vectors for 1 texts"):
        KINDS["ollama"].dialect.parse_embed(target("ollama"), EmbedRequest(texts=("x",)), reply)


@trap(
    "POST /api/chat",
    {**OLLAMA_CHAT, "messages": [{"role": "robot", "content": "Hello"}]},
)
def role_that_does_not_exist(reply: Response, on: Stage) -> None:
    """Both take it; 0.12.11 drops the message. localmix refuses such a role itself."""
    assert reply.status == 200


# What is refused, and how


@trap("POST /api/chat", {**OLLAMA_CHAT, "model": "no-such-model"})
def chat_with_a_missing_model(reply: Response, on: Stage) -> None:
    assert meaning(reply) is ModelNotFoundError


@trap("POST /api/embed", {"model": "no-such-model", "input": "a"})
def embedding_with_a_missing_model(reply: Response, on: Stage) -> None:
    assert meaning(reply) is ModelNotFoundError


@trap("POST /api/show", {"model": "no-such-model"})
def show_of_a_missing_model(reply: Response, on: Stage) -> None:
    assert meaning(reply) is ModelNotFoundError


@trap("POST /api/chat", {"messages": USER})
def chat_without_a_model(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /api/chat", b'{"model": ')
def broken_json(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /api/chat", b"")
def empty_body(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /api/chat", {**OLLAMA_CHAT, "options": {"top_k": "many"}})
def option_of_the_wrong_type(reply: Response, on: Stage) -> None:
    """A 500, though the caller is at fault."""
    assert reply.status == 500
    assert meaning(reply) is RequestRejectedError


@trap(
    "POST /api/chat",
    {
        **OLLAMA_CHAT,
        "messages": [
            *USER,
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
        ],
    },
)
def tool_arguments_as_text(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /api/chat", {**TINY, "stream": True, "messages": []})
def nothing_to_answer(reply: Response, on: Stage) -> None:
    """The model is only loaded: one JSON object, although a stream was asked for."""
    assert reply.content_type == "application/json"
    with pytest.raises(ProtocolError, match="only did a load"):
        answer(reply, on)


@trap("GET /no/such/path", kinds=("ollama", "llamacpp"))
def unknown_path(reply: Response, on: Stage) -> None:
    assert reply.status == 404
    assert meaning(reply) is UnsupportedFeatureError


@trap("GET /api/chat", kinds=("ollama",))
def wrong_method(reply: Response, on: Stage) -> None:
    assert meaning(reply) is UnsupportedFeatureError


@trap("POST /v1/chat/completions", b'{"messages": ', kinds=("llamacpp",))
def broken_json_for_llama_cpp(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /v1/chat/completions", {"messages": "no list"}, kinds=("llamacpp",))
def messages_of_the_wrong_type(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap(
    "POST /v1/chat/completions",
    {
        "messages": USER,
        "tools": [WEATHER_TOOL],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "max_tokens": 20,
        "temperature": 0,
        "chat_template_kwargs": {"enable_thinking": False},
    },
    kinds=("llamacpp",),
)
def named_tool_choice_is_ignored(reply: Response, on: Stage) -> None:
    assert answer(reply, on).tool_calls == ()


# What cannot be provoked from outside

LONG_ARRAY = {"type": "array", "items": {"type": "string"}, "minItems": 600}
BOTH_SAMPLES = ("ollama-0.12.11-samples", "ollama-0.32.15-samples")


@trap(
    "POST /api/chat",
    {
        **TINY,
        "messages": [{"role": "user", "content": "Count to ten."}],
        "format": LONG_ARRAY,
        "stream": True,
        "think": False,
    },
    kinds=BOTH_SAMPLES,
)
def runner_killed_in_mid_stream(reply: Response, on: Stage) -> None:
    """Status 200, and the stream ends properly with an error object."""
    assert reply.status == 200
    with pytest.raises(ModelCrashedError, match="unexpected EOF"):
        streamed(reply, on)


@trap(
    "POST /api/chat",
    {**TINY, "messages": USER, "stream": False, "think": False},
    kinds=BOTH_SAMPLES,
)
def the_next_request_after_that(reply: Response, on: Stage) -> None:
    """The model is loaded again, and answers."""
    assert answer(reply, on).content


@trap("POST /api/embed", {**EMBED, "input": "river"}, kinds=("ollama-0.32.15-samples",))
def queue_is_full(reply: Response, on: Stage) -> None:
    assert reply.status == 503
    assert meaning(reply) is OverloadedError


@trap("GET /api/version", kinds=BOTH_SAMPLES)
def foreign_host_is_refused(reply: Response, on: Stage) -> None:
    """A loopback server refuses a `Host` that is not its own: 403 with an empty body."""
    assert (reply.status, reply.body) == (403, b"")
    assert meaning(reply) is AuthenticationError


# LM Studio, as its documentation and public recordings have it


@trap("POST /chat/completions", {"messages": USER}, kinds=("lmstudio",))
def unknown_path_answered_with_200(reply: Response, on: Stage) -> None:
    assert reply.status == 200
    assert meaning(reply) is UnsupportedFeatureError


@trap(
    "POST /v1/chat/completions",
    {"model": "not-a-model", "messages": USER, "max_tokens": 4},
    kinds=("lmstudio",),
)
def another_model_answers(reply: Response, on: Stage) -> None:
    assert reply.status == 200
    asked = target("lmstudio", "not-a-model")
    with pytest.raises(ModelNotFoundError, match="'localmix-tiny' answered"):
        KINDS["lmstudio"].dialect.parse_generation(asked, CHAT, reply)


@trap(
    "POST /v1/chat/completions",
    {
        **TINY,
        "messages": USER,
        "tools": [WEATHER_TOOL],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    },
    kinds=("lmstudio",),
)
def tool_choice_as_object_is_refused(reply: Response, on: Stage) -> None:
    assert reply.status == 400
    assert meaning(reply) is UnsupportedFeatureError


@trap(
    "POST /v1/chat/completions",
    {**TINY, "messages": USER, "response_format": {"type": "json_object"}},
    kinds=("lmstudio",),
)
def json_object_is_refused(reply: Response, on: Stage) -> None:
    assert reply.status == 400
    assert meaning(reply) is UnsupportedFeatureError


@trap("POST /v1/embeddings", {**EMBED, "input": [[1, 2, 3]]}, kinds=("lmstudio",))
def token_ids_are_refused(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError


@trap("POST /v1/chat/completions", {**TINY}, kinds=("lmstudio",))
def messages_are_missing(reply: Response, on: Stage) -> None:
    assert meaning(reply) is RequestRejectedError
