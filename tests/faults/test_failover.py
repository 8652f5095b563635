"""A server that fails is left for the next one, until it has spoken."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.errors import (
    ConnectError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    StreamInterruptedError,
    TimedOutError,
)
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import (
    Exchange,
    LoopbackServer,
    Reply,
    events,
    hang_up,
    ndjson,
    serving,
    stay_silent,
    whole,
)


def garbage(exchange: Exchange) -> None:
    exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    exchange.connection.close()


BEFORE_THE_FIRST_DELTA = {
    "hangs up": hang_up,
    "silent": stay_silent,
    "429": whole({"error": "too many"}, 429),
    "500": whole({"error": "boom"}, 500),
    "503": whole({"error": "server busy, please try again."}, 503),
    "404 model": whole({"error": "model 'tiny' not found"}, 404),
    "200 with an error": whole({"error": "llama-server process has terminated"}),
    "200 and empty": whole(b""),
    "200 and HTML": whole(b"<html>hello</html>", content_type="text/html"),
    "garbage": garbage,
    "a redirect": whole(b"", 307),
    "cut before a delta": ndjson(end=hang_up),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_DELTA.values(), ids=BEFORE_THE_FIRST_DELTA)
def test_the_next_server_answers(
    either: MakeEither, start: Any, fault: Reply, streamed: bool
) -> None:
    bad = start(stand_ins.ollama(POST__api_chat=fault))
    good = start(stand_ins.lmstudio())
    client = either([bad.url, good.url], first_byte_timeout=0.5, between_timeout=0.5)

    if streamed:
        deltas = client.stream("hello", model="tiny")
        text, route = "".join(delta.content for delta in deltas), deltas[-1].route
    else:
        result = client.chat("hello", model="tiny")
        text, route = result.content, result.route

    assert text == "Hi."
    assert route is not None
    assert good.url == route.server.url
    assert [bad.url] == [attempt.server for attempt in route.attempts]
    assert bad.count("POST /api/chat") == 1


def test_a_refused_connection_is_left_for_the_next_server(either: MakeEither, start: Any) -> None:
    with serving(stand_ins.ollama()) as bad:
        good = start(stand_ins.lmstudio())
        client = either([bad.url, good.url])
        assert client.chat("hello", model="tiny").content == "Hi."
    # The client still believes in the first server.

    result = client.chat("hello", model="tiny")

    assert result.route is not None
    assert good.url == result.route.server.url
    assert isinstance(result.route.attempts[0].error, ConnectError)


def test_a_server_that_failed_a_moment_ago_is_tried_last(either: MakeEither, start: Any) -> None:
    bad = start(stand_ins.ollama(POST__api_chat=hang_up))
    good = start(stand_ins.lmstudio())
    client = either([bad.url, good.url])

    client.chat("hello", model="tiny")
    client.chat("hello", model="tiny")

    assert bad.count("POST /api/chat") == 1
    assert good.count("POST /v1/chat/completions") == 2


def test_when_all_fail_the_error_lists_every_attempt(either: MakeEither, start: Any) -> None:
    first = start(stand_ins.ollama(POST__api_chat=whole({"error": "boom"}, 500)))
    second = start(stand_ins.openai(POST__v1_chat_completions=hang_up))
    client = either([first.url, second.url], max_retries=0)

    with pytest.raises(ConnectError) as caught:
        client.chat("hello", model="tiny")

    assert [first.url, second.url] == [attempt.server for attempt in caught.value.attempts]
    assert isinstance(caught.value.attempts[0].error, ModelCrashedError)
    assert "boom" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (whole({"error": "invalid message"}, 400), "invalid message"),
        (whole({"error": "the input length exceeds the context length"}, 400), "context length"),
    ],
)
def test_what_the_next_server_would_refuse_too_is_final(
    either: MakeEither, start: Any, reply: Reply, error: str
) -> None:
    first = start(stand_ins.ollama(POST__api_chat=reply))
    second = start(stand_ins.openai())
    client = either([first.url, second.url])

    with pytest.raises(LocalMixError, match=error):
        client.chat("hello", model="tiny")

    assert second.count("POST /v1/chat/completions") == 0


BROKEN_STREAMS: dict[str, tuple[Any, type[LocalMixError]]] = {
    "ollama hangs up": (
        ndjson(stand_ins.ollama_says(content="Hel"), end=hang_up),
        StreamInterruptedError,
    ),
    "ollama ends early": (ndjson(stand_ins.ollama_says(content="Hel")), StreamInterruptedError),
    "ollama falls silent": (
        ndjson(stand_ins.ollama_says(content="Hel"), end=stay_silent),
        TimedOutError,
    ),
    "ollama's runner dies": (
        ndjson(
            stand_ins.ollama_says(content="Hel"),
            {"error": "an error was encountered while running the model: unexpected EOF"},
        ),
        ModelCrashedError,
    ),
    "ollama sends garbage": (
        ndjson(stand_ins.ollama_says(content="Hel"), "no object"),
        ProtocolError,
    ),
}


@pytest.mark.parametrize(("reply", "error"), BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_after_the_first_delta_an_error_is_final_and_holds_what_came(
    either: MakeEither, start: Any, reply: Reply, error: type[LocalMixError]
) -> None:
    bad = start(stand_ins.ollama(POST__api_chat=reply))
    good = start(stand_ins.openai())
    client = either([bad.url, good.url], between_timeout=0.5)

    with pytest.raises(error) as caught:
        client.stream("hello", model="tiny")

    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"
    assert bad.url == caught.value.server
    assert good.count("POST /v1/chat/completions") == 0


@pytest.mark.parametrize(
    "end",
    [hang_up, None],
    ids=["hangs up", "ends without [DONE]"],
)
def test_an_event_stream_without_its_end_mark_is_cut(
    either: MakeEither, start: Any, end: Any
) -> None:
    reply = events(stand_ins.openai_says(content="Hel"), stand_ins.openai_says("stop"), end=end)
    server = start(stand_ins.openai(POST__v1_chat_completions=reply))

    with pytest.raises(StreamInterruptedError) as caught:
        either(server.url).stream("hello")

    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"


def test_a_whole_reply_that_is_cut_is_an_error(either: MakeEither, start: Any) -> None:
    def cut(exchange: Exchange) -> None:
        exchange.head(200, "application/json", Content_Length="1000")
        exchange.send(b'{"message": {"content": "Hel')
        exchange.connection.close()

    server = start(stand_ins.ollama(POST__api_chat=cut))

    with pytest.raises(StreamInterruptedError, match="broke off"):
        either(server.url).chat("hello")


def test_an_unfinished_reply_that_was_not_streamed_is_an_error(
    either: MakeEither, start: Any
) -> None:
    """Quirk (ollama 0.12.11): an answer that repeats itself ends with `done: false`."""
    server = start(stand_ins.ollama(POST__api_chat=whole(stand_ins.ollama_says(content="lamp"))))

    with pytest.raises(StreamInterruptedError, match="before it was done"):
        either(server.url).chat("hello")


def test_another_model_that_answers_is_refused(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.lmstudio("qwen/qwen3-8b"))  # the stand-in answers as `tiny`

    with pytest.raises(ModelNotFoundError, match="'tiny' answered"):
        either(server.url).chat("hello", model="qwen/qwen3-8b")
    with pytest.raises(ModelNotFoundError, match="'tiny' answered"):
        either(server.url).stream("hello", model="qwen/qwen3-8b")


def test_leaving_a_stream_early_hangs_up(either: MakeEither, start: Any) -> None:
    hung_up: list[bool] = []
    reply = ndjson(
        stand_ins.ollama_says(content="Hel"),
        end=lambda exchange: hung_up.append(exchange.is_hung_up()),
    )
    server = start(stand_ins.ollama(POST__api_chat=reply))
    client = either(server.url)

    deltas = client.stream("hello", at_most=1)

    assert [delta.content for delta in deltas] == ["Hel"]
    client.close()
    _wait_for(hung_up)
    assert hung_up == [True]


def test_overflow_tells_both_sizes(either: MakeEither, start: Any) -> None:
    """Quirk (ollama 0.32.15): the runner's JSON stands in a string."""
    inner = '{"error":{"code":400,"message":"request (3619 tokens) exceeds the available context'
    inner += ' size (2048 tokens), try increasing it","type":"exceed_context_size_error",'
    inner += '"n_prompt_tokens":3619,"n_ctx":2048}}'
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": inner}, 400)))

    with pytest.raises(ContextLengthError) as caught:
        either(server.url).chat("hello")

    assert (caught.value.prompt_tokens, caught.value.context_length) == (3619, 2048)


