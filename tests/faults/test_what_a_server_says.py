"""What a server says is checked at the door: no reply harms a later request or another server.

Each test is a row of what went wrong when 0.1.0 was tried, and its neighbours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from localmix import Tool
from localmix.errors import (
    AuthenticationError,
    BadVectorError,
    ConfigError,
    DownloadError,
    LocalMixError,
    ModelCrashedError,
    ProtocolError,
    StreamInterruptedError,
)
from localmix.types.fold import fold
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.loopback import Exchange, LoopbackServer, events, ndjson, pieces, stay_silent, whole
from tests.stand_ins import OLLAMA_DONE, OPENAI_USAGE, ollama_says, openai_says

Start = Callable[[LoopbackServer], LoopbackServer]
STOP = openai_says("stop")
ABSURD = [float("nan"), -1e9, 10**400, "7", True, [1], {"a": 1}, None, -1, 1.5]


def raw(value: Any) -> bytes:
    """Write JSON as Python does, NaN too; 1e400 is read as infinity."""
    return json.dumps(value).encode()


def ollama_saying(*frames: Any) -> LoopbackServer:
    return stand_ins.ollama(POST__api_chat=ndjson(*frames))


def openai_saying(*frames: Any, **more: Any) -> LoopbackServer:
    return stand_ins.openai(POST__v1_chat_completions=events(*frames, **more))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "key", ["eval_duration", "eval_count", "prompt_eval_count", "load_duration"]
)
@pytest.mark.parametrize("value", ABSURD, ids=repr)
def test_absurd_figures_harm_no_request(
    either: MakeEither, start: Start, key: str, value: Any
) -> None:
    """A1, A2."""
    bad = start(ollama_saying(ollama_says(content="Hi."), OLLAMA_DONE | {key: value}))
    client = either([bad.url, start(stand_ins.ollama()).url])
    for _ in range(3):
        assert client.chat("hello", model="tiny").content == "Hi."
        assert fold(client.stream("hello", model="tiny")).content == "Hi."
        client.route("tiny")


@pytest.mark.parametrize("value", ABSURD, ids=repr)
def test_absurd_timings_of_llama_cpp(either: MakeEither, start: Start, value: Any) -> None:
    frames = [openai_says(content="Hi."), STOP, OPENAI_USAGE | {"timings": {"prompt_ms": value}}]
    client = either(start(openai_saying(*frames, b"[DONE]")).url)
    for _ in range(2):
        assert fold(client.stream("hello", model="tiny")).content == "Hi."


@pytest.mark.parametrize("value", [5, [1], {"a": 1}, True])
def test_content_of_the_wrong_type_is_a_typed_error(
    either: MakeEither, start: Start, value: Any
) -> None:
    """A2."""
    server = start(openai_saying(openai_says(content="Hi."), openai_says(content=value), STOP))
    with pytest.raises(ProtocolError) as caught:
        either(server.url).stream("hello", model="tiny")
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hi."


@pytest.mark.parametrize(
    "spoiled",
    [
        {"details": {"parameter_size": 8, "family": 5, "context_length": "long"}},
        {"details": 5, "size": 10**400, "digest": 7},
        {"name": 5},
        {"name": "x" * 100_000},
    ],
)
def test_one_bad_entry_costs_that_entry(either: MakeEither, start: Start, spoiled: Any) -> None:
    """A3."""
    entries = [spoiled | {"model": "odd"}, 7, stand_ins._ollama_entry("tiny:latest")]
    server = start(stand_ins.ollama(GET__api_tags=whole({"models": entries})))
    client = either(server.url)
    assert "tiny:latest" in [model.name for model in client.models_by_server()]
    (verdict,) = client.servers()
    assert "could not be read" in verdict.note
    assert client.chat("hello", model="tiny").content == "Hi."


def test_a_byte_that_is_not_utf_8_costs_a_letter(either: MakeEither, start: Start) -> None:
    entry = json.dumps(stand_ins._ollama_entry("tiny:latest") | {"license": "X"}).encode()
    body = b'{"models": [' + entry.replace(b'"X"', b'"\xff"') + b"]}"
    client = either(start(stand_ins.ollama(GET__api_tags=whole(body))).url)
    assert [model.name for model in client.models_by_server()] == ["tiny:latest"]


def test_a_byte_order_mark_is_no_part_of_an_answer(either: MakeEither, start: Start) -> None:
    """A5."""
    frames = [openai_says(content="NOT "), openai_says(content="safe."), STOP]
    data = b"".join(b"data: " + raw(frame) + b"\n\n" for frame in frames) + b"data: [DONE]\n\n"
    reply = pieces([b"\xef\xbb\xbf" + data], "text/event-stream")
    client = either(start(stand_ins.openai(POST__v1_chat_completions=reply)).url)
    assert fold(client.stream("hello", model="tiny")).content == "NOT safe."


@pytest.mark.parametrize("reason", ["abort", "error", "cancelled"])
def test_an_abort_is_an_error_with_what_had_come(
    either: MakeEither, start: Start, reason: str
) -> None:
    """A6."""
    server = start(openai_saying(openai_says(content="cut he"), openai_says(reason), b"[DONE]"))
    ollama = start(
        ollama_saying(ollama_says(content="cut he"), OLLAMA_DONE | {"done_reason": reason})
    )
    for url in (server.url, ollama.url):
        with pytest.raises(StreamInterruptedError) as caught:
            either(url).stream("hello", model="tiny")
        assert caught.value.partial is not None
        assert caught.value.partial.content == "cut he"


def test_a_reason_that_nobody_knows_is_handed_on(either: MakeEither, start: Start) -> None:
    server = start(openai_saying(openai_says(content="Hi."), openai_says("recitation"), b"[DONE]"))
    ollama = start(
        ollama_saying(ollama_says(content="Hi."), OLLAMA_DONE | {"done_reason": "tired"})
    )
    assert fold(either(server.url).stream("hello", model="tiny")).finish_reason == "recitation"
    assert either(ollama.url).chat("hello", model="tiny").finish_reason == "tired"


def test_no_reason_at_all_is_no_end(either: MakeEither, start: Start) -> None:
    server = start(openai_saying(openai_says(content="cut he"), b"[DONE]"))
    with pytest.raises(StreamInterruptedError):
        either(server.url).stream("hello", model="tiny")
    choice = {"message": {"content": "cut he"}, "finish_reason": None}
    server = start(stand_ins.openai(POST__v1_chat_completions=whole({"choices": [choice]})))
    with pytest.raises(StreamInterruptedError) as caught:
        either(server.url).chat("hello", model="tiny")
    assert caught.value.partial is not None
    assert caught.value.partial.content == "cut he"


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"message": "boom"}\n\n',
        b"event: error\ndata: boom\n\n",
        b'data: {"error": ""}\n\n',
        b'data: {"error": {}}\n\n',
        b'data: {"error": ["boom"]}\n\n',
        b'data: {"object": "error", "message": "boom"}\n\n',
    ],
)
def test_an_error_is_an_error_whatever_its_body(
    either: MakeEither, start: Start, frame: bytes
) -> None:
    """A7."""
    hello = b"data: " + raw(openai_says(content="Hi.")) + b"\n\n"
    data = [hello, frame, b"data: [DONE]\n\n"]
    reply = pieces(data, "text/event-stream")
    client = either(start(stand_ins.openai(POST__v1_chat_completions=reply)).url)
    with pytest.raises(ModelCrashedError) as caught:
        client.stream("hello", model="tiny")
    assert caught.value.partial is not None


def _dies(exchange: Exchange) -> None:
    exchange.connection.close()


@pytest.mark.parametrize("end", [stay_silent, _dies], ids=["stays open", "no last chunk"])
def test_the_end_mark_ends_the_answer_at_once(
    either: MakeEither, start: Start, end: Callable[[Exchange], None]
) -> None:
    """A9."""
    hello = [openai_says(content="Hi."), STOP, b"[DONE]"]
    servers = [
        openai_saying(*hello, end=end),
        stand_ins.ollama(POST__api_chat=ndjson(ollama_says(content="Hi."), OLLAMA_DONE, end=end)),
    ]
    for server in servers:
        client = either(start(server).url)
        client.models_by_server()
        began = time.monotonic()
        assert fold(client.stream("hello", model="tiny")).content == "Hi."
        assert time.monotonic() - began < 5


def test_other_choices_are_kept_apart(either: MakeEither, start: Start) -> None:
    """A10."""
    other = {"index": 1, "delta": {"content": "Bye."}, "finish_reason": "stop"}
    frames = [openai_says(content="Hi."), {"choices": [other]}, STOP, b"[DONE]"]
    client = either(start(openai_saying(*frames)).url)
    assert fold(client.stream("hello", model="tiny")).content == "Hi."
    with pytest.raises(ConfigError, match="one answer"):
        client.chat("hello", model="tiny", extra={"n": 2})


def test_half_characters_are_joined_or_replaced(either: MakeEither, start: Start) -> None:
    """A11."""
    halves = [r'{"message": {"content": "Hi \ud83d"}}', r'{"message": {"content": "\ude00!"}}']
    alone = r'{"message": {"content": " \ud83d!"}}'
    data = "\n".join([*halves, alone, json.dumps(OLLAMA_DONE), ""]).encode()
    reply = pieces([data], "application/x-ndjson")
    client = either(start(stand_ins.ollama(POST__api_chat=reply)).url)
    assert fold(client.stream("hello", model="tiny")).content == "Hi \U0001f600! \ufffd!"


def test_a_thought_that_only_ends_stands_apart(either: MakeEither, start: Start) -> None:
    """A12."""
    text = "They ask 1+1.\n</think>\n\nIt is 2."
    client = either(start(ollama_saying(ollama_says(content=text), OLLAMA_DONE)).url)
    answer = client.chat("1+1?", model="tiny")
    assert (answer.reasoning.strip(), answer.content) == ("They ask 1+1.", "It is 2.")
    words = ("They ask", " 1+1.\n</th", "ink>\n", "\nIt is 2.")
    frames = [ollama_says(content=word) for word in words]
    client = either(start(ollama_saying(*frames, OLLAMA_DONE)).url)
    answer = fold(client.stream("1+1?", model="tiny"))
    assert (answer.reasoning.strip(), answer.content) == ("They ask 1+1.", "It is 2.")


def test_a_text_that_only_speaks_of_the_tag_is_left_alone(either: MakeEither, start: Start) -> None:
    text = "The </think> tag ends a thought."
    client = either(start(ollama_saying(ollama_says(content=text), OLLAMA_DONE)).url)
    assert client.chat("What is it?", model="tiny").content == text


def _without_a_vector_for(bad: str) -> Callable[[Exchange], None]:
    def reply(exchange: Exchange) -> None:
        texts = exchange.json["input"]
        if bad in texts:
            whole({"error": "unsupported value: NaN"}, 500)(exchange)
        else:
            whole({"embeddings": [[1.0, 0.0]] * len(texts)})(exchange)

    return reply


def test_a_text_without_a_vector_is_named(either: MakeEither, start: Start) -> None:
    """A13."""
    server = start(stand_ins.ollama(POST__api_embed=_without_a_vector_for("bad")))
    client = either(server.url)
    with pytest.raises(BadVectorError, match="'bad'"):
        client.embed(["a", "b", "bad", "c"], model="embed")
    assert server.count("POST /api/embed") <= 6
    result = client.embed(["a", "b", "bad", "c"], model="embed", skip_bad=True)
    assert [bool(vector) for vector in result.vectors] == [True, True, False, True]
    assert [skipped.index for skipped in result.skipped] == [2]


@pytest.mark.parametrize(
    "entries",
    [
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 9, "embedding": [2.0]}],
        [{"index": "10", "embedding": [1.0]}, {"index": "9", "embedding": [2.0]}],
        [{"embedding": "12"}, {"embedding": "34"}],
        [{"embedding": {"0": 1}}, {"embedding": {"0": 1}}],
        [{"embedding": [10**400]}, {"embedding": [1]}],
    ],
)
def test_vectors_that_fit_no_text(either: MakeEither, start: Start, entries: Any) -> None:
    """A14."""
    server = stand_ins.lmstudio("embed", POST__v1_embeddings=whole({"data": entries}))
    with pytest.raises(ProtocolError):
        either(start(server).url).embed(["a", "b"], model="embed")


def test_unknown_is_not_cannot(either: MakeEither, start: Start) -> None:
    """A15: Ollama before 0.6.4 tells no capabilities."""
    entry = stand_ins._ollama_entry("tiny:latest")
    del entry["capabilities"]
    server = stand_ins.ollama(GET__api_tags=whole({"models": [entry]}), POST__api_show=whole({}))
    client = either(start(server).url)
    tool = Tool(name="now", parameters={})
    assert client.chat("hello", model="tiny", tools=[tool]).content == "Hi."


def test_a_model_that_embeds_by_its_name_is_no_chat_model(either: MakeEither, start: Start) -> None:
    """A17."""
    entries = [stand_ins._ollama_entry(name) for name in ("qwen3-embedding:0.6b", "tiny:latest")]
    for entry in entries:
        del entry["capabilities"]
        entry["details"]["family"] = "qwen3"
    client = either(start(stand_ins.ollama(GET__api_tags=whole({"models": entries}))).url)
    assert route_of(client.chat("hello")).model == "tiny:latest"
    assert client.route(purpose="embedding").model == "qwen3-embedding:0.6b"


def test_a_model_that_refuses_proves_what_it_is_for(either: MakeEither, start: Start) -> None:
    """A17: the first request finds the next model, and later ones do not try the first again."""

    def chat(exchange: Exchange) -> None:
        if exchange.json["model"].startswith("odd"):
            whole({"error": '"odd" does not support chat'}, 400)(exchange)
        else:
            whole(OLLAMA_DONE | {"message": {"content": "Hi."}})(exchange)

    server = start(stand_ins.ollama("odd:latest", "tiny:latest", POST__api_chat=chat))
    client = either(server.url)
    for _ in range(3):
        assert route_of(client.chat("hello")).model == "tiny:latest"
    assert server.count("POST /api/chat") == 4


def test_a_variant_is_held(either: MakeEither, start: Start) -> None:
    """A18."""
    variants = ["tiny@q4_k_m", "tiny@q8_0"]
    entry = stand_ins._lmstudio_entry("tiny", True) | {"variants": variants}
    client = either(start(stand_ins.lmstudio(GET__api_v1_models=whole({"models": [entry]}))).url)
    assert client.route("tiny@q4_k_m").model == "tiny@q4_k_m"


def test_a_cloud_model_wants_a_sign_in(either: MakeEither, start: Start) -> None:
    """A20."""
    refusal = whole({"error": "unauthorized", "signin_url": "https://ollama.com/connect"}, 401)
    client = either(start(stand_ins.ollama(POST__api_chat=refusal)).url)
    with pytest.raises(AuthenticationError, match="ollama signin.*https://ollama.com/connect"):
        client.chat("hello", model="tiny")


@pytest.mark.parametrize(
    ("said", "error", "hint"),
    [
        ("pull model manifest: 401: unauthorized", AuthenticationError, "signin"),
        ("412: this model requires a newer version of Ollama", DownloadError, "Update"),
        ("400: Repository is not GGUF or is not compatible", DownloadError, "GGUF"),
        ("write /models/x: no space left on device", DownloadError, "space"),
        ("dial tcp: lookup registry: no such host", DownloadError, "internet"),
    ],
)
def test_a_pull_that_fails_says_what_helps(
    either: MakeEither, start: Start, said: str, error: type[LocalMixError], hint: str
) -> None:
    """A21."""
    server = stand_ins.ollama(
        POST__api_pull=ndjson({"status": "pulling manifest"}, {"error": said})
    )
    with pytest.raises(error) as caught:
        either(start(server).url, max_retries=0).pull("new")
    assert hint in caught.value.hint


def test_a_long_error_is_judged_by_its_beginning(either: MakeEither, start: Start) -> None:
    """A22."""
    server = stand_ins.ollama(POST__api_chat=whole({"error": "model " * 40_000}, 500))
    began = time.monotonic()
    with pytest.raises(LocalMixError) as caught:
        either(start(server).url, max_retries=0).chat("hello", model="tiny")
    assert time.monotonic() - began < 5
    assert len(caught.value.message) < 1000


def test_a_compressed_reply_is_refused(either: MakeEither, start: Start) -> None:
    """A23."""

    def bomb(exchange: Exchange) -> None:
        exchange.head(200, "application/json", Content_Encoding="gzip, gzip", Content_Length="4")
        exchange.send(b"bomb")

    bad = start(stand_ins.ollama(GET__api_tags=bomb))
    client = either([bad.url, start(stand_ins.ollama()).url])
    assert client.chat("hello", model="tiny").content == "Hi."
    assert "compressed" in client.servers()[0].problem


def test_a_listing_that_never_ends_is_left(either: MakeEither, start: Start) -> None:
    def pour(exchange: Exchange) -> None:
        exchange.head(200, "application/json")
        while True:
            exchange.send(b" " * 1_000_000)

    bad = start(stand_ins.ollama(GET__api_tags=pour))
    client = either([bad.url, start(stand_ins.ollama()).url], probe_timeout=10)
    assert client.chat("hello", model="tiny").content == "Hi."
    assert "more than" in client.servers()[0].problem


@pytest.mark.exhaustive
def test_an_answer_of_many_deltas_is_whole(either: MakeEither, start: Start) -> None:
    """A24: what they cost is in `benchmarks/long_answers.py`."""
    frames = [ollama_says(content="ten letter") for _ in range(20_000)]
    client = either(start(ollama_saying(*frames, OLLAMA_DONE)).url)
    assert fold(client.stream("hello", model="tiny")).content == "ten letter" * 20_000
