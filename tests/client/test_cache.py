"""What was asked before is not asked again, where the answer is certain to be as good."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localmix import ChatResult, EmbedResult
from localmix.errors import LocalMixError, StreamInterruptedError
from localmix.observing import Event
from localmix.servers import MEMORY
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.loopback import Exchange, LoopbackServer, hang_up, ndjson, whole

Start = Callable[[LoopbackServer], LoopbackServer]
CHAT = "POST /api/chat"
EMBED = "POST /api/embed"
SURE: Any = {"model": "tiny", "temperature": 0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "answers.sqlite"


def holding(digest: str, **routes: Any) -> LoopbackServer:
    """Be an Ollama whose models have a digest."""
    server = stand_ins.ollama(**routes)
    names = ("tiny:latest", "embed:latest")
    entries = [stand_ins._ollama_entry(name) | {"digest": digest} for name in names]
    server.routes["GET /api/tags"] = whole({"models": entries})
    return server


def numbering(exchange: Exchange) -> None:
    """Give each text a vector that tells its length; a text of stars has none that is finite."""
    texts = exchange.json["input"]
    vectors = [[float("nan") if "*" in text else len(text) / 3, 0.1] for text in texts]
    whole({"model": "embed", "embeddings": vectors})(exchange)


def test_a_certain_answer_is_asked_for_once(either: MakeEither, start: Start, file: Path) -> None:
    server = start(stand_ins.ollama())
    first = either(server.url, cache=file).chat("hello", **SURE)
    again = either(server.url, cache=file).chat("hello", **SURE)
    assert server.count(CHAT) == 1
    assert (first.cached, again.cached) == (False, True)
    told = ("content", "finish_reason", "model", "usage", "tool_calls")
    assert [getattr(again, name) for name in told] == [getattr(first, name) for name in told]
    assert route_of(again).server == route_of(first).server
    assert route_of(again).model == "tiny:latest"
    assert "cache" in route_of(again).reason
    assert again.timings.prompt is None
    assert again.timings.total is not None


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({}, 2),
        ({"temperature": 0.2}, 2),
        ({"seed": 0}, 1),
        ({"temperature": 0}, 1),
        ({"temperature": 0, "extra": {"options": {"mirostat": 2}}}, 2),
        ({"cache": True}, 1),
        ({"temperature": 0, "cache": False}, 2),
    ],
    ids=str,
)
def test_only_what_can_be_had_again_is_kept(
    either: MakeEither, start: Start, file: Path, options: Any, times: int
) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, cache=file)
    for _ in range(2):
        assert client.chat("hello", model="tiny", **options).content == "Hi."
        assert client.complete("hello", model="tiny", **options).content == "Hi."
    assert server.count(CHAT) == server.count("POST /api/generate") == times


def test_without_the_setting_nothing_is_kept(either: MakeEither, start: Start) -> None:
    server = start(stand_ins.ollama())
    for _ in range(2):
        assert not either(server.url).chat("hello", cache=True, **SURE).cached
    assert server.count(CHAT) == 2


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("hello!", {}),
        ("hello", {"max_tokens": 3}),
        ("hello", {"response_format": {"type": "object", "properties": {"b": {}, "a": {}}}}),
        ("hello", {"stop": ["x"]}),
        ({"role": "user", "content": "hello", "name": "Ada"}, {}),
    ],
    ids=str,
)
def test_every_option_counts(
    either: MakeEither, start: Start, file: Path, message: Any, options: Any
) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, cache=file)
    client.chat("hello", **SURE)
    assert not client.chat(message, **SURE, **options).cached
    assert client.chat(message, **SURE, **options).cached


def test_the_order_of_a_schema_counts(either: MakeEither, start: Start, file: Path) -> None:
    client = either(start(stand_ins.ollama()).url, cache=file)
    for names, cached in (("ab", False), ("ba", False), ("ab", True)):
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        assert client.chat("hello", response_format=schema, **SURE).cached == cached


def test_a_stream_comes_again_in_its_steps(either: MakeEither, start: Start, file: Path) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, cache=file)
    first, again = (client.stream("hello", **SURE) for _ in range(2))
    assert server.count(CHAT) == 1
    assert (
        [delta.content for delta in again] == [delta.content for delta in first] == ["H", "i.", ""]
    )
    assert [delta.cached for delta in again] == [False, False, True]
    assert "cache" in route_of(again[-1]).reason
    assert client.chat("hello", **SURE).cached
    assert server.count(CHAT) == 1


def test_a_whole_answer_is_streamed_too(either: MakeEither, start: Start, file: Path) -> None:
    client = either(start(stand_ins.ollama()).url, cache=file)
    client.complete("hello", **SURE)
    (delta,) = client.stream_complete("hello", **SURE)
    assert (delta.content, delta.finish_reason, delta.cached) == ("Hi.", "stop", True)


def test_what_breaks_off_or_is_left_is_not_kept(
    either: MakeEither, start: Start, file: Path
) -> None:
    hello = [stand_ins.ollama_says(content=text) for text in ("H", "i.")]
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*hello, end=hang_up)))
    client = either(server.url, cache=file)
    with pytest.raises(StreamInterruptedError):
        client.stream("hello", **SURE)
    server.routes[CHAT] = stand_ins.ollama().routes[CHAT]
    assert len(client.stream("hello", at_most=1, **SURE)) == 1
    assert not client.stream("hello", **SURE)[-1].cached
    assert client.stream("hello", **SURE)[-1].cached


class TestWeights:
    """What is kept is of one model, whatever it is called and wherever it is."""

    def test_the_same_digest_elsewhere_is_the_same(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        one, other = (start(holding("ab" * 32)) for _ in range(2))
        either(one.url, cache=file).chat("hello", **SURE)
        answer = either(other.url, cache=file).chat("hello", **SURE)
        assert answer.cached
        assert route_of(answer).server.url == other.url

    def test_another_digest_is_another_model(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        one, other = start(holding("ab" * 32)), start(holding("cd" * 32))
        for server in (one, other):
            MEMORY.forget()  # as in another program
            client = either(server.url, cache=file)
            assert not client.chat("hello", **SURE).cached
            assert not client.embed("hello", model="embed").cached
            assert client.chat("hello", **SURE).cached

    def test_a_model_without_a_digest_is_known_at_its_server_alone(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        one, other = (start(stand_ins.lmstudio(loaded=("tiny",))) for _ in range(2))
        for server in (one, other):
            client = either(server.url, cache=file)
            assert [client.chat("hello", **SURE).cached for _ in range(2)] == [False, True]

    def test_a_name_alone_is_no_model(self, either: MakeEither, start: Start, file: Path) -> None:
        server = stand_ins.openai(GET__v1_models=whole({"data": [{"id": "tiny"}]}))
        client = either(start(server).url, cache=file)
        for _ in range(2):
            assert not client.chat("hello", cache=True, **SURE).cached

    def test_who_answers_decides_what_is_kept(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        """A model that had to stand in is not taken for the one that was meant."""
        broken = start(holding("ab" * 32, POST__api_chat=whole({"error": "x"}, 500)))
        other = start(holding("cd" * 32))
        client = either([broken.url, other.url], cache=file, max_retries=0)
        assert route_of(client.chat("hello", **SURE)).server.url == other.url
        broken.routes[CHAT] = stand_ins.ollama().routes[CHAT]
        again = either([broken.url], cache=file).chat("hello", **SURE)
        assert not again.cached
        assert either([other.url], cache=file).chat("hello", **SURE).cached

    def test_nobody_there_is_an_error_as_ever(self, either: MakeEither, file: Path) -> None:
        client = either("http://127.0.0.1:9", cache=file)
        with pytest.raises(LocalMixError, match="No model server"):
            client.chat("hello", **SURE)


class TestVectors:
    def test_only_new_texts_are_asked_for(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        server = start(stand_ins.ollama(POST__api_embed=numbering))
        client = either(server.url, cache=file)
        texts = ["a", "bb", "a", "cccc"]
        first = client.embed(texts, model="embed")
        assert server.last(EMBED).json["input"] == ["a", "bb", "cccc"]
        again = client.embed(["bb", "ddddd", "a"], model="embed", chunk_size=1)
        assert server.last(EMBED).json["input"] == ["ddddd"]
        assert (first.cached, again.cached) == (0, 2)
        assert again.vectors == [first.vectors[1], [5 / 3, 0.1], first.vectors[0]]
        assert first.vectors == [[len(text) / 3, 0.1] for text in texts]
        last = client.embed(texts, model="embed")
        assert (last.vectors, last.cached, last.usage) == (first.vectors, 4, last.usage)
        assert last.usage
        assert last.usage.input_tokens == 0
        assert last.route
        assert server.count(EMBED) == 2

    @pytest.mark.parametrize("options", [{"truncate": True}, {"dimensions": 2}], ids=str)
    def test_options_count(
        self, either: MakeEither, start: Start, file: Path, options: Any
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=numbering)).url, cache=file)
        client.embed("a", model="embed")
        assert not client.embed("a", model="embed", **options).cached
        assert not client.embed("a", model="embed", cache=False).cached
        assert client.embed("a", model="embed", keep_alive=5, concurrency=1).cached

    def test_a_text_without_a_vector_keeps_its_place(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=numbering)).url, cache=file)
        client.embed("a", model="embed")
        result = client.embed(["*", "a", "bb", "*"], model="embed", skip_bad=True)
        assert [bool(vector) for vector in result.vectors] == [False, True, True, False]
        assert [text.index for text in result.skipped] == [0, 3]
        assert result.cached == 1
        assert client.embed(["*", "bb"], model="embed", skip_bad=True).cached == 1

    def test_vectors_of_two_models_are_never_mixed(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        one = start(holding("ab" * 32, POST__api_embed=numbering))
        other = start(holding("cd" * 32, POST__api_embed=numbering))
        client = either([one.url, other.url], cache=file, max_retries=0)
        client.embed("a", model="embed")
        one.routes[EMBED] = whole({"error": "x"}, 500)
        result = client.embed(["a", "bb"], model="embed")
        assert result.cached == 0
        assert result.route
        assert result.route.server.url == other.url
        assert other.last(EMBED).json["input"] == ["a", "bb"]


class TestAFileThatFails:
    """It costs one warning, and no request."""

    def use(self, either: MakeEither, url: str, file: Path) -> list[ChatResult | EmbedResult]:
        client = either(url, cache=file)
        answers = [client.chat("hello", **SURE) for _ in range(2)]
        return [*answers, client.embed("a", model="embed")]

    @pytest.fixture(params=["text", "cut", "foreign", "folder", "nowhere", "locked"])
    def broken(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Path]:
        monkeypatch.setattr("localmix.caching.store._BUSY", 0.05)
        file = tmp_path / "broken.sqlite"
        if request.param == "folder":
            file.mkdir()
        elif request.param in ("text", "nowhere"):
            file.write_text("my diary " * 1000)
        else:
            connection = sqlite3.connect(file, isolation_level=None)
            connection.execute("CREATE TABLE answers (of, others)")
            if request.param == "locked":
                connection.execute("BEGIN EXCLUSIVE")
            else:
                connection.close()
        if request.param == "cut":
            file.write_bytes(file.read_bytes()[:5000])
        yield file / "inside" if request.param == "nowhere" else file
        if request.param == "locked":
            connection.close()

    def test_it_is_told_once(
        self, either: MakeEither, start: Start, broken: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = broken.read_bytes() if broken.is_file() else b""
        url = start(stand_ins.ollama()).url
        with caplog.at_level(logging.WARNING, "localmix"):
            answers = self.use(either, url, broken)
        assert not any(answer.cached for answer in answers)
        told = [record for record in caplog.records if str(broken) in record.getMessage()]
        assert len(told) == 1
        if before.startswith(b"my diary"):
            assert broken.read_bytes() == before


def test_observers_are_told_of_what_nobody_was_asked_for(
    either: MakeEither, start: Start, file: Path
) -> None:
    server = start(stand_ins.ollama())
    either(server.url, cache=file).chat("hello", **SURE)
    either(server.url, cache=file).embed("hello", model="embed")
    events: list[Event] = []
    client = either(server.url, cache=file, observers=[events.append])
    client.chat("hello", **SURE)
    client.stream("hello", **SURE)
    client.embed("hello", model="embed")
    names = [type(event).__name__ for event in events]
    assert names == ["Began", "Ended"] * 3
    results = [getattr(event, "result", None) for event in events[1::2]]
    assert all(result is not None and result.cached for result in results)


def test_the_usual_file_is_the_users_alone(
    either: MakeEither, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localmix.caching import store

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALMIX_CACHE", "yes")
    store._usual_path.cache_clear()
    client = either(start(stand_ins.ollama()).url)
    client.chat("hello", **SURE)
    assert client.chat("hello", **SURE).cached
    (file,) = tmp_path.rglob("answers.sqlite")
    assert file.stat().st_mode & 0o077 == 0
    store._usual_path.cache_clear()


def test_many_texts_are_looked_for_too(either: MakeEither, start: Start, file: Path) -> None:
    server = start(stand_ins.ollama(POST__api_embed=numbering))
    texts = ["x" * length for length in range(1, 60)]
    runs = [
        either(server.url, cache=file).embed_many(some, model="embed", chunk_size=10)
        for some in (texts[:50], texts)
    ]
    assert [each.vector for each in runs[1]] == [[len(text) / 3, 0.1] for text in texts]
    asked = [
        text for each in server.requests if each.path == "/api/embed" for text in each.json["input"]
    ]
    assert sorted(asked) == sorted(texts)


def test_what_nobody_foresaw_ends_a_job(
    either: MakeEither, start: Start, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise LookupError("nobody foresaw this")

    monkeypatch.setattr("sqlite3.connect", broken)
    client = either(start(stand_ins.ollama(POST__api_embed=numbering)).url, cache=file)
    with pytest.raises(LookupError):  # it was waited for until the end of time
        client.embed_many(["x"], model="embed")
