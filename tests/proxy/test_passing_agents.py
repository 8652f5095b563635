"""What agents say passes through to an Ollama that speaks their APIs itself; else it is translated.

The shapes are those of Anthropic's and OpenAI's documentation, which Ollama 0.14 and later follow.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects.anthropic.decoder import MessagesDecoder
from localmix.dialects.anthropic.writer import MessagesWriter
from localmix.dialects.ollama import agents
from localmix.dialects.parts.counting import Yardstick
from localmix.dialects.parts.framed import FramedDecoder
from localmix.dialects.parts.passing import PassedDelta, Verbatim
from localmix.dialects.responses.decoder import ResponsesDecoder
from localmix.dialects.responses.writer import ResponsesWriter
from localmix.dialects.serving import Ask, Failure, Writer
from localmix.errors import LocalMixError
from localmix.proxy.answering import Pace
from localmix.types import ChatRequest, Delta, Message, ToolCallDelta, Usage
from localmix.types.fold import fold
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, hang_up, pieces, whole
from tests.proxy.served import Reply, proxy
from tests.unit.served import TARGET, now
from tests.unit.streams import UNICODE

Start = Callable[[LoopbackServer], LoopbackServer]
MESSAGES, RESPONSES = "/v1/messages", "/v1/responses"
ASKED: dict[str, bytes] = {
    MESSAGES: b'{ "model":"tiny" , "max_tokens":99,"metadata":{"user_id":"x"},'
    b'"messages":[{"role":"user","content":"Hi","cache_control":{"type":"ephemeral"}}]',
    RESPONSES: b'{ "model":"tiny" , "temperature":0.5,"store":false,"input":[{"type":"message",'
    b'"role":"user","content":[{"type":"input_text","text":"Hi"}]}]',
}


def event(kind: str, **said: Any) -> bytes:
    data = json.dumps({"type": kind, **said}, ensure_ascii=False).encode()
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def text_delta(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return event("content_block_delta", index=0, delta=delta)


MESSAGE_START = event(
    "message_start",
    message={"id": "msg_1", "type": "message", "role": "assistant", "model": "tiny", "content": [],
             "usage": {"input_tokens": 19, "output_tokens": 0}},
)  # fmt: skip
MESSAGE = [
    MESSAGE_START,
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    text_delta("H"),
    text_delta(UNICODE),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 26}),
    event("message_stop"),
]
RESPONSE_USAGE = {"input_tokens": 19, "output_tokens": 26, "total_tokens": 45}
RESPONSE_OUTPUT = [
    {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}]}
]  # fmt: skip
RESPONSE_BODY: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 1773948909, "status": "completed",
    "incomplete_details": None, "model": "tiny", "output": RESPONSE_OUTPUT, "error": None,
    "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "usage": RESPONSE_USAGE,
}  # fmt: skip
RESPONSE = [
    event("response.created", response={**RESPONSE_BODY, "status": "in_progress", "output": []}),
    event("response.output_item.added", output_index=0, item={"id": "msg_1", "type": "message"}),
    event("response.output_text.delta", output_index=0, content_index=0, delta="H"),
    event("response.output_text.delta", output_index=0, content_index=0, delta=UNICODE),
    event("response.completed", response=RESPONSE_BODY),
]
STREAMS = {MESSAGES: MESSAGE, RESPONSES: RESPONSE}
WHOLE = {
    MESSAGES: b'{"id":"msg_1","type":"message" , "content":[{"type":"text","text":"Hi."}],"model":'
    b'"tiny","stop_reason":"end_turn","usage":{"input_tokens":15,"output_tokens":3}}',
    RESPONSES: json.dumps(RESPONSE_BODY, indent=2).encode(),
}
PATHS = pytest.mark.parametrize("path", [MESSAGES, RESPONSES])


def ollama(path: str, reply: Callable[[Exchange], None], **about: Any) -> LoopbackServer:
    """Be an Ollama with the model in memory, in the window that it chose itself."""
    server = stand_ins.ollama(loaded=("tiny:latest",), **about)
    server.routes[f"POST {path}"] = reply
    return server


def streaming(path: str) -> Callable[[Exchange], None]:
    return pieces(STREAMS[path], "text/event-stream")


def asked(path: str, *, stream: bool = True) -> bytes:
    return ASKED[path] + b',"stream":%b}' % json.dumps(stream).encode()


def text_of(reply: Reply) -> str:
    said = [json.loads(line[6:]) for line in reply.body.splitlines() if line.startswith(b"data: ")]
    deltas = [each["delta"] for each in said if each["type"].endswith(("text.delta", "ck_delta"))]
    return "".join(each if isinstance(each, str) else each["text"] for each in deltas)


@PATHS
def test_an_ollama_gets_and_gives_every_byte(start: Start, path: str) -> None:
    behind = start(ollama(path, streaming(path)))
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, asked(path))
    assert behind.last(f"POST {path}").body == asked(path)
    assert reply.body == b"".join(STREAMS[path])
    assert reply.headers["content-type"] == "text/event-stream"


@PATHS
def test_a_whole_answer_is_given_as_it_came(start: Start, path: str) -> None:
    behind = start(ollama(path, whole(WHOLE[path])))
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, asked(path, stream=False))
        figures = front.ask("GET", "/metrics").body
    assert behind.last(f"POST {path}").body == asked(path, stream=False)
    assert reply.body == WHOLE[path]
    read = 15 if path == MESSAGES else 19
    assert f'direction="input",model="tiny:latest",server="{behind.url}"}} {read}' in str(figures)


def test_the_clients_read_what_is_passed_on(start: Start) -> None:
    behind = start(ollama(MESSAGES, streaming(MESSAGES)))
    behind.routes[f"POST {RESPONSES}"] = streaming(RESPONSES)
    user: Any = [{"role": "user", "content": "Hi"}]
    with proxy([behind.url]) as front:
        with (
            anthropic.Anthropic(base_url=front.url, api_key="x", max_retries=0) as client,
            client.messages.stream(model="tiny", max_tokens=9, messages=user) as stream,
        ):
            assert "".join(stream.text_stream) == "H" + UNICODE
        with (
            openai.OpenAI(base_url=f"{front.url}/v1", api_key="x", max_retries=0) as other,
            other.responses.create(model="tiny", input="Hi", temperature=0, stream=True) as said,
        ):
            assert [each.type for each in said][-1] == "response.completed"
    assert behind.count("POST /api/chat") == 0


@PATHS
@pytest.mark.parametrize("version", ["0.12.11", "0.13.2", "0.0.0", "none"])
def test_what_is_not_known_to_speak_it_is_spoken_to_in_its_own(
    start: Start, path: str, version: str
) -> None:
    behind = start(ollama(path, streaming(path)))
    behind.routes["GET /api/version"] = whole({"version": version})
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, asked(path))
    assert text_of(reply) == "Hi."
    assert behind.count(f"POST {path}") == 0


@PATHS
def test_another_program_that_speaks_like_ollama_is_believed_nothing(
    start: Start, path: str
) -> None:
    behind = start(ollama(path, streaming(path)))
    behind.routes["GET /"] = whole(b"Not Ollama", content_type="text/plain")
    with proxy([behind.url]) as front:
        assert text_of(front.ask("POST", path, asked(path))) == "Hi."
    assert behind.count(f"POST {path}") == 0


@PATHS
def test_a_prompt_that_could_be_cut_is_translated(start: Start, path: str) -> None:
    """Only the server's own API can be told not to cut it, or another window."""
    behind = start(ollama(path, streaming(path)))
    body = asked(path).replace(b'"Hi"', b'"%b"' % (b"word " * 3000))
    with proxy([behind.url]) as front:
        front.ask("POST", path, body)
    assert behind.last("POST /api/chat").json["truncate"] is False
    assert behind.count(f"POST {path}") == 0


