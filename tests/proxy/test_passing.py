"""What comes in the dialect of its server passes through byte for byte, both ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects.ollama.decoder import OllamaDecoder
from localmix.dialects.openai.decoder import OpenAIDecoder
from localmix.dialects.parts.passing import (
    EVENTS,
    LINES,
    EventFrames,
    LineFrames,
    PassedDelta,
    Relay,
)
from localmix.errors import LocalMixError, StreamInterruptedError
from localmix.types import Usage
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, pieces, whole
from tests.proxy.served import proxy
from tests.unit.streams import STOP, UNICODE, lines, sse

Start = Callable[[LoopbackServer], LoopbackServer]
ODD = (
    b'{"model":"tiny","created_at":"x","message":{"role":"assistant","content":"H\\u00e9"},'
    b'"done":false,"news":[1, 2]}\n'
)
DONE = json.dumps(stand_ins.OLLAMA_DONE).encode() + b"\n"
BODY = b'{ "model":"tiny" , "messages":[{"role":"user","content":"Hi","novel":1}],"top":{"x":[]} }'


def test_an_ollama_gets_and_gives_every_byte(start: Start) -> None:
    behind = start(
        stand_ins.ollama(POST__api_chat=pieces([ODD, ODD, DONE], "application/x-ndjson"))
    )
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/api/chat", BODY)
    assert behind.last("POST /api/chat").body == BODY
    assert reply.body == ODD + ODD + DONE


def test_a_whole_answer_is_given_as_it_came(start: Start) -> None:
    said = b'{"model":"tiny","message":{"role":"assistant","content":"Hi."},"done":true , "x":1}'
    behind = start(stand_ins.ollama(POST__api_chat=whole(said)))
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/api/chat", BODY[:-1] + b',"stream":false}')
    assert reply.body == said
    assert reply.headers["content-type"].startswith("application/json")


def test_an_openai_server_gets_and_gives_every_byte(start: Start) -> None:
    events = [
        b'data: {"model":"tiny","choices":[{"index":0,"delta":{"content":"H"}}],"x":1}\n\n',
        b": a comment\n\n",
        b'data: {"id":"1","model":"tiny","choices":[{"index":0,"delta":{"content":"i"}}]}\n\n',
        b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
    behind = start(stand_ins.openai())
    behind.routes["POST /v1/chat/completions"] = pieces(events, "text/event-stream")
    body = BODY[:-1] + b',"stream":true,"cache_prompt":true}'
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/v1/chat/completions", body)
    assert behind.last("POST /v1/chat/completions").body == body
    assert reply.body == b"".join(events)


def test_a_name_that_the_server_does_not_know_is_exchanged(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url], aliases={"gpt-4": "tiny"}) as front:
        assert front.ask("POST", "/api/chat", BODY.replace(b"tiny", b"gpt-4")).status == 200
    sent = behind.last("POST /api/chat").json
    assert sent == {**json.loads(BODY), "model": "tiny:latest"}


@pytest.mark.parametrize(
    "more",
    [
        {"keep_alive": "300"},
        {"tool_choice": "none"},
        {"Model": "big:cloud"},
        {"messages": [{"role": "user", "content": "x",
                       "images": ["data:image/png;base64,iVBORw0KGgo="]}]},
    ],
)  # fmt: skip
def test_what_an_ollama_would_refuse_or_mistake_is_translated(
    start: Start, more: dict[str, Any]
) -> None:
    behind = start(stand_ins.ollama())
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "novel": 1, **more}
    with proxy([behind.url]) as front:
        front.ask("POST", "/api/chat", body)
    sent = behind.last("POST /api/chat").json
    assert "novel" not in sent
    assert "Model" not in sent
    assert sent.get("keep_alive") in (None, 300)


def test_what_is_passed_on_can_still_be_translated_for_the_next(start: Start) -> None:
    from tests.loopback import hang_up

    dying = start(stand_ins.ollama(POST__api_chat=hang_up))
    other = start(stand_ins.openai("tiny"))
    with proxy([dying.url, other.url]) as front:
        reply = front.ask("POST", "/api/chat", BODY)
    assert "".join(line["message"]["content"] for line in reply.lines) == "Hi."
    assert dying.last("POST /api/chat").body == BODY


def test_a_raw_text_is_passed_on(start: Start) -> None:
    said = b'{"model":"tiny","response":" Paris","done":true, "done_reason":"stop","x":[1, 2]}'
    behind = start(stand_ins.ollama(POST__api_generate=whole(said)))
    body = b'{"model":"tiny","prompt":"The capital is","raw":true , "stream":false,"novel":1}'
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/api/generate", body)
    assert behind.last("POST /api/generate").body == body
    assert reply.body == said


def test_a_completion_is_passed_on_event_by_event(start: Start) -> None:
    events = [
        b'data: {"model":"tiny","choices":[{"index":0,"text":" Pa"}],"x":1}\n\n',
        b'data: {"model":"tiny","choices":[{"index":0,"text":"ris","finish_reason":"stop"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
    behind = start(stand_ins.openai())
    behind.routes["POST /v1/completions"] = pieces(events, "text/event-stream")
    body = b'{"model":"tiny", "prompt":"The capital is","stream":true,"cache_prompt":true}'
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/v1/completions", body)
    assert behind.last("POST /v1/completions").body == body
    assert reply.body == b"".join(events)


@pytest.mark.parametrize("path", ["/api/embed", "/v1/embeddings"])
def test_vectors_are_passed_on_as_they_came(start: Start, path: str) -> None:
    vector = b"[0.10, -2e-3]"
    if path == "/api/embed":
        said = b'{"model":"tiny" , "embeddings":[' + vector + b'],"news":1}'
        behind = stand_ins.ollama(POST__api_embed=whole(said))
    else:
        said = b'{"data":[{"index":0, "embedding":' + vector + b'}],"model":"tiny","news":1}'
        behind = stand_ins.openai()
        behind.routes["POST /v1/embeddings"] = whole(said)
    start(behind)
    body = b'{"model":"tiny", "input":"A text.","novel":1}'
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, body)
    assert behind.last(f"POST {path}").body == body
    assert reply.body == said


def test_texts_that_are_split_among_requests_are_not_passed_on(start: Start) -> None:
    def embed(exchange: Exchange) -> None:
        vectors = [[1.0, 0.0] for _ in exchange.json["input"]]
        whole({"model": "tiny", "embeddings": vectors})(exchange)

    behind = start(stand_ins.ollama(POST__api_embed=embed))
    texts = [f"text {number}" for number in range(130)]
    with proxy([behind.url]) as front:
        reply = front.ask("POST", "/api/embed", {"model": "tiny", "input": texts, "novel": 1})
    assert len(reply.json["embeddings"]) == len(texts)
    sent = [json.loads(each.body) for each in behind.requests if each.path == "/api/embed"]
    assert sorted(len(each["input"]) for each in sent) == [2, 128]
    assert not any("novel" in each for each in sent)


def test_a_turn_that_takes_two_requests_is_not_passed_on(start: Start) -> None:
    behind = start(stand_ins.ollama())
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    messages = [{"role": "user", "content": "Hi"}]
    with proxy([behind.url]) as front:
        body = {"model": "tiny", "messages": messages, "tools": [tool], "format": "json"}
        front.ask("POST", "/api/chat", body)
    sent = [json.loads(each.body) for each in behind.requests if each.path == "/api/chat"]
    assert ["tools" in each for each in sent] == [True, False]
    assert ["format" in each for each in sent] == [False, True]


# The relay itself, at every cut


def ollama_relay() -> Relay:
    return Relay("http://s", LineFrames(), OllamaDecoder("http://s"), LINES)


def openai_relay() -> Relay:
    return Relay("http://s", EventFrames(), OpenAIDecoder("http://s"), EVENTS)


def relayed(relay: Relay, *data: bytes) -> tuple[bytes, list[Any]]:
    deltas = [delta for each in data for delta in relay.feed(each)] + relay.close()
    assert all(isinstance(delta, PassedDelta) for delta in deltas)
    return b"".join(delta.raw for delta in deltas if isinstance(delta, PassedDelta)), deltas


OLLAMA_STREAM = lines(
    stand_ins.ollama_says(content="H"),
    stand_ins.ollama_says(content=UNICODE),
    stand_ins.OLLAMA_DONE,
)
OPENAI_STREAM = sse(
    stand_ins.openai_says(content="H"),
    stand_ins.openai_says(content=UNICODE),
    STOP,
    stand_ins.OPENAI_USAGE,
)
STREAMS = {"ollama": (ollama_relay, OLLAMA_STREAM), "openai": (openai_relay, OPENAI_STREAM)}


@settings(deadline=None)
@given(st.sampled_from(sorted(STREAMS)), st.data())
def test_every_cut_gives_the_same_bytes(kind: str, data: st.DataObject) -> None:
    make, stream = STREAMS[kind]
    cut = data.draw(st.integers(0, len(stream)))
    raw, deltas = relayed(make(), stream[:cut], stream[cut:])
    assert raw == stream
    assert deltas[-1].finish_reason == "stop"
    assert deltas[-1].usage == Usage(19, 26)


@settings(deadline=None)
@given(st.sampled_from(sorted(STREAMS)), st.data())
def test_a_stream_that_is_cut_off_never_looks_whole(kind: str, data: st.DataObject) -> None:
    make, stream = STREAMS[kind]
    end = (
        stream.index(b'"done": true')
        if kind == "ollama"
        else stream.index(b'"finish_reason": "stop"')
    )
    cut = data.draw(st.integers(1, end))
    with pytest.raises(LocalMixError):
        relayed(make(), stream[:cut])


@pytest.mark.parametrize(
    "line",
    [b'{"error":"it died"}\n', b"garbage\n", b"[5]\n", b'{"message": ' + b"[" * 70_000 + b"\n"],
)
def test_a_frame_that_looks_otherwise_is_read_and_not_passed_on(line: bytes) -> None:
    relay = ollama_relay()
    assert relay.feed(ODD)
    with pytest.raises(LocalMixError):
        relay.feed(line)


def test_events_that_came_together_go_on_together_and_lines_one_by_one() -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"H"}}]}\n\n'
    events, written = openai_relay(), ollama_relay()
    events.feed(event), written.feed(ODD)
    assert [delta.raw for delta in events.feed(event * 3) if isinstance(delta, PassedDelta)] == [
        event * 3
    ]
    assert [delta.raw for delta in written.feed(ODD * 3) if isinstance(delta, PassedDelta)] == [
        ODD
    ] * 3


@pytest.mark.parametrize(
    "among",
    [
        b"data: garbage\n\n",
        b"event: error\ndata: {}\n\n",
        b'data: {"error":"it died"}\n\n',
        b'data: {"choices":[]}\ndata: {"choices":[]}\n\n',
    ],
)
def test_an_event_among_others_that_looks_otherwise_is_read(among: bytes) -> None:
    relay = openai_relay()
    event = b'data: {"choices":[{"index":0,"delta":{"content":"H"}}]}\n\n'
    relay.feed(event)
    assert not EVENTS.fits(event + among + event)
    with pytest.raises(LocalMixError):
        relay.feed(event + among + event)
        relay.close()


def test_a_text_that_speaks_of_the_end_is_no_end() -> None:
    relay = ollama_relay()
    said = {"message": {"role": "assistant", "content": '{"done":true,"error":1}'}, "done": False}
    tricky = json.dumps(said).encode() + b"\n"
    relay.feed(ODD)
    (delta,) = relay.feed(tricky)
    assert isinstance(delta, PassedDelta)
    assert delta.raw == tricky
    assert not relay.is_done
    with pytest.raises(StreamInterruptedError):
        relay.close()


def test_arguments_that_say_done_are_read_and_passed_on() -> None:
    relay = ollama_relay()
    relay.feed(ODD)
    call = {"function": {"name": "f", "arguments": {"done": True}}}
    said = {"message": {"role": "assistant", "content": "", "tool_calls": [call]}, "done": False}
    line = json.dumps(said).encode() + b"\n"
    (delta,) = relay.feed(line)
    assert isinstance(delta, PassedDelta)
    assert delta.raw == line
    assert not relay.is_done


def test_an_answer_from_the_cache_is_the_same_byte_for_byte(start: Start, tmp_path: Any) -> None:
    behind = start(
        stand_ins.ollama(POST__api_chat=pieces([ODD, ODD, DONE], "application/x-ndjson"))
    )
    body = BODY[:-1] + b',"options":{"temperature":0}}'
    with proxy([behind.url], cache=tmp_path / "answers.sqlite") as front:
        replies = [front.ask("POST", "/api/chat", body) for _ in range(2)]
        assert [reply.body for reply in replies] == [ODD + ODD + DONE] * 2
        assert behind.count("POST /api/chat") == 1
        front.ask("POST", "/api/chat", body.replace(b"novel", b"other"))
        assert behind.count("POST /api/chat") == 2
        whole_body = body[:-1] + b',"stream":false}'
        behind.routes["POST /api/chat"] = whole(stand_ins.OLLAMA_DONE)
        said = [front.ask("POST", "/api/chat", whole_body).json["message"] for _ in range(2)]
        assert said[0] == said[1]
        assert behind.count("POST /api/chat") == 3
