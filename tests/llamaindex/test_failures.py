"""What goes wrong arrives as a typed error; another server answers only while nothing was said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from llamaindex_localmix import LocalMix
from localmix import errors
from tests import stand_ins
from tests.llamaindex.endpoints import ASYNC, ENDPOINTS, acall, call, text_of
from tests.llamaindex.scripted import PATHS, Turn, scripted, sent
from tests.llamaindex.test_tools import TIME
from tests.loopback import Reply, events, hang_up, ndjson, stay_silent, whole
from tests.stand_ins import ollama_says, openai_says

HELLO = [ChatMessage(content="hello")]
NO_TOOLS = {"error": "registry.ollama.ai/library/tiny:latest does not support tools"}


def ask(llm: Any, endpoint: str, **options: Any) -> list[Any]:
    if endpoint in ASYNC:
        return asyncio.run(acall(llm, endpoint, **options))
    return call(llm, endpoint, **options)


def serve(start: Any, kind: str, reply: Reply) -> Any:
    server = start(scripted(kind))
    server.routes[PATHS[kind]] = reply
    return server


def one_word(kind: str, end: Any) -> Reply:
    """Say a word, then do something else."""
    if kind == "ollama":
        return ndjson(ollama_says(content="H"), end=end)
    return events(openai_says(content="H"), end=end)


FAILURES: dict[str, tuple[Reply, type[errors.LocalMixError]]] = {
    "disconnect": (hang_up, errors.TransportError),
    "an error with status 200": (whole({"error": "out of memory"}), errors.LocalMixError),
    "an empty answer": (whole(b""), errors.LocalMixError),
    "no JSON": (whole(b"<html>"), errors.ProtocolError),
    "overflow": (
        whole({"error": "the prompt is too long: exceeds the context length"}, 400),
        errors.RequestRejectedError,
    ),
    "a crash": (whole({"error": "llama runner process has terminated"}, 500), errors.ServerError),
}


@pytest.mark.parametrize(("reply", "kind_of_error"), FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_failures_are_typed(
    start: Any, kind: str, endpoint: str, reply: Reply, kind_of_error: Any
) -> None:
    server = serve(start, kind, reply)
    with pytest.raises(kind_of_error) as caught:
        ask(LocalMix(base_url=server.url, max_retries=0), endpoint)
    assert caught.value.server == server.url


@pytest.mark.parametrize("endpoint", ["stream_chat", "astream_complete"])
def test_an_answer_that_breaks_off_is_never_whole(start: Any, kind: str, endpoint: str) -> None:
    """After the first word nobody else may answer; what was said stands in the error."""
    broken = serve(start, kind, one_word(kind, hang_up))
    other = start(scripted(kind, Turn("Other.")))
    llm = LocalMix(servers=[broken.url, other.url])
    with pytest.raises(errors.StreamInterruptedError) as caught:
        ask(llm, endpoint)
    assert caught.value.partial
    assert caught.value.partial.content == "H"
    assert sent(other) == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_another_server_answers_before_the_first_word(start: Any, kind: str, endpoint: str) -> None:
    """Core's issue 19631: a fallback that can be seen."""
    broken = serve(start, kind, whole({"error": "broken"}, 500))
    other_kind = "lmstudio" if kind == "ollama" else "ollama"
    other = start(scripted(other_kind, Turn("Hi.")))
    llm = LocalMix(model="tiny", servers=[broken.url, other.url], max_retries=0)
    last = ask(llm, endpoint)[-1]
    assert text_of(last) == "Hi."
    assert last.raw["route"]["kind"] == other_kind
    assert last.raw["route"]["tried"] == [broken.url]


def test_what_would_fail_everywhere_is_not_asked_again(start: Any, kind: str) -> None:
    refused = serve(start, kind, whole({"error": "temperature must be a number"}, 400))
    other = start(scripted(kind, Turn("Other.")))
    llm = LocalMix(model="tiny", servers=[refused.url, other.url])
    with pytest.raises(errors.RequestRejectedError, match="temperature"):
        llm.chat(HELLO)
    assert (len(sent(refused)), sent(other)) == (1, [])


def test_nobody_is_there() -> None:
    with pytest.raises(errors.NoServerError, match="127.0.0.1:9"):
        LocalMix(base_url="127.0.0.1:9").complete("hello")


def test_a_model_that_nobody_has(script: Any) -> None:
    server = script()
    with pytest.raises(errors.ModelNotFoundError, match="tiny"):
        LocalMix(model="tinny", base_url=server.url).complete("hello")
    assert sent(server) == []


def test_a_model_that_cannot_call_tools(start: Any) -> None:
    server = start(stand_ins.ollama("tiny", POST__api_chat=whole(NO_TOOLS, 400)))
    with pytest.raises(errors.UnsupportedFeatureError, match="tools"):
        LocalMix(base_url=server.url).chat_with_tools([TIME], "hello")


@pytest.mark.slow
def test_a_server_that_says_nothing(start: Any, kind: str) -> None:
    server = serve(start, kind, stay_silent)
    llm = LocalMix(base_url=server.url, timeout=0.3)
    for endpoint in ("chat", "astream_chat"):
        with pytest.raises(errors.TimedOutError):
            ask(llm, endpoint)


def test_errors_say_what_to_try(script: Any) -> None:
    server = script()
    with pytest.raises(errors.ConfigError, match="Did you mean top_p"):
        LocalMix(base_url=server.url).complete("hello", topp=1)
