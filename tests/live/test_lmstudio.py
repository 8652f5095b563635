"""LM Studio's ways, on the stand-in with a real model behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from localmix.errors import (
    AuthenticationError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    ProtocolError,
)
from localmix.settings import ServerConfig
from tests.either import MakeEither
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT, EMBED
from tests.loopback import LoopbackServer

FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."
Start = Callable[[LoopbackServer], LoopbackServer]
OPTIONS: dict[str, Any] = {"model": CHAT, "temperature": 0.0}


@pytest.fixture(autouse=True)
def _without_the_engine(_engine_alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_MODELS_PATH")


@pytest.mark.parametrize("generation", ["0.3", "0.4"])
def test_both_generations_answer(either: MakeEither, start: Start, generation: Any) -> None:
    client = either(start(LMStudio(generation=generation)).url)
    assert client.servers()[0].kind == "lmstudio"
    assert client.chat(FRANCE, **OPTIONS).content == PARIS
    assert client.stream(FRANCE, **OPTIONS)[-1].usage is not None
    assert len(client.embed("river", model=EMBED).vectors[0]) == 96


def test_loaded_models_come_first(either: MakeEither, start: Start) -> None:
    server = LMStudio(loaded={"my-tiny": CHAT})
    client = either(start(server).url)
    chat, embed = client.models_by_server()
    assert (chat.loaded, chat.loaded_context_length) == (True, 2048)
    assert not embed.loaded
    # The instance has a name of its own; the key is served by it, and it answers to both.
    assert client.chat(FRANCE, **OPTIONS).content == PARIS
    assert client.chat(FRANCE, model="my-tiny", temperature=0.0).content == PARIS


def test_with_jit_off_only_loaded_models_are_listed_by_0_3(
    either: MakeEither, start: Start
) -> None:
    client = either(start(LMStudio(generation="0.3", jit=False, loaded={CHAT: CHAT})).url)
    assert [model.name for model in client.models_by_server()] == [CHAT]


def test_nothing_loaded_and_jit_off(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio(jit=False)).url)
    with pytest.raises(ModelNotFoundError, match="No models loaded"):
        client.chat(FRANCE, **OPTIONS)


def test_the_answer_of_another_model_is_refused(either: MakeEither, start: Start) -> None:
    """It was listed, then removed: the one that is loaded answers under its own name."""
    server = LMStudio(jit=False, loaded={"other-model": CHAT})
    client = either(start(server).url)
    client.models_by_server()
    server.loaded = {"third-model": CHAT}
    with pytest.raises(ModelNotFoundError, match="'third-model' answered"):
        client.chat(FRANCE, model="other-model")


def test_a_token_is_wanted(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(token="sk-lm-abcdefgh:12345678901234567890"))
    (found,) = either(server.url).servers()
    assert "API token is required" in found.problem
    with pytest.raises(AuthenticationError, match="Set `token` of this server"):
        either(server.url).chat(FRANCE)

    wrong = ServerConfig(url=server.url, token=SecretStr("sk-lm-s3cret"))
    (found,) = either([wrong]).servers()
    assert "s3cret" not in found.problem

    right = ServerConfig(url=server.url, token=SecretStr("sk-lm-abcdefgh:12345678901234567890"))
    assert either([right]).chat(FRANCE, **OPTIONS).content == PARIS


def test_a_token_that_stops_counting(either: MakeEither, start: Start) -> None:
    server = LMStudio()
    client = either(start(server).url)
    client.chat(FRANCE, **OPTIONS)
    server.token = "new"
    with pytest.raises(AuthenticationError):
        client.chat(FRANCE, **OPTIONS)


LONG = "river stone lamp green " * 600


@pytest.mark.parametrize("generation", ["0.3", "0.4"])
def test_overflow(either: MakeEither, start: Start, generation: Any) -> None:
    client = either(start(LMStudio(generation=generation)).url)
    with pytest.raises(ContextLengthError):
        client.chat(LONG, **OPTIONS)
    with pytest.raises(ContextLengthError):  # inside a stream with status 200
        client.stream(LONG, **OPTIONS)
    with pytest.raises(ContextLengthError, match="would truncate it silently"):
        client.embed(LONG, model=EMBED)


@pytest.mark.parametrize(
    ("quirk", "error"),
    [
        ("empty stream on overflow", ProtocolError),
        ("error event in the stream", ModelCrashedError),
    ],
)
def test_a_stream_that_goes_wrong(
    either: MakeEither, start: Start, quirk: Any, error: type[LocalMixError]
) -> None:
    client = either(start(LMStudio(quirks=frozenset({quirk}))).url)
    with pytest.raises(error):
        client.stream(LONG if "overflow" in quirk else FRANCE, **OPTIONS)


def test_a_reason_and_a_clean_end_are_an_end(either: MakeEither, start: Start) -> None:
    """A8: ik_llama.cpp 467 and llama-box 66 send no `[DONE]`."""
    client = either(start(LMStudio(quirks=frozenset({"no [DONE]"}))).url)
    *_, last = client.stream(FRANCE, **OPTIONS)
    assert last.finish_reason in ("stop", "length")


def test_spliced_frames(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio(quirks=frozenset({"frames spliced"}))).url)
    deltas = client.stream(FRANCE, **OPTIONS)
    assert "".join(delta.content for delta in deltas) == PARIS


def test_reasoning_that_stays_in_the_text(either: MakeEither, start: Start) -> None:
    client = either(start(LMStudio(quirks=frozenset({"reasoning in the text"}))).url)
    result = client.chat(FRANCE, **OPTIONS)
    assert (result.content, result.reasoning) == (PARIS, f"The user says: {FRANCE}\n")


def test_a_schema_that_is_answered_as_reasoning(either: MakeEither, start: Start) -> None:
    import json

    schema = {
        "type": "object",
        "properties": {"country": {"type": "string"}, "capital": {"type": "string"}},
        "required": ["country", "capital"],
    }
    client = either(start(LMStudio(quirks=frozenset({"schema answered as reasoning"}))).url)
    options = {**OPTIONS, "response_format": schema, "think": False}
    whole = client.chat(FRANCE, **options).content
    streamed = "".join(delta.content for delta in client.stream(FRANCE, **options))
    assert json.loads(whole) == json.loads(streamed) == {"country": "France", "capital": "Paris"}


def test_a_crash_is_left_for_the_next_server(either: MakeEither, start: Start) -> None:
    bad = start(LMStudio(quirks=frozenset({"model crashes"})))
    good = start(LMStudio(generation="0.3"))
    result = either([bad.url, good.url]).chat(FRANCE, **OPTIONS)
    assert result.content == PARIS
    assert result.route is not None
    assert isinstance(result.route.attempts[0].error, ModelCrashedError)


def test_the_stand_in_itself(start: Start) -> None:
    """It says what the recordings say: 200 for what it does not know, loads and unloads."""
    import httpx

    server = start(LMStudio())
    with httpx.Client(base_url=server.url, verify=False, trust_env=False) as http:
        unknown = http.post("/chat/completions", json={})
        assert unknown.status_code == 200
        assert unknown.text == '{"error":"Unexpected endpoint or method. (POST /chat/completions)"}'
        loaded = http.post("/api/v1/models/load", json={"model": CHAT, "context_length": 512})
        assert loaded.json()["status"] == "loaded"
        listed = http.get("/api/v1/models").json()["models"][0]
        assert listed["loaded_instances"][0]["config"]["context_length"] == 512
        refused = http.post("/api/v1/models/load", json={"model": CHAT, "ttl": 5})
        assert refused.json()["error"]["code"] == "unrecognized_keys"
        assert http.post("/api/v1/models/unload", json={"instance_id": CHAT}).status_code == 200
        assert http.post("/api/v1/models/unload", json={"instance_id": CHAT}).status_code == 404
        assert http.post("/api/v1/models/load", json={"model": "none"}).status_code == 404
