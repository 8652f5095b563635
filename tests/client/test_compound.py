"""What takes more than one exchange: tools next to a schema, and many texts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from localmix import Tool
from localmix.errors import ContextLengthError, OverloadedError, ProtocolError
from tests import stand_ins
from tests.either import Either, MakeEither
from tests.loopback import Exchange, Reply, ndjson, whole

WEATHER = Tool(name="get_weather")
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
CALL = {"id": "call_1", "function": {"name": "get_weather", "arguments": {}}}

Ask = Callable[..., tuple[str, tuple[str, ...]]]


def asked_whole(client: Either, **options: Any) -> tuple[str, tuple[str, ...]]:
    result = client.chat("hello", model="tiny", **options)
    return result.content, tuple(call.name for call in result.tool_calls)


def asked_streamed(client: Either, **options: Any) -> tuple[str, tuple[str, ...]]:
    deltas = client.stream("hello", model="tiny", **options)
    assert deltas[-1].route
    calls = tuple(piece.name for delta in deltas for piece in delta.tool_calls)
    return "".join(delta.content for delta in deltas), calls


def answering(*, calls: bool) -> Reply:
    """Be a model that calls a tool if it may, answers by the schema, or talks."""

    def reply(exchange: Exchange) -> None:
        asked = exchange.json
        message: dict[str, Any] = {"role": "assistant", "content": "Let me talk."}
        if asked.get("format"):
            message["content"] = '{"name": "Ada"}'
        elif calls and asked.get("tools"):
            message = {"role": "assistant", "content": "", "tool_calls": [CALL]}
        last = stand_ins.OLLAMA_DONE | {"message": message}
        (ndjson(last) if asked["stream"] else whole(last))(exchange)

    return reply


@pytest.mark.parametrize("ask", [asked_whole, asked_streamed])
class TestToolsNextToASchema:
    """Quirk (ollama 0.12.11, 0.33.0-rc2; llama.cpp b11549): together, no tool is ever called."""

    def test_a_call_ends_the_first_turn(self, either: MakeEither, start: Any, ask: Ask) -> None:
        server = start(stand_ins.ollama(POST__api_chat=answering(calls=True)))
        content, calls = ask(either(server.url), tools=[WEATHER], response_format=SCHEMA)
        assert (content, calls) == ("", ("get_weather",))
        body = server.last("POST /api/chat").json
        assert "tools" in body
        assert "format" not in body
        assert server.count("POST /api/chat") == 1

    def test_without_a_call_the_schema_is_asked_for(
        self, either: MakeEither, start: Any, ask: Ask
    ) -> None:
        server = start(stand_ins.ollama(POST__api_chat=answering(calls=False)))
        content, calls = ask(either(server.url), tools=[WEATHER], response_format=SCHEMA)
        assert (content, calls) == ('{"name": "Ada"}', ())
        body = server.last("POST /api/chat").json
        assert "tools" not in body
        assert body["format"] == SCHEMA
        assert server.count("POST /api/chat") == 2

    def test_both_requests_are_counted_and_told(
        self, either: MakeEither, start: Any, ask: Ask
    ) -> None:
        server = start(stand_ins.ollama(POST__api_chat=answering(calls=False)))
        client = either(server.url)
        options: Any = {"model": "tiny", "tools": [WEATHER], "response_format": SCHEMA}
        told: Any = (
            client.chat("hello", **options)
            if ask is asked_whole
            else client.stream("hello", **options)[-1]
        )
        assert (told.usage.input_tokens, told.usage.output_tokens) == (2 * 19, 2 * 26)
        assert (told.timings.prompt, told.timings.output) == (1, 4)
        (earlier,) = told.route.earlier
        assert earlier.server == told.route.server
        assert not earlier.earlier

    def test_a_turn_without_a_choice_is_one(self, either: MakeEither, start: Any, ask: Ask) -> None:
        server = start(stand_ins.ollama(POST__api_chat=answering(calls=True)))
        client = either(server.url)
        said = ask(client, tools=[WEATHER], tool_choice="none", response_format=SCHEMA)
        assert said == ('{"name": "Ada"}', ())
        assert ask(client, tools=[WEATHER]) == ("", ("get_weather",))
        assert server.count("POST /api/chat") == 2


class Embedder:
    """Give each text a vector that tells its number, and remember how many asked at once."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        self._all_here = threading.Barrier(2)

    def reply(self, exchange: Exchange) -> None:
        texts = exchange.json["input"]
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
            self.sizes.append(len(texts))
        if len(self.sizes) > 1:  # the first request comes alone, the others in pairs
            self._all_here.wait(timeout=10)
        with self._lock:
            self._now -= 1
        vectors = [[float(text), 1.0] for text in texts]
        body = {"model": "embed", "embeddings": vectors, "prompt_eval_count": len(texts)}
        whole(body)(exchange)


