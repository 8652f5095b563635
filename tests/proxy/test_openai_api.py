"""OpenAI's API as the proxy serves it, and LM Studio's older one, in front of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localmix.proxy.answering import Pace
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, hang_up, pieces
from tests.proxy.served import Proxy, Reply, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
KINDS: dict[str, Callable[[], LoopbackServer]] = {
    "ollama": stand_ins.ollama,
    "lmstudio": stand_ins.lmstudio,
    "openai": stand_ins.openai,
}
USER = [{"role": "user", "content": "Hi"}]
CHAT = {"model": "tiny", "messages": USER}


@pytest.fixture(params=KINDS)
def front(request: pytest.FixtureRequest, start: Start) -> Iterator[Proxy]:
    with proxy([start(KINDS[request.param]()).url]) as running:
        yield running


def said_in(reply: Reply) -> list[Any]:
    """Read the events but the end mark, which must be there."""
    *frames, end, rest = reply.body.split(b"\n\n")
    assert (end, rest) == (b"data: [DONE]", b"")
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


@pytest.mark.parametrize("root", ["/v1", "/api/v0"])
def test_what_is_listed_can_be_asked_for(front: Proxy, root: str) -> None:
    ids = [entry["id"] for entry in front.ask("GET", f"{root}/models").json["data"]]
    assert ids == [entry["name"] for entry in front.ask("GET", "/api/tags").json["models"]]
    for name in (*ids, "tiny"):
        assert front.ask("GET", f"{root}/models/{name}").json["id"] == name
    missing = front.ask("GET", f"{root}/models/nobody/has-it")
    assert missing.status == 404
    assert missing.json["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("root", ["/v1", "/api/v0"])
def test_a_chat_streamed_and_whole(front: Proxy, root: str) -> None:
    streamed = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    reply = front.ask("POST", f"{root}/chat/completions", streamed)
    assert reply.headers["content-type"] == "text/event-stream"
    assert [piece.count(b"\n\n") for piece in reply.pieces] == [1] * len(reply.pieces)
    *said, usage = said_in(reply)
    text = [choice["delta"].get("content", "") for each in said for choice in each["choices"]]
    assert "".join(text) == "Hi."
    assert (usage["usage"]["prompt_tokens"], usage["usage"]["completion_tokens"]) == (19, 26)
    whole = front.ask("POST", f"{root}/chat/completions", CHAT).json
    assert whole["choices"][0]["message"]["content"] == "Hi."
    assert ("stats" in whole) == (root == "/api/v0")


def test_errors_in_its_own_shape(front: Proxy) -> None:
    for path, body, status in (
        ("/v1/chat/completions", {**CHAT, "model": "nobody"}, 404),
        ("/v1/chat/completions", {**CHAT, "n": 3}, 400),
        ("/v1/completions", {"model": "tiny"}, 400),
        ("/v1/embeddings", b"{", 400),
        ("/v1/nothing", {}, 404),
        ("/v1/responses", {}, 400),
    ):
        reply = front.ask("POST", path, body)
        assert reply.status == status
        assert set(reply.json["error"]) == {"message", "type", "param", "code"}


def test_completions_and_embeddings(start: Start) -> None:
    with proxy([start(stand_ins.ollama()).url]) as front:
        body = {"model": "tiny", "prompt": "Hi", "stream": True}
        said = said_in(front.ask("POST", "/v1/completions", body))
        assert "".join(each["choices"][0]["text"] for each in said) == "Hi."
        vectors = front.ask("POST", "/v1/embeddings", {"model": "embed", "input": "a"}).json
        assert vectors["data"][0]["embedding"] == [1.0, 0.0]


def test_an_answer_that_breaks_off_has_an_error_and_no_end_mark(start: Start) -> None:
    said = b"data: " + json.dumps(stand_ins.openai_says(content="H")).encode() + b"\n\n"
    broken = pieces([said], "text/event-stream", end=hang_up)
    behind = start(stand_ins.openai(POST__v1_chat_completions=broken))
    behind.routes["POST /v1/chat/completions"] = broken
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/v1/chat/completions", {**CHAT, "stream": True})
    assert b"[DONE]" not in reply.body
    last = json.loads(reply.body.split(b"\n\n")[-2].removeprefix(b"data: "))
    assert last["error"]["type"] == "server_error"


def test_silence_is_broken_by_comments(start: Start) -> None:
    import threading

    loaded = threading.Event()

    def slowly(exchange: Exchange) -> None:
        loaded.wait(20)
        events(stand_ins.openai_says(content="Hi."), stand_ins.openai_says("stop"), b"[DONE]")(
            exchange
        )

    behind = start(stand_ins.openai())
    behind.routes["POST /v1/chat/completions"] = slowly
    with proxy([behind.url], pace=Pace(0.05, 0.05)) as front, front.connect() as connection:
        body = json.dumps({**CHAT, "stream": True}).encode()
        head = f"Host: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\n" + head.encode() + body)
        said = b""
        while said.count(b": ping") < 2:
            said += connection.recv(65536)
        loaded.set()
        while more := connection.recv(65536):
            said += more
    assert b'"content":"Hi."' in said.replace(b" ", b"")  # the stand-in writes some
    assert said.count(b"[DONE]") == 1