@PATHS
def test_a_model_that_is_not_in_memory_is_loaded_by_its_own_api(start: Start, path: str) -> None:
    behind = stand_ins.ollama()
    behind.routes[f"POST {path}"] = streaming(path)
    start(behind)
    with proxy([behind.url]) as front:
        assert text_of(front.ask("POST", path, asked(path))) == "Hi."
    assert behind.count(f"POST {path}") == 0


TOOL = {"name": "f", "input_schema": {"type": "object"}}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [TOOL], "tool_choice": {"type": "any"}},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"thinking": {"type": "disabled"}},
        {"max_tokens": None},
        {"Model": "big:cloud"},
        {"system": "x-anthropic-billing-header: 1"},
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        {"messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "text", "data": "x"}}]}]},
    ],
    ids=lambda more: next(reversed(more)),
)  # fmt: skip
def test_a_message_of_which_ollama_would_drop_something_is_translated(
    start: Start, more: dict[str, Any]
) -> None:
    behind = start(ollama(MESSAGES, streaming(MESSAGES)))
    with proxy([behind.url]) as front:
        front.ask("POST", MESSAGES, {**json.loads(asked(MESSAGES)), **more})
    assert behind.count(f"POST {MESSAGES}") == 0
    assert behind.count("POST /api/chat") == 1


FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [FUNCTION], "tool_choice": "required"},
        {"tools": [FUNCTION], "parallel_tool_calls": False},
        {"tools": [{"type": "web_search"}]},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}}},
        {"temperature": None},
        {"input": [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]},
    ],
    ids=lambda more: next(reversed(more)),
)
def test_a_response_of_which_ollama_would_drop_something_is_translated(
    start: Start, more: dict[str, Any]
) -> None:
    behind = start(ollama(RESPONSES, streaming(RESPONSES)))
    with proxy([behind.url]) as front:
        front.ask("POST", RESPONSES, {**json.loads(asked(RESPONSES)), **more})
    assert behind.count(f"POST {RESPONSES}") == 0
    assert behind.count("POST /api/chat") == 1


@PATHS
def test_lm_studio_is_spoken_to_in_the_api_that_it_follows_best(start: Start, path: str) -> None:
    """It does not say its version, and counts no tokens of a remembered prompt in a response."""
    behind = stand_ins.lmstudio(loaded=("tiny",))
    behind.routes[f"POST {path}"] = streaming(path)
    start(behind)
    with proxy([behind.url]) as front:
        assert text_of(front.ask("POST", path, asked(path))) == "Hi."
    assert behind.count(f"POST {path}") == 0


# What goes wrong


REFUSED = {
    MESSAGES: {"type": "error", "error": {"type": "not_found_error", "message": "model not found"},
               "request_id": "req_1"},
    RESPONSES: {"error": {"message": "model 'tiny' not found", "type": "not_found_error",
                          "param": None, "code": None}},
}  # fmt: skip


@PATHS
def test_an_error_comes_with_its_status_and_in_the_callers_shape(start: Start, path: str) -> None:
    behind = start(ollama(path, whole(REFUSED[path], 404)))
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, asked(path))
    assert reply.status == 404
    assert reply.json["error"]["message"]


BEFORE_A_WORD: dict[str, Callable[[str], Callable[[Exchange], None]]] = {
    "hung up": lambda _: hang_up,
    "status": lambda _: whole({"error": "overloaded"}, 503),
    "event": lambda path: pieces(
        [STREAMS[path][0], event("error", error={"type": "api_error", "message": "it died"})],
        "text/event-stream",
    ),
    "cut": lambda path: pieces(STREAMS[path][:2], "text/event-stream"),
    "garbage": lambda _: events(b"garbage"),
}


@PATHS
@pytest.mark.parametrize("fault", BEFORE_A_WORD)
def test_the_next_server_answers_by_a_translation(start: Start, path: str, fault: str) -> None:
    dying = start(ollama(path, BEFORE_A_WORD[fault](path)))
    other = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
    with proxy([dying.url, other.url]) as front:
        reply = front.ask("POST", path, asked(path))
    assert dying.count(f"POST {path}") == 1
    assert other.count("POST /v1/chat/completions") == 1
    assert text_of(reply) == "Hi."
    assert reply.body.count(b"event: message_start") == (path == MESSAGES)


@PATHS
@pytest.mark.parametrize("fault", ["cut", "event", "garbage"])
def test_what_breaks_in_the_middle_ends_with_an_error(start: Start, path: str, fault: str) -> None:
    more = {
        "cut": [],
        "event": [event("error", error={"type": "api_error", "message": "it died"})],
        "garbage": [b"data: garbage\n\n"],
    }
    said = STREAMS[path][:3]
    behind = start(ollama(path, pieces([*said, *more[fault]], "text/event-stream")))
    with proxy([behind.url]) as front:
        reply = front.ask("POST", path, asked(path))
    assert reply.body.startswith(b"".join(said))
    rest = reply.body.removeprefix(b"".join(said))
    assert rest.count(b"event: ") == 1
    assert rest.startswith(b"event: error" if path == MESSAGES else b"event: response.failed")


@PATHS
def test_what_began_with_signs_of_life_does_not_begin_again(start: Start, path: str) -> None:
    is_alive = threading.Event()

    def slow(exchange: Exchange) -> None:
        assert is_alive.wait(30)
        streaming(path)(exchange)

    behind = start(ollama(path, slow))
    with (
        proxy([behind.url], pace=Pace(0.05, 0.05)) as front,
        front.connect() as connection,
    ):
        body = asked(path)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        data = b""
        while b"_progress" not in data and b"ping" not in data:
            data += connection.recv(65536)
        is_alive.set()
        while more := connection.recv(65536):
            data += more
    beginning = b"event: message_start" if path == MESSAGES else b"event: response.created"
    assert data.count(beginning) == 1
    assert text_delta("H") in data or STREAMS[path][2] in data
    assert STREAMS[path][-1] in data


