"""Fail-over beside the fault matrix: which server comes next, and what is final at once."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.errors import (
    ConnectError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    StreamInterruptedError,
)
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import (
    LoopbackServer,
    Reply,
    hang_up,
    ndjson,
    whole,
)


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
