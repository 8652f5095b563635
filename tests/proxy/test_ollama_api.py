"""Ollama's API as the proxy serves it, by bare sockets, in front of servers of every kind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from localmix.proxy.answering import Pace
from tests import stand_ins
from tests.loopback import (
    Exchange,
    LoopbackServer,
    hang_up,
    ndjson,
    pieces,
    stay_silent,
    whole,
)
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
KINDS: dict[str, Callable[[], LoopbackServer]] = {
    "ollama": stand_ins.ollama,
    "lmstudio": stand_ins.lmstudio,
    "openai": stand_ins.openai,
}
USER = [{"role": "user", "content": "Hi"}]
METRICS = (
    *("total_duration", "load_duration", "prompt_eval_count"),
    *("prompt_eval_duration", "eval_count", "eval_duration"),
)


@pytest.fixture(params=KINDS)
def behind(request: pytest.FixtureRequest, start: Start) -> LoopbackServer:
    return start(KINDS[request.param]())


@pytest.fixture
def front(behind: LoopbackServer) -> Iterator[Proxy]:
    with proxy([behind.url]) as running:
        yield running


def test_it_looks_like_ollama(front: Proxy) -> None:
    assert front.ask("GET", "/").body == b"Ollama is running"
    head = front.ask("HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert front.ask("GET", "/api/version").json == {"version": "0.32.15"}


def test_what_is_listed_can_be_asked_for(front: Proxy) -> None:
    names = [entry["name"] for entry in front.ask("GET", "/api/tags").json["models"]]
    assert names
    for name in names:
        assert ":" in name
        for spelled in (name, name.removesuffix(":latest"), name.upper()):
            shown = front.ask("POST", "/api/show", {"model": spelled})
            assert shown.status == 200, spelled
            assert isinstance(shown.json["model_info"], dict)
            assert isinstance(shown.json["capabilities"], list)


def test_a_chat_streamed(front: Proxy) -> None:
    reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert [piece.count(b"\n") for piece in reply.pieces] == [1] * len(reply.pieces)
    *said, done = reply.lines
    assert "".join(line["message"]["content"] for line in said) == "Hi."
    assert all(line["model"].startswith("tiny") and line["done"] is False for line in said)
    assert (done["done"], done["done_reason"]) == (True, "stop")
    assert all(done[name] > 0 for name in METRICS)
    assert (done["prompt_eval_count"], done["eval_count"]) == (19, 26)


def test_a_chat_whole(front: Proxy) -> None:
    body = {"model": "tiny:latest", "messages": USER, "stream": False}
    reply = front.ask("POST", "/api/chat", body)
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json["message"] == {"role": "assistant", "content": "Hi."}
    assert reply.json["model"] == "tiny:latest"
    assert all(reply.json[name] > 0 for name in METRICS)


def test_generate_goes_on_by_its_context(front: Proxy, behind: LoopbackServer) -> None:
    first = front.ask("POST", "/api/generate", {"model": "tiny", "prompt": "Hi", "stream": False})
    assert first.json["response"] == "Hi."
    body = {"model": "tiny", "prompt": "Again", "context": first.json["context"]}
    again = front.ask("POST", "/api/generate", body).lines
    assert "".join(line["response"] for line in again) == "Hi."
    asked = [each for each in behind.requests if each.method == "POST" and each.body][-1].json
    assert [message["content"] for message in asked["messages"]] == ["Hi", "Hi.", "Again"]


def test_a_model_that_nobody_has(front: Proxy) -> None:
    for path, said in (
        ("chat", {"messages": USER}),
        ("generate", {"prompt": "Hi"}),
        ("embed", {"input": "x"}),
        ("show", {}),
    ):
        reply = front.ask("POST", f"/api/{path}", {"model": "nobody/has-it", **said})
        assert reply.status == 404, path
        assert reply.headers["content-type"].startswith("application/json")
        assert reply.json == {"error": "model 'nobody/has-it' not found"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/chat", b"", 400),
        ("POST", "/api/chat", b"{", 400),
        ("POST", "/api/chat", b"[]", 400),
        ("POST", "/api/chat", {"messages": USER}, 400),
        ("POST", "/api/chat", {"model": "tiny", "messages": "x"}, 400),
        ("POST", "/api/chat", b"[" * 100_000, 400),
        ("POST", "/api/show", {}, 400),
        ("POST", "/api/pull", {}, 400),
        ("POST", "/api/create", {"model": "x"}, 400),
        ("POST", "/api/push", {"model": "x"}, 501),
        ("POST", "/api/copy", {}, 400),
        ("DELETE", "/api/delete", {}, 400),
        ("HEAD", "/api/blobs/sha256:0", None, 501),
        ("POST", "/api/blobs/sha256:0", b"x", 501),
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/chat", None, 405),
        ("PUT", "/api/tags", None, 405),
    ],
)
def test_refusals_are_json(start: Start, method: str, path: str, body: Any, status: int) -> None:
    with proxy([start(stand_ins.ollama()).url]) as front:
        reply = front.ask(method, path, body)
    assert reply.status == status
    if method != "HEAD":
        assert reply.headers["content-type"].startswith("application/json")
        assert isinstance(reply.json["error"], str)


def test_options_that_a_server_cannot_be_told_fail_nothing(start: Start) -> None:
    behind = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
    options = {"num_ctx": 131072, "typical_p": 0.5, "repeat_last_n": 64, "temperature": 0.5}
    body = {"model": "tiny", "messages": USER, "options": options, "keep_alive": -1}
    with proxy([behind.url]) as front:
        for _ in range(2):
            assert front.ask("POST", "/api/chat", body).lines[-1]["done"] is True
    asked = behind.last("POST /v1/chat/completions").json
    assert asked["temperature"] == 0.5
    assert not asked.keys() & {"num_ctx", "typical_p", "repeat_last_n", "ttl"}
    assert behind.count("POST /v1/chat/completions") == 2
    assert behind.count("POST /api/v1/models/load") == 0


def test_loading_and_unloading(start: Start) -> None:
    behind = start(
        stand_ins.ollama(
            POST__api_generate=whole({"done": True, "done_reason": "load", "response": ""})
        )
    )
    with proxy([behind.url]) as front:
        loaded = front.ask("POST", "/api/generate", {"model": "tiny", "keep_alive": "10m"})
        assert loaded.json["done_reason"] == "load"
        assert behind.last("POST /api/generate").json["keep_alive"] == 600
        gone = front.ask("POST", "/api/generate", {"model": "tiny", "keep_alive": 0})
        assert (gone.status, gone.json["done_reason"]) == (200, "unload")


def test_read_only_manages_nothing(start: Start) -> None:
    with proxy([start(stand_ins.ollama()).url], proxy_read_only=True) as front:
        gone = front.ask("POST", "/api/generate", {"model": "tiny", "keep_alive": 0})
        assert gone.status == 403
        after = {"model": "tiny", "messages": USER, "keep_alive": "0s"}
        assert front.ask("POST", "/api/chat", after).status == 403
        assert front.ask("POST", "/api/pull", {}).status == 403
        assert front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER}).status == 200


def test_embeddings(start: Start) -> None:
    with proxy([start(stand_ins.lmstudio("embed", loaded=("embed",))).url]) as front:
        new = front.ask("POST", "/api/embed", {"model": "embed", "input": ["a river"]}).json
        assert new["embeddings"] == [[1.0, 0.0]]
        assert all(new[name] > 0 for name in METRICS[:3])
        old = front.ask("POST", "/api/embeddings", {"model": "embed", "prompt": "a river"}).json
        assert old == {"embedding": [1.0, 0.0]}


def test_cloud_models_are_refused_unless_allowed(start: Start) -> None:
    behind = start(stand_ins.ollama("tiny:latest", "big:cloud"))
    body = {"model": "big:cloud", "messages": USER}
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/api/chat", body)
        assert reply.status == 403
        assert "cloud is disabled" in reply.json["error"]
        names = [entry["name"] for entry in front.ask("GET", "/api/tags").json["models"]]
        assert names == ["tiny:latest"]
    with proxy([behind.url], proxy_allow_cloud=True) as front:
        assert front.ask("POST", "/api/chat", body).status == 200


# Failing


def test_the_second_server_answers_when_the_first_dies(start: Start) -> None:
    dying = start(stand_ins.ollama(POST__api_chat=hang_up))
    with proxy([dying.url, start(stand_ins.ollama()).url]) as front:
        reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    assert "".join(line["message"]["content"] for line in reply.lines) == "Hi."
    assert dying.count("POST /api/chat") >= 1


def test_an_answer_that_breaks_off_ends_with_an_error_and_is_not_done(start: Start) -> None:
    said = [json.dumps(stand_ins.ollama_says(content="H")).encode() + b"\n"]
    broken = pieces(said, "application/x-ndjson", end=hang_up)
    with proxy([start(stand_ins.ollama(POST__api_chat=broken)).url]) as front:
        reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    first, last = reply.lines
    assert first["message"]["content"] == "H"
    assert list(last) == ["error"]
    assert "127.0.0.1" not in last["error"]


@pytest.mark.parametrize(
    ("status", "error", "seen"),
    [
        (503, "server busy, please try again.", 503),
        (429, "too many", 429),
        (500, "llama-server process has terminated", 500),
        (401, "unauthorized", 502),
        (400, '"tiny" does not support thinking', 400),
    ],
)
def test_errors_keep_their_meaning(start: Start, status: int, error: str, seen: int) -> None:
    refused = whole({"error": error}, status)
    behind = start(stand_ins.ollama(POST__api_chat=refused))
    with proxy([behind.url], max_retries=0) as front:
        for stream in (True, False):
            body = {"model": "tiny", "messages": USER, "stream": stream}
            reply = front.ask("POST", "/api/chat", body)
            assert reply.status == seen
            assert behind.url.removeprefix("http://") not in reply.json["error"]
    if seen in (429, 503):
        assert int(reply.headers["retry-after"]) >= 1


def test_nobody_there(start: Start) -> None:
    with proxy(["http://127.0.0.1:9"]) as front:
        reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    assert reply.status == 503
    assert reply.json == {"error": "No model server answers."}
    assert int(reply.headers["retry-after"]) >= 1


# Silence


def test_a_model_that_loads_is_bridged_by_empty_pieces(start: Start) -> None:
    loaded = threading.Event()

    def slowly(exchange: Exchange) -> None:
        loaded.wait(20)
        ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)(exchange)

    behind = start(stand_ins.ollama(POST__api_chat=slowly))
    with proxy([behind.url], pace=Pace(0.05, 0.05)) as front, front.connect() as connection:
        body = json.dumps({"model": "tiny", "messages": USER}).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        early = b""
        while early.count(b'"content":""') < 2:  # ours
            early += connection.recv(65536)
        loaded.set()
        while more := connection.recv(65536):
            early += more
    assert early.startswith(b"HTTP/1.1 200")
    said = early.replace(b" ", b"")  # the stand-in writes some
    assert b'"content":"Hi."' in said
    assert said.count(b'"done":true') == 1


@pytest.mark.parametrize("kind", ["ollama", "lmstudio"])
def test_silence_within_an_answer_is_broken_as_well(start: Start, kind: str) -> None:
    goes_on = threading.Event()

    def pauses(exchange: Exchange) -> None:
        if kind == "ollama":
            said = stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE
            pieces = [json.dumps(each).encode() + b"\n" for each in said]
            exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
        else:
            said = stand_ins.openai_says(content="Hi."), stand_ins.openai_says("stop")
            pieces = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in said]
            exchange.head(200, "text/event-stream", Transfer_Encoding="chunked")
        exchange.chunk(pieces[0])
        goes_on.wait(20)
        exchange.chunk(pieces[1])
        exchange.chunk(b"")

    routes = {"POST__api_chat": pauses, "POST__v1_chat_completions": pauses}
    behind = start(getattr(stand_ins, kind)("tiny", **routes))
    with proxy([behind.url], pace=Pace(0.05, 0.05)) as front, front.connect() as connection:
        body = json.dumps({"model": "tiny", "messages": USER}).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        said = b""
        while said.partition(b"Hi.")[2].count(b'"content":""') < 2:  # ours
            said += connection.recv(65536)
        goes_on.set()
        while more := connection.recv(65536):
            said += more
    assert said.count(b"Hi.") == 1
    assert said.replace(b" ", b"").count(b'"done":true') == 1


@pytest.mark.slow
def test_an_error_after_an_early_head_is_a_line(start: Start) -> None:
    gone = threading.Event()

    def late(exchange: Exchange) -> None:
        gone.wait(0.5)
        whole({"error": "llama-server process has terminated"}, 500)(exchange)

    behind = start(stand_ins.ollama(POST__api_chat=late))
    with proxy([behind.url], pace=Pace(0.05, 0.05), max_retries=0) as front:
        reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    assert reply.status == 200
    assert list(reply.lines[-1]) == ["error"]
    assert all(line["done"] is False for line in reply.lines[:-1])


# Leaving


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("has_spoken", [True, False])
def test_who_leaves_stops_the_generation(start: Start, stream: bool, has_spoken: bool) -> None:
    asked, left = threading.Event(), threading.Event()

    def endless(exchange: Exchange) -> None:
        if has_spoken and exchange.json.get("stream", True):
            exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
            exchange.chunk(json.dumps(stand_ins.ollama_says(content="H")).encode() + b"\n")
        asked.set()
        if exchange.is_hung_up(timeout=10):
            left.set()

    behind = start(stand_ins.ollama(POST__api_chat=endless))
    with ExitStack() as stack:
        front = stack.enter_context(proxy([behind.url]))
        connection = stack.enter_context(front.connect())
        body = json.dumps({"model": "tiny", "messages": USER, "stream": stream}).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert asked.wait(10)
        if has_spoken and stream:
            said = b""
            while b'"H"' not in said:
                said += connection.recv(65536)
        connection.close()
        assert left.wait(1.0 + 4.0)  # within a second on a machine that is not busy


def test_a_server_that_is_silent_is_waited_for_while_another_answers(start: Start) -> None:
    mute = start(stand_ins.ollama(POST__api_chat=stay_silent))
    with proxy([mute.url], first_byte_timeout=0.3, max_retries=0) as front:
        reply = front.ask("POST", "/api/chat", {"model": "tiny", "messages": USER})
    assert reply.status == 504
