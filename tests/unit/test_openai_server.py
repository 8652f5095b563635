"""OpenAI's API from the server's end, and LM Studio's older one: what is read, what is written."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects.asking import Asked
from localmix.dialects.lmstudio import listings as lmstudio
from localmix.dialects.openai.client import OpenAIDialect
from localmix.dialects.openai.decoder import OpenAIDecoder
from localmix.dialects.openai.server import OpenAIServer
from localmix.dialects.openai.writer import write_models, write_vectors
from localmix.dialects.serving import Ask, Failure, Listed
from localmix.errors import ConfigError
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from localmix.types.fold import fold
from tests.unit.served import (
    MODEL,
    SAMPLING,
    chats,
    completions,
    embeddings,
    now,
    there_and_back,
)

SERVER, CLIENT = OpenAIServer(), OpenAIDialect()
FEWER = settings(max_examples=50, deadline=None)
USER = [{"role": "user", "content": "Hi"}]
THINKING = st.none() | st.booleans() | st.sampled_from(["low", "medium", "high", "max"])
_tokens = st.integers(0, 99_999).map(str)
BIAS = {"logit_bias": st.dictionaries(_tokens, st.floats(-9, 9), min_size=1, max_size=3)}


def read(path: str = "/v1/chat/completions", **said: Any) -> Ask:
    return SERVER.read(path, Asked({"model": "tiny", **said}))


def chat(**said: Any) -> ChatRequest:
    wanted = read(**{"messages": USER, **said}).wanted
    assert isinstance(wanted, ChatRequest)
    return wanted


# There and back


@pytest.mark.slow
@FEWER
@given(chats(SAMPLING | BIAS, think=THINKING, logprobs=st.booleans()))
def test_a_chat_is_read_as_it_was_written(request: ChatRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


@FEWER
@given(completions(SAMPLING))
def test_a_completion_is_read_as_it_was_written(request: CompletionRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


@FEWER
@given(embeddings({"dimensions": st.integers(1, 4096)}))
def test_an_embedding_is_read_as_it_was_written(request: EmbedRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


_delta = st.builds(
    Delta,
    content=st.text(max_size=9),
    reasoning=st.text(max_size=9),
).filter(lambda delta: "<" not in delta.content and bool(delta.content or delta.reasoning))


@FEWER
@given(st.lists(_delta, max_size=5), st.sampled_from(["stop", "length"]))
def test_an_answer_is_read_as_it_was_written(said: list[Delta], reason: str) -> None:
    ask = read(messages=USER, stream=True, stream_options={"include_usage": True})
    writer = SERVER.writer(ask, now)
    last = Delta(finish_reason=reason, usage=Usage(19, 26))
    sent = b"".join([*map(writer.feed, [*said, last]), *writer.close()])
    decoder = OpenAIDecoder("http://s")
    result = fold([*decoder.feed(sent), *decoder.close()])
    assert result.content == "".join(delta.content for delta in said)
    assert result.reasoning == "".join(delta.reasoning for delta in said)
    assert (result.finish_reason, result.usage) == (reason, Usage(19, 26))


def test_a_tool_call_in_pieces_is_read_as_it_was_written() -> None:
    writer = SERVER.writer(read(messages=USER, stream=True), now)
    pieces = [
        Delta(tool_calls=(ToolCallDelta(0, "a", "add", '{"x":'),)),
        Delta(tool_calls=(ToolCallDelta(0, arguments=" 1}"), ToolCallDelta(1, "b", "now", "{}"))),
        Delta(finish_reason="tool_calls"),
    ]
    sent = b"".join([*map(writer.feed, pieces), *writer.close()])
    decoder = OpenAIDecoder("http://s")
    result = fold([*decoder.feed(sent), *decoder.close()])
    assert result.tool_calls == (
        ToolCall(name="add", arguments='{"x": 1}', id="a"),
        ToolCall(name="now", arguments="{}", id="b"),
    )
    assert result.finish_reason == "tool_calls"


# Reading


@pytest.mark.parametrize(
    ("said", "think"),
    [
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "minimal"}, "low"),
        ({"reasoning_effort": "xhigh"}, "max"),
        ({"reasoning": {"effort": "high"}}, "high"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, True),
        ({}, None),
    ],
)
def test_effort_in_every_spelling(said: dict[str, Any], think: Any) -> None:
    assert chat(**said).think == think


def test_words_that_mean_the_same() -> None:
    request = chat(
        max_completion_tokens=7,
        max_tokens=9,
        stop="x",
        messages=[{"role": "developer", "content": [{"type": "text", "text": "Be "},
                                                    {"type": "text", "text": "short."}]}, *USER],
        tools=[{"type": "function", "function": {"name": "add"}}],
        tool_choice={"type": "function", "function": {"name": "add"}},
    )  # fmt: skip
    assert (request.max_tokens, request.stop, request.tool_choice) == (7, ("x",), "add")
    assert (request.messages[0].role, request.messages[0].content) == ("system", "Be short.")


@pytest.mark.parametrize(
    "said",
    [
        {"messages": []},
        {"n": 2},
        {"reasoning_effort": "extreme"},
        {"response_format": {"type": "grammar"}},
        {"tools": [{"type": "web_search"}]},
        {"tool_choice": "nobody"},
        {"messages": [{"role": "oracle", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url",
                                                    "image_url": {"url": "http://10.0.0.1"}}]}]},
        {"messages": [*USER, {"role": "assistant", "tool_calls": [
            {"id": "a", "function": {"name": "f", "arguments": '{"x": '}}]}]},
        {"logit_bias": {"7": "much"}},
        {"temperature": "hot"},
        {"model": None},
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        chat(**said)


@pytest.mark.parametrize(
    "said", [{}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}, {"prompt": "a", "echo": True}]
)
def test_completions_of_one_text_alone(said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read("/v1/completions", **said)


@pytest.mark.parametrize(
    "said", [{}, {"input": []}, {"input": [1, 2]}, {"input": "a", "encoding_format": "int8"}]
)
def test_embeddings_of_texts_alone(said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read("/v1/embeddings", **said)


# Writing


def events(ask: Ask, *deltas: Delta) -> list[Any]:
    writer = SERVER.writer(ask, now)
    sent = b"".join([*map(writer.feed, deltas), *writer.close()])
    assert sent.isascii()
    *said, end, rest = sent.split(b"\n\n")
    assert (end, rest) == (b"data: [DONE]", b"")
    return [json.loads(event.removeprefix(b"data: ")) for event in said]


def test_the_order_of_a_stream() -> None:
    ask = read(messages=USER, stream=True, stream_options={"include_usage": True})
    first, second, end, usage = events(
        ask,
        Delta(reasoning="Hm."),
        Delta(content="Hi\u2028"),
        Delta(finish_reason="stop", usage=Usage(19, 26, 3, 5)),
    )
    assert first["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "Hm.",
        "reasoning": "Hm.",
    }
    assert second["choices"][0]["delta"] == {"content": "Hi\u2028"}
    assert second["choices"][0]["finish_reason"] is None
    assert end["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert usage["choices"] == []
    assert usage["usage"] == {
        "prompt_tokens": 19,
        "completion_tokens": 26,
        "total_tokens": 45,
        "completion_tokens_details": {"reasoning_tokens": 3},
        "prompt_tokens_details": {"cached_tokens": 5},
    }
    assert len({event["id"] for event in (first, second, end, usage)}) == 1


def test_usage_comes_in_a_stream_only_where_it_was_asked_for() -> None:
    *_, end = events(read(messages=USER, stream=True), Delta(content="Hi"))
    assert "usage" not in end


def test_a_whole_answer() -> None:
    call = ToolCall(name="add", arguments='{"x":1}', id="a")
    token = TokenLogprob("H", -0.5, (TokenLogprob("J", -2.0),))
    result = ChatResult(tool_calls=(call,), finish_reason="stop", logprobs=(token,))
    said = json.loads(SERVER.writer(read(messages=USER), now).whole(result))
    (choice,) = said["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"x":1}'}
    assert choice["logprobs"]["content"][0]["top_logprobs"][0]["token"] == "J"
    assert said["usage"]["prompt_tokens"] > 0


def test_a_completion_streamed_and_whole() -> None:
    ask = read("/v1/completions", prompt="Hi", logprobs=1)
    token = TokenLogprob("H", -0.5, (TokenLogprob("H", -0.5),))
    said, end = events(ask, Delta(content="H", logprobs=(token,)), Delta(finish_reason="length"))
    assert said["choices"][0]["text"] == "H"
    assert said["choices"][0]["logprobs"]["token_logprobs"] == [-0.5]
    assert end["choices"][0]["finish_reason"] == "length"
    whole = json.loads(SERVER.writer(ask, now).whole(ChatResult(content="Hi")))
    assert (whole["object"], whole["choices"][0]["text"]) == ("text_completion", "Hi")


def test_vectors_as_numbers_and_in_base64() -> None:
    result = EmbedResult([[1.0, -0.5]], usage=Usage(8, 0))
    plain = json.loads(write_vectors(read("/v1/embeddings", input="a"), result))
    assert plain["data"][0]["embedding"] == [1.0, -0.5]
    assert plain["usage"] == {"prompt_tokens": 8, "total_tokens": 8}
    packed = json.loads(
        write_vectors(read("/v1/embeddings", input="a", encoding_format="base64"), result)
    )
    data = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack("<2f", data) == (1.0, -0.5)


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (Failure(404, "x", missing="tiny"), "invalid_request_error", "model_not_found"),
        (Failure(401, "x"), "invalid_request_error", "invalid_api_key"),
        (Failure(429, "x"), "rate_limit_error", "rate_limit_exceeded"),
        (Failure(503, "x"), "server_error", None),
        (Failure(400, "x"), "invalid_request_error", None),
    ],
)
def test_errors_have_their_kind(failure: Failure, kind: str, code: str | None) -> None:
    error = json.loads(SERVER.write_error(failure))["error"]
    assert (error["type"], error["code"]) == (kind, code)
    assert isinstance(error["message"], str)
    broken = SERVER.writer(read(messages=USER), now).broken(failure)
    assert broken.startswith(b'data: {"error":')
    assert broken.endswith(b"}\n\n")


# LM Studio's older API


def test_an_answer_of_lm_studios_own_endpoint_has_its_statistics() -> None:
    ask = read("/api/v0/chat/completions", messages=USER)
    said = json.loads(SERVER.writer(ask, now).whole(ChatResult(content="Hi", usage=Usage(9, 3))))
    assert said["stats"]["tokens_per_second"] > 0
    assert said["stats"]["stop_reason"] == "eosFound"


def test_listings() -> None:
    loaded = replace(MODEL, name="qwen/qwen3-8b", loaded=True, loaded_context_length=4096)
    models = [
        Listed("qwen/qwen3-8b:latest", [loaded], now()),
        Listed("embed:latest", [replace(MODEL, purpose="embedding")], now()),
    ]
    entry, other = json.loads(lmstudio.write_models(models))["data"]
    assert (entry["id"], entry["publisher"]) == ("qwen/qwen3-8b:latest", "qwen")
    assert (entry["state"], entry["loaded_context_length"]) == ("loaded", 4096)
    assert (other["type"], other["state"]) == ("embeddings", "not-loaded")
    plain, _ = json.loads(write_models(models))["data"]
    assert (plain["id"], plain["object"]) == ("qwen/qwen3-8b:latest", "model")
    assert json.loads(write_models([]))["data"] == []
