"""Any number of texts: in order, by all servers, with what fails set aside, and resumed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localmix import Client, Embedded
from localmix.errors import (
    BadVectorError,
    ConfigError,
    LocalMixError,
    ProtocolError,
    ServerError,
)
from localmix.servers import MEMORY
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, LoopbackServer, whole

Start = Callable[[LoopbackServer], LoopbackServer]
EMBED = "POST /api/embed"
MANY: Any = {"model": "embed", "chunk_size": 10}


class Embedder:
    """Give each text a vector that tells its number; take some time for a request.

    Args:
        seconds: How long one request takes; a server works on one at a time.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self.texts: list[str] = []

    def __call__(self, exchange: Exchange) -> None:
        texts = exchange.json["input"]
        with self._lock:
            time.sleep(self._seconds)
            self.texts += texts
        whole({"model": "embed", "embeddings": list(map(vector_of, texts))})(exchange)


def vector_of(text: str) -> list[float]:
    return [float("nan") if "*" in text else float(text.removeprefix("text ")) / 7, 0.5]


def numbered(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


def is_right(found: list[Embedded], count: int) -> bool:
    told = [(each.index, each.text, each.vector, each.reason) for each in found]
    return told == [
        (place, text, vector_of(text), "") for place, text in enumerate(numbered(count))
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "vectors.part"


def test_every_text_has_its_vector_in_order(either: MakeEither, start: Start) -> None:
    embedders = [Embedder(), Embedder(), Embedder()]
    urls = [start(stand_ins.ollama(POST__api_embed=each)).url for each in embedders]
    assert is_right(either(urls).embed_many(iter(numbered(995)), **MANY), 995)
    asked = [text for each in embedders for text in each.texts]
    assert sorted(asked) == sorted(numbered(995))
    assert all(each.texts for each in embedders)


@pytest.mark.parametrize("texts", [[], iter(())])
def test_no_texts_are_no_vectors(either: MakeEither, start: Start, texts: Any) -> None:
    assert either(start(stand_ins.ollama()).url).embed_many(texts, **MANY) == []


@pytest.mark.slow
def test_the_faster_server_does_more(either: MakeEither, start: Start) -> None:
    """The user's order does not count: who is done takes the next batch."""
    slow, fast = Embedder(0.12), Embedder(0.01)
    urls = [start(stand_ins.ollama(POST__api_embed=each)).url for each in (slow, fast)]
    assert is_right(either(urls).embed_many(numbered(500), **MANY), 500)
    assert 0 < len(slow.texts) < len(fast.texts) / 2


def test_a_server_that_dies_costs_nothing(either: MakeEither, start: Start) -> None:
    dying = Embedder(0.01)
    servers = [start(stand_ins.ollama(POST__api_embed=each)) for each in (dying, Embedder(0.01))]

    def texts() -> Iterator[str]:
        for place, text in enumerate(numbered(400)):
            if place == 200:
                servers[0].stop()
            yield text

    client = either([server.url for server in servers])
    assert is_right(client.embed_many(texts(), **MANY), 400)
    assert dying.texts


def test_texts_are_read_as_they_are_needed(either: MakeEither, start: Start) -> None:
    read: list[str] = []

    def texts() -> Iterator[str]:
        for text in numbered(100_000):
            read.append(text)
            yield text

    client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
    assert is_right(client.embed_many(texts(), at_most=15, **MANY), 15)
    assert len(read) < 300


def test_a_model_that_was_not_named_is_one(either: MakeEither, start: Start) -> None:
    server = start(stand_ins.ollama("a-embed:latest", "b-embed:latest", POST__api_embed=Embedder()))
    assert is_right(either(server.url).embed_many(numbered(45), chunk_size=10), 45)
    asked = {each.json["model"] for each in server.requests if each.path == "/api/embed"}
    assert asked == {"a-embed:latest"}


def test_a_pin_holds(either: MakeEither, start: Start) -> None:
    servers = [start(stand_ins.ollama(POST__api_embed=Embedder())) for _ in range(2)]
    client = either([{"url": server.url, "name": f"s{n}"} for n, server in enumerate(servers)])
    assert is_right(client.embed_many(numbered(95), model="s1/embed", chunk_size=10), 95)
    assert servers[0].count(EMBED) == 0


class TestWhatFails:
    def test_a_text_without_a_vector_is_named(self, either: MakeEither, start: Start) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        texts = [*numbered(25), "*", *numbered(20)]
        with pytest.raises(
            BadVectorError, match=r"begins '\*'. It is one of texts\[20\] to texts\[29"
        ):
            client.embed_many(texts, **MANY)

    @pytest.mark.parametrize("bad", ["*", ""])
    def test_it_is_set_aside_when_asked(self, either: MakeEither, start: Start, bad: str) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        found = client.embed_many([*numbered(25), bad, *numbered(20)], skip_bad=True, **MANY)
        assert [each.index for each in found if not each.vector] == [25]
        assert found[25].text == bad
        assert found[25].reason
        assert [each.vector for each in found[26:]] == [vector_of(text) for text in numbered(20)]

    def test_a_whole_batch_may_be_bad(self, either: MakeEither, start: Start) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        found = client.embed_many(["", "*"] * 20, skip_bad=True, **MANY)
        assert [bool(each.reason) for each in found] == [True] * 40

    @pytest.mark.parametrize(
        ("bad", "said"),
        [("", r"texts\[25\] is wrong.*empty"), (3, r"texts\[25\] is not a text, but int")],
    )
    def test_what_is_no_text_is_named(
        self, either: MakeEither, start: Start, bad: Any, said: str
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        with pytest.raises(ConfigError, match=said):
            client.embed_many([*numbered(25), bad], **MANY)

    def test_what_comes_before_an_error_is_given(self, either: MakeEither, start: Start) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)

        def texts() -> Iterator[str]:
            yield from numbered(30)
            raise OSError("the disk is gone")

        assert is_right(client.embed_many(texts(), at_most=30, **MANY), 30)
        with pytest.raises(OSError, match="the disk is gone"):
            client.embed_many(texts(), **MANY)

    def test_a_server_that_refuses_all_is_an_error(self, either: MakeEither, start: Start) -> None:
        server = start(stand_ins.ollama(POST__api_embed=whole({"error": "no"}, 500)))
        with pytest.raises(ServerError):
            either(server.url, max_retries=0).embed_many(numbered(25), **MANY)

    def test_vectors_of_two_lengths_are_refused(self, either: MakeEither, start: Start) -> None:
        def changing(exchange: Exchange) -> None:
            texts = exchange.json["input"]
            length = 2 if "text 0" in texts else 3
            whole({"model": "embed", "embeddings": [[0.5] * length] * len(texts)})(exchange)

        client = either(start(stand_ins.ollama(POST__api_embed=changing)).url)
        with pytest.raises(ProtocolError, match="of length"):
            client.embed_many(numbered(25), **MANY)

    @pytest.mark.parametrize("texts", ["one text", 3])
    def test_one_text_is_not_many(self, either: MakeEither, texts: Any) -> None:
        with pytest.raises(ConfigError, match="texts"):
            either("http://127.0.0.1:9").embed_many(texts)

    def test_closing_the_client_ends_it(self, start: Start) -> None:
        client = Client(start(stand_ins.ollama(POST__api_embed=Embedder(0.02))).url)
        steps = client.embed_many(iter(numbered(10_000)), **MANY)
        next(steps)
        client.close()
        with pytest.raises(LocalMixError, match="closed"):
            list(steps)


class TestCheckpoint:
    def test_a_job_goes_on_where_it_was(self, either: MakeEither, start: Start, file: Path) -> None:
        def run(count: int, at_most: int | None = None) -> set[str]:
            """Have texts embedded by a new server; give those that it was asked for."""
            embedder = Embedder()
            client = either(start(stand_ins.ollama(POST__api_embed=embedder)).url)
            options = MANY | {"checkpoint": file}
            found = client.embed_many(numbered(count), at_most=at_most, **options)
            assert is_right(found, at_most or count)
            return set(embedder.texts)

        assert set(numbered(105)) <= run(300, at_most=105)
        assert run(300) == set(numbered(300)[110:])
        assert run(320) == set(numbered(320)[300:])
        assert run(320) == set()

    @pytest.mark.parametrize("cut", [1, 7, 9, 200])
    def test_a_frame_that_was_cut_is_written_again(
        self, either: MakeEither, start: Start, file: Path, cut: int
    ) -> None:
        url = start(stand_ins.ollama(POST__api_embed=Embedder())).url
        either(url).embed_many(numbered(100), checkpoint=file, **MANY)
        file.write_bytes(file.read_bytes()[:-cut])
        assert is_right(either(url).embed_many(numbered(100), checkpoint=file, **MANY), 100)
        assert is_right(either(url).embed_many(numbered(100), checkpoint=file, **MANY), 100)

    def test_what_was_set_aside_stays_so(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        options = MANY | {"checkpoint": file, "skip_bad": True}
        first, again = (client.embed_many(["text 1", "*", ""], **options) for _ in range(2))
        assert first == again
        assert first[1].reason

    @pytest.mark.parametrize("texts", [["another", *numbered(50)], numbered(3)])
    def test_other_texts_are_refused(
        self, either: MakeEither, start: Start, file: Path, texts: list[str]
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        client.embed_many(numbered(50), checkpoint=file, **MANY)
        before = file.read_bytes()
        with pytest.raises(ConfigError, match=r"texts\[\d\] is not the same"):
            client.embed_many(texts, checkpoint=file, **MANY)
        assert file.read_bytes() == before

    def test_another_model_is_refused(self, either: MakeEither, start: Start, file: Path) -> None:
        server = start(stand_ins.ollama(POST__api_embed=Embedder()))
        either(server.url).embed_many(numbered(50), checkpoint=file, **MANY)
        entry = stand_ins._ollama_entry("embed:latest") | {"digest": "ab" * 32}
        other = start(stand_ins.ollama(POST__api_embed=Embedder()))
        other.routes["GET /api/tags"] = whole({"models": [entry]})
        for url, options in ((other.url, {}), (server.url, {"dimensions": 2})):
            MEMORY.forget()  # as in another program
            with pytest.raises(ConfigError, match="another model or other options"):
                either(url).embed_many(numbered(50), checkpoint=file, **MANY, **options)

    def test_a_file_of_others_is_left_alone(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        file.parent.mkdir()
        file.write_text("my diary")
        with pytest.raises(ConfigError, match="is not a checkpoint"):
            client.embed_many(numbered(50), checkpoint=file, **MANY)
        assert file.read_text() == "my diary"
        with pytest.raises(ConfigError, match="cannot be written"):
            client.embed_many(numbered(50), checkpoint=file / "inside", **MANY)


class TestProgress:
    def test_a_function_is_told_how_many_more(
        self, either: MakeEither, start: Start, file: Path
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        for _ in range(2):
            told: list[int] = []
            client.embed_many(numbered(45), checkpoint=file, progress=told.append, **MANY)
            assert told == [10, 10, 10, 10, 5]

    def test_a_bar_tells_how_far_it_is(
        self, either: MakeEither, start: Start, capsys: pytest.CaptureFixture[str]
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        plain = client.embed_many(numbered(45), **MANY)
        assert client.embed_many(numbered(45), progress=True, **MANY) == plain
        shown = capsys.readouterr()
        assert "embedding" in shown.err
        assert "45/45" in shown.err
        assert shown.out == ""

    def test_how_many_there_are_may_be_unknown(
        self, either: MakeEither, start: Start, capsys: pytest.CaptureFixture[str]
    ) -> None:
        client = either(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
        client.embed_many((text for text in numbered(45)), progress=True, **MANY)
        assert "45/?" in capsys.readouterr().err
