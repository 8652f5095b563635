"""Ollama's API from the server's end: what is read, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects.asking import Asked
from localmix.dialects.ollama import context, listings
from localmix.dialects.ollama.client import OllamaDialect
from localmix.dialects.ollama.decoder import OllamaDecoder
from localmix.dialects.ollama.server import OllamaServer
from localmix.dialects.ollama.writer import write_done, write_vectors
from localmix.dialects.serving import Ask, Failure, Listed, Load, Unload
from localmix.errors import ConfigError
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Message,
    ModelInfo,
    Timings,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from localmix.types.fold import fold
from tests.unit.served import (
    LENGTHS,
    MODEL,
    PNG,
    SAMPLING,
    THINKING,
    chats,
    completions,
    embeddings,
    now,
    there_and_back,
)

SERVER, CLIENT = OllamaServer(), OllamaDialect()
FEWER = settings(max_examples=50, deadline=None)
BASE64 = "iVBORw0KGgo="
METRICS = (
    *("total_duration", "load_duration", "prompt_eval_count"),
    *("prompt_eval_duration", "eval_count", "eval_duration"),
)


def read(path: str, **said: Any) -> Ask:
    return SERVER.read(path, Asked({"model": "tiny", **said}))


def chat(**said: Any) -> ChatRequest:
    wanted = read("/api/chat", messages=[{"role": "user", "content": "Hi"}], **said).wanted
    assert isinstance(wanted, ChatRequest)
    return wanted


# There and back


@pytest.mark.slow
@FEWER
@given(chats(SAMPLING | LENGTHS, think=THINKING, logprobs=st.booleans()))
def test_a_chat_is_read_as_it_was_written(request: ChatRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


@FEWER
@given(completions(SAMPLING | LENGTHS))
def test_a_completion_is_read_as_it_was_written(request: CompletionRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


@FEWER
@given(embeddings({"truncate": st.booleans(), "dimensions": st.integers(1, 4096)}))
def test_an_embedding_is_read_as_it_was_written(request: EmbedRequest) -> None:
    assert there_and_back(CLIENT, SERVER, request) == request


_delta = st.builds(Delta, content=st.text(max_size=9), reasoning=st.text(max_size=9)).filter(
    lambda delta: bool(delta.content or delta.reasoning)
)


@FEWER
@given(st.lists(_delta, max_size=5), st.sampled_from(["stop", "length"]))
def test_an_answer_is_read_as_it_was_written(said: list[Delta], reason: str) -> None:
    last = Delta(finish_reason=reason, usage=Usage(19, 26), timings=Timings(1, 0.5, 2, 1.5, 4))
    writer = SERVER.writer(read("/api/chat", messages=[{"role": "user"}]), now)
    sent = b"".join(writer.feed(delta) for delta in [*said, last]) + b"".join(writer.close())
    decoder = OllamaDecoder("http://s")
    result = fold([*decoder.feed(sent), *decoder.close()])
    # The client side takes thoughts in the text apart; nothing else may change.
    joined = "".join(delta.reasoning for delta in said) + "".join(delta.content for delta in said)
    if "<" not in joined:
        assert (result.reasoning + result.content).strip() == joined.strip()
    assert (result.finish_reason, result.usage) == (reason, Usage(19, 26))
    assert result.timings == Timings(1, 0.5, 2, 1.5, 4)


# Reading


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (300, 300),
        (0.5, 0.5),
        (-1, -1),
        ("5m", 300),
        ("300s", 300),
        ("1h30m", 5400),
        ("300ms", 0.3),
        ("-1", -1),
        ("300", 300),
        ("-1m", -60),
        (None, None),
        ("", None),
    ],
)
def test_keep_alive_in_every_spelling(written: Any, seconds: float | None) -> None:
    assert chat(keep_alive=written).keep_alive == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["soon", "5 minutes", True, [], {}, "m", "1e400"])
def test_keep_alive_that_is_none(written: Any) -> None:
    with pytest.raises(ConfigError, match="keep_alive"):
        chat(keep_alive=written)


def test_an_option_that_means_no_bound_is_none() -> None:
    options = {"num_predict": -1, "num_ctx": 0, "mirostat": 2, "lowVram": True, "top_k": 20.0}
    request = chat(options=options)
    assert (request.max_tokens, request.num_ctx, request.top_k) == (None, None, 20)


def test_an_empty_prompt_loads_and_unloads() -> None:
    assert read("/api/generate").wanted == Load()
    assert read("/api/generate", prompt="", keep_alive="10m").wanted == Load(600)
    assert read("/api/generate", keep_alive=0).wanted == Unload()
    assert read("/api/chat", messages=[], keep_alive="0s").wanted == Unload()
    assert read("/api/chat", messages=[{"role": "system", "content": "x"}]).wanted == Load()
    assert read("/api/embed", input="").wanted == Load()


def test_results_without_an_id_answer_their_calls_in_order() -> None:
    calls: list[Any] = [{"function": {"name": name, "arguments": {}}} for name in ("a", "b", "c")]
    results = [{"role": "tool", "content": "1"}, {"role": "tool", "content": "3", "tool_name": "c"}]
    messages = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "tool_calls": calls},
        *results,
        {"role": "tool", "content": "2"},
    ]
    wanted = read("/api/chat", messages=messages).wanted
    assert isinstance(wanted, ChatRequest)
    assert [call.id for call in wanted.messages[1].tool_calls] == ["call_1", "call_2", "call_3"]
    answered = [(each.tool_call_id, each.tool_name) for each in wanted.messages[2:]]
    assert answered == [("call_1", "a"), ("call_3", "c"), ("call_2", "b")]


def test_an_image_with_or_without_data_before_it() -> None:
    for image in (BASE64, f"data:image/png;base64,{BASE64}"):
        messages = [{"role": "user", "content": "What?", "images": [image]}]
        wanted = read("/api/chat", messages=messages).wanted
        assert isinstance(wanted, ChatRequest)
        assert wanted.messages[0].images[0].data == PNG
        assert wanted.messages[0].images[0].media_type == "image/png"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"messages": [{"role": "user", "content": ["x"]}]}, r"messages\[0\].content"),
        ({"messages": [{"role": "judge", "content": "x"}]}, r"messages\[0\].role"),
        ({"messages": [{"role": "user", "images": ["http://10.0.0.1/x"]}]}, "not its address"),
        ({"messages": [{"role": "user", "images": ["%%"]}]}, "base64"),
        ({"messages": [{"role": "user", "images": [""]}]}, "empty"),
        ({"messages": [{"role": "user", "images": [7]}]}, "images"),
        ({"messages": {}}, "messages"),
        ({"messages": ["x"]}, "messages"),
        ({"options": []}, "options"),
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"options": {"seed": True}}, "options.seed"),
        ({"options": {"stop": [1]}}, "options.stop"),
        ({"format": "yaml"}, "format"),
        ({"think": "deeply"}, "think"),
        ({"tools": [{"type": "retrieval"}]}, r"tools\[0\].type"),
        ({"tools": [{"function": {}}]}, r"tools\[0\].function.name"),
        ({"stream": "yes"}, "stream"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"model": ""}, "model is required"),
        ({"options": {"temperature": float("inf")}}, "options.temperature"),
    ],
)
def test_what_cannot_be_right_is_named_and_not_shown(said: dict[str, Any], named: str) -> None:
    messages = {"messages": [{"role": "user", "content": "Secret"}]}
    with pytest.raises(ConfigError, match=named) as caught:
        read("/api/chat", **{**messages, **said})
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b" ", b"[]", b"null", b"{", b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", b"\xff{}"]
)
def test_a_body_that_is_no_request(body: bytes) -> None:
    with pytest.raises(ConfigError):
        Asked.of(body)


def test_generate_is_a_chat_unless_it_is_raw() -> None:
    wanted = read("/api/generate", prompt="Hi", system="Be short.", think=False).wanted
    assert isinstance(wanted, ChatRequest)
    assert [message.role for message in wanted.messages] == ["system", "user"]
    raw = read("/api/generate", prompt="Hi", raw=True).wanted
    assert isinstance(raw, CompletionRequest)
    filled = read("/api/generate", prompt="def f(", suffix="return x").wanted
    assert isinstance(filled, CompletionRequest)
    assert filled.suffix == "return x"


@pytest.mark.parametrize(
    "said",
    [
        {"raw": True, "system": "x"},
        {"raw": True, "context": [1]},
        {"raw": True, "images": [BASE64]},
        {"suffix": "x", "format": "json"},
        {"template": "{{ .Prompt }}"},
    ],
)
def test_generate_refuses_what_it_would_lose(said: dict[str, Any]) -> None:
    from localmix.errors import LocalMixError

    with pytest.raises(LocalMixError):
        read("/api/generate", prompt="Hi", **said)


def test_a_context_carries_the_conversation_on() -> None:
    ask = read("/api/generate", prompt="My name is Ada.", system="Be short.")
    done = json.loads(SERVER.writer(ask, now).whole(ChatResult(content="Hello Ada.")))
    again = read("/api/generate", prompt="And now?", context=done["context"]).wanted
    assert isinstance(again, ChatRequest)
    assert [(message.role, message.content) for message in again.messages] == [
        ("system", "Be short."),
        ("user", "My name is Ada."),
        ("assistant", "Hello Ada."),
        ("user", "And now?"),
    ]


@pytest.mark.parametrize("numbers", [[1, 2, 3], ["a"], [-1], [2**60], [1.5]])
def test_a_context_of_another_server_is_refused(numbers: list[Any]) -> None:
    with pytest.raises(ConfigError):
        read("/api/generate", prompt="x", context=numbers)


def test_a_context_that_was_changed_or_is_a_bomb_is_refused() -> None:
    packed = context.pack([Message(role="user", content="a" * 3_000_000)])
    assert len(packed) > 1
    for numbers in (packed, [*packed[:2], 0, *packed[3:]]):
        with pytest.raises(ConfigError, match="altered"):
            context.unpack(Asked({"context": numbers}))


def test_a_conversation_too_long_for_a_context_is_said_to_be() -> None:
    import random

    words = random.Random(7).randbytes(40_000).hex()
    packed = context.pack([Message(role="user", content=words)])
    assert len(packed) == 1
    with pytest.raises(ConfigError, match="too long"):
        context.unpack(Asked({"context": packed}))


# Writing


def lines(ask: Ask, *deltas: Delta) -> list[dict[str, Any]]:
    writer = SERVER.writer(ask, now)
    sent = b"".join([*map(writer.feed, deltas), *writer.close()])
    assert sent.endswith(b"\n")
    assert sent.isascii()
    return [json.loads(line) for line in sent.splitlines()]


USER = [{"role": "user", "content": "Hi"}]


def test_every_line_is_whole_and_the_last_alone_is_done() -> None:
    said = lines(
        read("/api/chat", messages=USER),
        Delta(reasoning="Hm. "),
        Delta(content="one\u2028two\u0085 \N{GRINNING FACE}"),
        Delta(finish_reason="stop"),
    )
    for line in said:
        assert line["model"] == "tiny"
        assert line["created_at"] == "2026-11-25T07:28:08.123456Z"
        assert line["message"]["role"] == "assistant"
        assert isinstance(line["message"]["content"], str)
        assert "error" not in line
    assert [line["done"] for line in said] == [False, False, True]
    assert said[0]["message"]["thinking"] == "Hm. "
    assert said[-1]["done_reason"] == "stop"
    assert all(type(said[-1][name]) is int and said[-1][name] > 0 for name in METRICS)


def test_a_tool_call_in_pieces_is_written_whole() -> None:
    *_, call, done = lines(
        read("/api/chat", messages=USER),
        Delta(tool_calls=(ToolCallDelta(0, "a", "add", '{"x":'),)),
        Delta(tool_calls=(ToolCallDelta(0, arguments=" 1}"), ToolCallDelta(1, "b", "now"))),
        Delta(finish_reason="tool_calls"),
    )
    assert call["message"]["tool_calls"] == [
        {"id": "a", "function": {"index": 0, "name": "add", "arguments": {"x": 1}}},
        {"id": "b", "function": {"index": 1, "name": "now", "arguments": {}}},
    ]
    assert done["done_reason"] == "stop"


def test_a_tool_call_that_was_cut_is_text() -> None:
    call = ToolCall(name="add", arguments='{"x": [1, 2', id="a")
    ask = read("/api/chat", messages=USER, stream=False)
    written = SERVER.writer(ask, now).whole(ChatResult(tool_calls=(call,), finish_reason="length"))
    said = json.loads(written)
    assert said["message"] == {"role": "assistant", "content": '{"x": [1, 2'}
    assert said["done_reason"] == "length"


def test_logprobs_are_written_with_their_bytes() -> None:
    token = TokenLogprob("é", -0.5, (TokenLogprob("e", -2.5),))
    first, _ = lines(read("/api/chat", messages=USER), Delta(content="é", logprobs=(token,)))
    assert first["logprobs"] == [
        {
            "token": "é",
            "logprob": -0.5,
            "bytes": [195, 169],
            "top_logprobs": [{"token": "e", "logprob": -2.5, "bytes": [101]}],
        }
    ]


def test_generate_gives_its_text_and_a_context() -> None:
    first, done = lines(read("/api/generate", prompt="Hi"), Delta(content="Ho"))
    assert first["response"] == "Ho"
    assert done["context"]
    assert "message" not in done
    _, raw = lines(read("/api/generate", prompt="Hi", raw=True), Delta(content="Ho"))
    assert "context" not in raw


def test_a_sign_of_life_says_nothing_and_an_error_is_a_line() -> None:
    writer = SERVER.writer(read("/api/chat", messages=USER), now)
    beat = json.loads(writer.beat())
    assert (beat["message"]["content"], beat["done"]) == ("", False)
    assert writer.broken(Failure(502, "It broke.")) == b'{"error":"It broke."}\n'
    missing = SERVER.write_error(Failure(404, "Nobody has it.", missing="tiny"))
    assert json.loads(missing) == {"error": "model 'tiny' not found"}


def test_vectors_in_both_shapes() -> None:
    result = EmbedResult([[1.0, 0.0]], usage=Usage(8, 0))
    said = json.loads(write_vectors(read("/api/embed", input="a river"), result))
    assert said["embeddings"] == [[1.0, 0.0]]
    assert all(said[name] > 0 for name in METRICS[:3])
    old = write_vectors(read("/api/embeddings", prompt="a river"), result)
    assert json.loads(old) == {"embedding": [1.0, 0.0]}


def test_loading_is_one_object() -> None:
    said = json.loads(write_done(read("/api/generate"), "load", now))
    assert (said["response"], said["done"], said["done_reason"]) == ("", True, "load")
    said = json.loads(write_done(read("/api/chat"), "unload", now))
    assert (said["message"]["content"], said["done_reason"]) == ("", "unload")


# Listings


def listed(**about: Any) -> Listed:
    return Listed(about.get("name", "tiny:latest"), [replace(MODEL, **about)], now())


BARE = ModelInfo("x", "http://s", "openai")


@pytest.mark.parametrize(
    "info",
    [BARE, MODEL, replace(BARE, purpose="embedding"), replace(BARE, details={"format": 7})],
    ids=["bare", "ollama", "embedding", "odd"],
)
def test_no_entry_lacks_what_strict_clients_want(info: ModelInfo) -> None:
    (entry,) = json.loads(listings.write_tags([Listed("x:latest", [info], now())]))["models"]
    assert entry["name"] == entry["model"] == "x:latest"
    assert len(entry["digest"]) == 64
    assert entry["modified_at"] == "2026-11-25T07:28:08.123456Z"
    assert isinstance(entry["size"], int)
    for word in ("format", "family", "parameter_size", "quantization_level"):
        assert entry["details"][word]
        assert isinstance(entry["details"][word], str)
    assert all(isinstance(family, str) for family in entry["details"]["families"])
    assert entry["capabilities"]


def test_capabilities_are_what_nobody_denies() -> None:
    def can(**about: Any) -> Any:
        return json.loads(listings.write_show(listed(**about)))

    assert can(capabilities=None)["capabilities"] == ["completion", "tools"]
    assert can(capabilities=None)["unsaid"] == ["tools", "vision", "thinking", "insert"]
    assert can(capabilities=frozenset())["capabilities"] == ["completion"]
    assert can(capabilities=frozenset())["unsaid"] == []
    everything = can(capabilities=frozenset({"tools", "vision", "insert", "thinking"}))
    words = ["completion", "tools", "insert", "thinking", "vision"]
    assert everything["capabilities"] == words
    assert everything["details"]["families"][-1] == "clip"
    assert ".Tools" in everything["template"]
    assert ".Suffix" in everything["template"]
    assert ".Tools" not in can(capabilities=frozenset())["template"]


def test_show_gives_the_window_where_programs_look() -> None:
    said = json.loads(
        listings.write_show(listed(family="qwen3", loaded_context_length=4096, embedding_length=64))
    )
    assert said["parameters"].split() == ["num_ctx", "4096"]
    assert said["model_info"]["general.architecture"] == "qwen3"
    assert said["model_info"]["qwen3.context_length"] == 4096


def test_show_passes_on_what_ollama_told() -> None:
    details = {
        "template": "T" * 5000,
        "parameters": 'stop "x"\nnum_ctx 7',
        "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
        "remote_host": "https://elsewhere",
    }
    said = json.loads(listings.write_show(listed(details=details, loaded_context_length=4096)))
    assert said["template"] == "T" * 5000
    assert said["parameters"].splitlines()[1:] == ['stop "x"']
    assert said["model_info"]["llama.context_length"] == 131072
    assert "remote_host" not in said


def test_ps_lists_what_is_loaded_and_until_when() -> None:
    until = now() + timedelta(minutes=5)
    models = [
        listed(loaded=True, size_bytes=7, unload_at=until, loaded_context_length=4096),
        listed(name="other:latest", loaded=True, memory_bytes=9, gpu_bytes=0),
        listed(name="cold:latest"),
    ]
    first, second = json.loads(listings.write_ps(models, now()))["models"]
    assert (first["size"], first["size_vram"], first["context_length"]) == (7, 7, 4096)
    assert first["expires_at"] == "2026-11-25T07:33:08.123456Z"
    assert (second["size"], second["size_vram"]) == (9, 0)
    assert second["expires_at"].startswith("23")


@pytest.mark.parametrize(
    ("name", "tagged"),
    [
        ("tiny", "tiny:latest"),
        ("tiny:7b", "tiny:7b"),
        ("qwen/qwen3-8b", "qwen/qwen3-8b:latest"),
        ("host:5000/ns/model", "host:5000/ns/model:latest"),
    ],
)
def test_every_name_has_a_tag(name: str, tagged: str) -> None:
    assert listings.with_tag(name) == tagged


def test_what_is_asked_for_has_the_types_of_the_core() -> None:
    assert isinstance(chat(logprobs=True, top_logprobs=3), GenerationRequest)