def test_many_texts_go_in_several_requests_at_once(either: MakeEither, start: Any) -> None:
    embedder = Embedder()
    server = start(stand_ins.ollama(POST__api_embed=embedder.reply))
    texts = [str(number) for number in range(10)]
    result = either(server.url).embed(texts, chunk_size=2, concurrency=2)
    assert [vector[0] for vector in result.vectors] == list(range(10))
    assert embedder.sizes == [2, 2, 2, 2, 2]
    assert embedder.at_once == 2
    assert result.usage is not None
    assert result.usage.input_tokens == 10
    assert result.route is not None
    assert result.timings.total is not None


def limited(exchange: Exchange) -> None:
    """Refuse a text that is too long, as Ollama does: without saying which."""
    texts = exchange.json["input"]
    if any(len(text) > 50 for text in texts):
        whole({"error": "the input length exceeds the context length"}, 400)(exchange)
    else:
        whole({"embeddings": [[float(len(text))] for text in texts]})(exchange)


def test_the_text_that_is_too_long_is_named(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_embed=limited))
    texts = ["short"] * 5 + ["longer and " * 10] + ["short"] * 3
    with pytest.raises(ContextLengthError, match="begins 'longer and"):
        either(server.url).embed(texts, chunk_size=4)


def too_many(exchange: Exchange) -> None:
    """Be a server that counts the whole batch against its window."""
    texts = exchange.json["input"]
    if len(texts) > 2:
        whole({"error": "input is too large to process"}, 500)(exchange)
    else:
        whole({"embeddings": [[float(len(text))] for text in texts]})(exchange)


def test_a_batch_that_is_too_long_as_a_whole_is_halved(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_embed=too_many))
    vectors = either(server.url).embed(["a", "bb", "ccc", "dddd", "eeeee"]).vectors
    assert vectors == [[1.0], [2.0], [3.0], [4.0], [5.0]]


def test_vectors_of_two_models_are_never_mixed(either: MakeEither, start: Any) -> None:
    def two_minds(exchange: Exchange) -> None:
        width = 2 if "a" in exchange.json["input"] else 3
        whole({"embeddings": [[1.0] * width] * len(exchange.json["input"])})(exchange)

    server = start(stand_ins.ollama(POST__api_embed=two_minds))
    with pytest.raises(ProtocolError, match="different lengths"):
        either(server.url).embed(["a", "b"], chunk_size=1)


@pytest.mark.slow
def test_a_chunk_that_fails_fails_all(either: MakeEither, start: Any) -> None:
    def busy_later(exchange: Exchange) -> None:
        if "a" in exchange.json["input"]:
            whole({"embeddings": [[1.0]]})(exchange)
        else:
            whole({"error": "server busy"}, 503)(exchange)

    server = start(stand_ins.ollama(POST__api_embed=busy_later))
    with pytest.raises(OverloadedError):
        either(server.url).embed(["a", "b", "c"], chunk_size=1)


def test_without_a_name_all_chunks_go_to_the_model_of_the_first(
    either: MakeEither, start: Any
) -> None:
    server = start(stand_ins.ollama("embed:latest", "embed-2:latest"))
    either(server.url).embed(["a", "b", "c"], chunk_size=1)
    asked = [each.json["model"] for each in server.requests if each.path == "/api/embed"]
    assert asked == ["embed:latest"] * 3
