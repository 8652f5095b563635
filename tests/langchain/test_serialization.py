"""Caches, dumps, copies and pickles: each model is itself, and no secret gets out."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumpd, dumps, load
from pydantic import SecretStr

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings, LocalMixLLM
from localmix import Client
from localmix.settings import ServerConfig
from tests import stand_ins

SECRET = "s3cret"
SERVER = ServerConfig(url="http://h:1", token=SecretStr(SECRET), headers={"X-Key": SECRET})
PLACES: list[dict[str, Any]] = [
    {"base_url": f"http://user:{SECRET}@h:1"},
    {"base_url": "http://h:1", "api_key": SECRET},
    {"servers": [SERVER]},
    {"client": Client([SERVER])},
]


@pytest.mark.parametrize("place", PLACES, ids=[str(list(place)) for place in PLACES])
@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM])
def test_no_secret_gets_out(kind: Any, place: dict[str, Any]) -> None:
    model = kind(model="tiny", **place)
    shown = [repr(model), str(model), dumps(model), str(model.model_dump())]
    shown += [str(model._identifying_params), str(model._get_ls_params()), repr(model.metadata)]
    shown.append(pickle.dumps(model).decode("latin-1"))
    assert not [each for each in shown if SECRET in each]
    assert "http://h:1" in str(model._identifying_params)


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")  # `load` is one
@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM])
def test_dumps_and_load(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", SECRET)
    model = kind(
        model="tiny", base_url="http://h:1", api_key=SECRET, temperature=0.5, stop=["a"], num_ctx=99
    )
    loaded = load(
        dumpd(model),
        allowed_objects=[kind],
        valid_namespaces=["langchain_localmix"],
        secrets_from_env=True,
    )
    assert isinstance(loaded, kind)
    assert loaded._identifying_params == model._identifying_params
    assert loaded.api_key == model.api_key
    assert loaded.metadata == model.metadata


def test_a_shared_client_is_loaded_as_its_servers() -> None:
    make: Any = ChatLocalMix
    assert dumpd(make(client=Client("http://h:1")))["kwargs"]["servers"] == ["http://h:1"]
    assert "servers" not in dumpd(make(client=Client()))["kwargs"]


VARIANTS: list[dict[str, Any]] = [
    {"model": "other"},
    {"temperature": 0.5},
    {"max_tokens": 5},
    {"num_ctx": 512},
    {"seed": 1},
    {"stop": ["x"]},
    {"reasoning": False},
    {"response_format": "json"},
]


@pytest.mark.parametrize("change", VARIANTS, ids=str)
@pytest.mark.parametrize("how", ["field", "copy", "assignment", "call"])
def test_no_two_models_share_a_cache_entry(start: Any, change: Any, how: str) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    model = ChatLocalMix(model="tiny", base_url=server.url, cache=InMemoryCache())
    model.invoke("hello")
    model.invoke("hello")
    assert server.count("POST /api/chat") == 1

    (name, value), *_ = change.items()
    if how == "field":
        ChatLocalMix(
            **{"model": "tiny", "base_url": server.url, "cache": model.cache} | change
        ).invoke("hello")
    elif how == "copy":
        model.model_copy(update=change).invoke("hello")
    elif how == "assignment":
        setattr(model, name, value)
        model.invoke("hello")
    else:
        model.invoke("hello", **change)
    assert server.count("POST /api/chat") == 2


def test_a_cache_without_a_named_model_knows_which_one_answered(start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    model = ChatLocalMix(base_url=server.url, cache=InMemoryCache())
    first = model._get_llm_string()
    model.invoke("hello")
    assert "tiny:latest" in model._get_llm_string() != first


def test_text_completions_have_entries_of_their_own(start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    server.routes["POST /api/generate"] = server.routes["POST /api/chat"]
    cache = InMemoryCache()
    about: Any
    for about in ({"model": "tiny"}, {"model": "tiny"}, {"model": "other"}, {"stop": ["x"]}):
        LocalMixLLM(base_url=server.url, cache=cache, **about).invoke("hello")
    assert server.count("POST /api/generate") == 3


@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM, LocalMixEmbeddings])
def test_copies_and_pickles_work(start: Any, kind: Any) -> None:
    server = start(stand_ins.ollama())
    server.routes["POST /api/generate"] = server.routes["POST /api/chat"]
    model = kind(base_url=server.url)
    ask = "embed_query" if kind is LocalMixEmbeddings else "invoke"
    getattr(model, ask)("hello")
    for twin in (
        copy.copy(model),
        copy.deepcopy(model),
        model.model_copy(deep=True),
        pickle.loads(pickle.dumps(model)),
    ):
        assert type(twin) is kind
        assert getattr(twin, ask)("hello")


def test_one_model_serves_many_threads_and_loops(start: Any) -> None:
    model = ChatLocalMix(base_url=start(stand_ins.ollama()).url)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(model.invoke("hello").text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers += [asyncio.run(model.ainvoke("hello")).text for _ in range(2)]
    assert answers == ["Hi."] * 10


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM, LocalMixEmbeddings])
def test_construction_opens_nothing(kind: Any) -> None:
    model = kind(base_url="http://127.0.0.1:9")
    assert model._connection is None
    repr(model)


def test_tracing_knows_the_versions() -> None:
    assert set((ChatLocalMix().metadata or {})["lc_versions"]) >= {"localmix", "langchain-core"}
    assert set((LocalMixLLM().metadata or {})["lc_versions"]) >= {"localmix", "langchain-core"}