def test_a_body_without_end_is_refused(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.transport.http.MAX_BODY_BYTES", 1000)
    server = start(stand_ins.ollama(POST__api_chat=whole(b" " * 1001)))

    with pytest.raises(ProtocolError, match="more than 1,000 bytes"):
        either(server.url).chat("hello")


def _wait_for(seen: list[bool]) -> None:
    import time

    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)


def test_the_loopback_server_is_what_the_tests_think(start: Any) -> None:
    """A fault test proves nothing if its server did not get the request."""
    server: LoopbackServer = start(stand_ins.ollama())
    import httpx

    with httpx.Client(trust_env=False, verify=False) as http:
        assert http.get(server.url).text == "Ollama is running"
        assert http.get(f"{server.url}/nowhere").status_code == 404


@pytest.mark.parametrize("retries", [0, 2])
def test_what_may_pass_is_tried_again_as_often_as_asked(
    either: MakeEither, start: Any, retries: int
) -> None:
    busy = whole({"error": "server busy, please try again."}, 503)
    server = start(stand_ins.ollama(POST__api_chat=busy))
    with pytest.raises(OverloadedError):
        either(server.url, max_retries=retries).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 1 + retries


def test_a_refusal_is_not_tried_again(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": "invalid format"}, 400)))
    with pytest.raises(RequestRejectedError):
        either(server.url, max_retries=2).chat("hello", model="tiny")
    assert server.count("POST /api/chat") == 1


def test_one_timeout_bounds_every_silence(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=stay_silent))
    with pytest.raises(TimedOutError):
        either(server.url, timeout=0.2).chat("hello", model="tiny")