@PATHS
def test_both_apis_have_answers_of_their_own_in_the_cache(
    start: Start, path: str, tmp_path: Any
) -> None:
    behind = start(ollama(path, streaming(path)))
    body = asked(path)[:-1].replace(b'"temperature":0.5,', b"") + b',"temperature":0}'
    with proxy([behind.url], cache=tmp_path / "answers.sqlite") as front:
        replies = [front.ask("POST", path, body).body for _ in range(2)]
    assert replies == [b"".join(STREAMS[path])] * 2
    assert behind.count(f"POST {path}") == 1


# The readers, by what the writers write, and at every cut


def writer(path: str) -> Writer:
    ask = Ask(path, "tiny", ChatRequest(messages=(Message(role="user", content="Hi"),)))
    return MessagesWriter(ask, Yardstick()) if path == MESSAGES else ResponsesWriter(ask, now)


def reader(path: str) -> FramedDecoder[Any, Delta]:
    return (MessagesDecoder if path == MESSAGES else ResponsesDecoder)("http://s")


SAID = [
    Delta(reasoning="They want "),
    Delta(reasoning="a sum."),
    Delta("I add."),
    Delta(tool_calls=(ToolCallDelta(0, "c1", "add", '{"a": '),)),
    Delta(tool_calls=(ToolCallDelta(0, arguments="2}"),)),
    Delta(finish_reason="tool_calls", usage=Usage(19, 26)),
]


@PATHS
def test_what_is_written_is_read_back(path: str) -> None:
    written, read = writer(path), reader(path)
    stream = b"".join(map(written.feed, SAID)) + b"".join(written.close())
    answer = fold(read.feed(stream) + read.close())
    at_once = fold(list(reader(path).whole(writer(path).whole(fold(SAID)))))
    for each in (answer, at_once):
        assert (each.content, each.reasoning) == ("I add.", "They want a sum.")
        assert [(x.name, json.loads(x.arguments)) for x in each.tool_calls] == [("add", {"a": 2})]
        assert (each.finish_reason, each.usage) == ("tool_calls", Usage(19, 26))


@PATHS
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_cut_short_says_so(path: str, reason: str) -> None:
    said = [Delta("H"), Delta(finish_reason=reason, usage=Usage(19, 26))]
    result = fold(list(reader(path).whole(writer(path).whole(fold(said)))))
    assert result.finish_reason == reason


@PATHS
def test_what_failed_is_an_error(path: str) -> None:
    written, read = writer(path), reader(path)
    stream = written.feed(Delta("H")) + written.broken(Failure(500, "it died"))
    assert [delta.content for delta in read.feed(stream)] == ["H"]
    with pytest.raises(LocalMixError, match="it died"):
        read.close()


def relayed(path: str, *data: bytes) -> tuple[bytes, list[Delta]]:
    relay = agents.relay(TARGET, Verbatim(path, "tiny", b"{}", True))
    deltas = [delta for each in data for delta in relay.feed(each)] + relay.close()
    return b"".join(each.raw for each in deltas if isinstance(each, PassedDelta)), deltas


@settings(deadline=None)
@given(st.sampled_from([MESSAGES, RESPONSES]), st.data())
def test_every_cut_gives_the_same_bytes(path: str, data: st.DataObject) -> None:
    stream = b"".join(STREAMS[path])
    cut = data.draw(st.integers(0, len(stream)))
    raw, deltas = relayed(path, stream[:cut], stream[cut:])
    assert raw == stream
    assert (deltas[-1].finish_reason, deltas[-1].usage) == ("stop", Usage(19, 26))


@settings(deadline=None)
@given(st.sampled_from([MESSAGES, RESPONSES]), st.data())
def test_a_stream_that_is_cut_off_never_looks_whole(path: str, data: st.DataObject) -> None:
    stream = b"".join(STREAMS[path])
    cut = data.draw(st.integers(1, stream.rindex(b'{"type": "')))
    with pytest.raises(LocalMixError):
        relayed(path, stream[:cut])


@PATHS
def test_pieces_of_a_text_are_not_read(path: str) -> None:
    """One that speaks of the end, and several that came together, are no end."""
    relay = agents.relay(TARGET, Verbatim(path, "tiny", b"{}", True))
    first = b"".join(STREAMS[path][:3])
    assert relay.feed(first)
    tricky = STREAMS[path][3].replace(UNICODE.encode(), rb"\n\nevent: message_stop\nevent: error")
    (delta,) = relay.feed(tricky * 2)
    assert (delta.content, isinstance(delta, PassedDelta) and delta.raw) == ("", tricky * 2)
    assert not relay.is_done
