"""Our errors are LangChain's too: what middleware, tracers and `except` clauses see."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from langchain_core import exceptions as lc
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelError

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings, LocalMixLLM
from langchain_localmix._errors import model_error
from localmix import errors
from localmix.errors import Attempt, LocalMixError
from tests import stand_ins
from tests.loopback import ndjson, whole

FAILURES = [
    (errors.ConfigError("x"), lc.ModelInvalidRequestError),
    (errors.NoServerError("x"), lc.ModelConnectionError),
    (errors.ModelNotFoundError("x", available=("a",)), lc.ModelNotFoundError),
    (errors.ModelChangedError("x"), lc.ModelNotFoundError),
    (errors.ConnectError("x"), lc.ModelConnectionError),
    (errors.TimedOutError("x"), lc.ModelTimeoutError),
    (errors.StreamInterruptedError("x"), lc.ModelConnectionError),
    (errors.UnsupportedFeatureError("x", status=400), lc.ModelInvalidRequestError),
    (errors.ContextLengthError("x", prompt_tokens=9), lc.ContextOverflowError),
    (errors.AuthenticationError("x", status=401), lc.ModelAuthenticationError),
    (errors.AuthenticationError("x", status=403), lc.ModelPermissionDeniedError),
    (errors.RequestRejectedError("x", status=422), lc.ModelInvalidRequestError),
    (errors.OverloadedError("x", status=503, retry_after=2.0), lc.ModelAPIError),
    (errors.OverloadedError("x", status=429), lc.ModelRateLimitError),
    (errors.ModelCrashedError("x", status=500), lc.ModelAPIError),
    (errors.DownloadError("x", status=200), lc.ModelAPIError),
    (errors.ModelCrashedError("x", status=429), lc.ModelAPIError),
    (errors.ProtocolError("x"), lc.ModelError),
    (errors.BadVectorError("x"), lc.ModelError),
    (LocalMixError("x"), lc.ModelError),
    (errors.UnusableAnswerError("x", answer="prose"), lc.OutputParserException),
]


@pytest.mark.parametrize(("error", "kind"), FAILURES, ids=lambda each: type(each).__name__)
def test_both_families(error: LocalMixError, kind: type[ModelError]) -> None:
    twin = model_error(error)
    assert isinstance(twin, kind)
    assert isinstance(twin, type(error))
    assert twin.__dict__.items() >= error.__dict__.items()
    copied = pickle.loads(pickle.dumps(twin))
    assert (type(copied), str(copied), copied.__dict__) == (type(twin), str(twin), twin.__dict__)


def test_attempts_name_the_error_itself_once() -> None:
    error = errors.ConnectError("It is down.", server="http://b")
    first = errors.ConnectError("It is down too.", server="http://a")
    error.tried((Attempt("http://a", first), Attempt("http://b", error)))
    assert str(model_error(error)) == str(error)


def test_every_error_that_is_raised_has_a_twin() -> None:
    named = {type(error) for error, _ in FAILURES}
    own = [each for each in vars(errors).values() if isinstance(each, type)]
    families = {base for each in own for base in each.__mro__[1:]}
    leaves = {each for each in own if issubclass(each, LocalMixError)} - families
    leaves -= {errors.TurnLimitError}  # of `Client.run` alone: LangChain's agents have their own
    assert named >= leaves


class Heard(BaseCallbackHandler):
    """Keep what a tracer would."""

    def __init__(self) -> None:
        self.metadata: dict[str, Any] = {}

    def on_llm_error(self, error: BaseException, **about: Any) -> None:
        (generation,) = about["response"].generations[0]
        self.metadata = generation.message.response_metadata


def test_a_tracer_sees_what_the_server_said(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": "no such option"}, 400)))
    heard = Heard()
    with pytest.raises(lc.ModelInvalidRequestError) as caught:
        ChatLocalMix(base_url=server.url).invoke("hello", {"callbacks": [heard]})
    assert isinstance(caught.value, errors.RequestRejectedError)
    assert heard.metadata["status_code"] == 400
    assert "no such option" in heard.metadata["body"]["error"]


def test_what_is_asked_in_any_way_fails_in_one_way(start: Any) -> None:
    overflow = whole({"error": "the input length exceeds the context length"}, 400)
    server = start(
        stand_ins.ollama(
            POST__api_chat=overflow, POST__api_generate=overflow, POST__api_embed=overflow
        )
    )
    model: Any
    for model in (ChatLocalMix(base_url=server.url), LocalMixLLM(base_url=server.url)):
        for ask in (model.invoke, lambda text, model=model: list(model.stream(text))):
            with pytest.raises(lc.ContextOverflowError):
                ask("hello")

        async def stream(model: Any = model) -> Any:
            return [chunk async for chunk in model.astream("hello")]

        for coroutine in (model.ainvoke("hello"), stream()):
            with pytest.raises(lc.ContextOverflowError):
                asyncio.run(coroutine)
    embeddings = LocalMixEmbeddings(base_url=server.url)
    with pytest.raises(lc.ContextOverflowError, match="begins 'hello'"):
        embeddings.embed_query("hello")
    with pytest.raises(lc.ContextOverflowError):
        asyncio.run(embeddings.aembed_documents(["hello"]))


def test_a_cut_stream_is_an_error(start: Any) -> None:
    frames = ndjson(stand_ins.ollama_says(content="Hal"))
    model = ChatLocalMix(base_url=start(stand_ins.ollama(POST__api_chat=frames)).url)
    with pytest.raises(lc.ModelConnectionError) as caught:
        list(model.stream("hello"))
    assert isinstance(caught.value, errors.StreamInterruptedError)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hal"


def test_nobody_there() -> None:
    model = ChatLocalMix(base_url="http://127.0.0.1:9", max_retries=0)
    for ask in (lambda: model.invoke("hello"), model.route, model.preload, model.list_models):
        with pytest.raises(lc.ModelConnectionError):
            ask()
    with pytest.raises(lc.ModelConnectionError):
        LocalMixEmbeddings(base_url="http://127.0.0.1:9", max_retries=0).cache_namespace()
    for coroutine in (model.aroute(), model.apreload(), model.alist_models()):
        with pytest.raises(lc.ModelConnectionError):
            asyncio.run(coroutine)


def test_an_unknown_model_is_not_tried_again(start: Any) -> None:
    from langchain.agents.middleware._retry import default_retry_on

    model = ChatLocalMix(base_url=start(stand_ins.ollama()).url, model="none")
    with pytest.raises(lc.ModelNotFoundError) as caught:
        model.invoke("hello")
    assert not default_retry_on(caught.value)
    assert default_retry_on(model_error(errors.OverloadedError("x", status=503)))
