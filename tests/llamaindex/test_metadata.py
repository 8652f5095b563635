"""What the LLM knows of itself: `metadata`, and the questions behind it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.indices.prompt_helper import PromptHelper

from llamaindex_localmix import LocalMix
from localmix.errors import LocalMixError
from tests import stand_ins
from tests.llamaindex.scripted import Turn, sent
from tests.loopback import Exchange, LoopbackServer, stay_silent, whole


def paths(server: LoopbackServer) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.requests]


def test_it_is_right_when_it_is_first_looked_at(start: Any) -> None:
    """It said 4,096 of a model of 2,048 until a request was made; prompts are sized by it."""
    server = start(stand_ins.ollama("tiny:latest"))
    llm = LocalMix(base_url=server.url, max_tokens=99)
    about = llm.metadata
    assert (about.context_window, about.num_output) == (2048, 99)
    assert (about.model_name, about.is_chat_model) == ("tiny:latest", True)
    assert "POST /api/chat" not in paths(server)


def test_the_first_look_is_the_only_one(start: Any) -> None:
    """Other objects, and requests, share what it found."""
    server = start(stand_ins.ollama("tiny:latest"))
    llm = LocalMix(model="tiny", base_url=server.url)
    assert [llm.metadata.context_window for _ in range(3)] == [2048] * 3
    asked = paths(server)
    assert asked.count("GET /api/tags") == asked.count("POST /api/show") == 1
    llm.complete("hello")
    assert LocalMix(model="tiny", base_url=server.url).metadata.context_window == 2048
    assert paths(server).count("GET /api/tags") == 1


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_who_asked_beforehand_holds_no_loop_up(start: Any, colour: str) -> None:
    shown = whole({"capabilities": ["tools"], "model_info": {}})
    server = start(stand_ins.ollama("tiny:latest", POST__api_show=shown))
    llm = LocalMix(model="tiny", base_url=server.url)

    async def main() -> tuple[int, int]:
        if colour == "async":
            await llm.amodel_info()
        asked = len(server.requests)
        await llm.achat([ChatMessage("hello")])
        return asked, llm.metadata.context_window

    if colour == "sync":
        llm.model_info()
    asked, window = asyncio.run(main())
    assert window == 2048
    assert paths(server)[asked:] == ["POST /api/chat"]


def test_events_ask_nobody(script: Any) -> None:
    """Each call describes the model to whoever listens, before it begins; also in a loop."""
    llm = LocalMix(model="tiny", base_url=script(Turn("Hi.")).url)
    assert llm.to_payload()["context_window"] == 4096
    llm.metadata  # noqa: B018  (a look)
    assert llm.to_payload() == {"class_name": "LocalMix_llm", **llm.metadata.model_dump()}


def test_inside_a_loop_the_look_is_short(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that the user named may take long to show what it is; no loop waits for it."""
    monkeypatch.setenv("LOCALMIX_PROBE_TIMEOUT", "0.2")
    monkeypatch.setenv("LOCALMIX_NAMED_PROBE_TIMEOUT", "20")
    server = start(LoopbackServer({"GET /api/version": stay_silent}))
    llm = LocalMix(model="tiny", base_url=server.url)

    async def main() -> float:
        begun = time.monotonic()
        assert llm.metadata.context_window == 4096
        return time.monotonic() - begun

    assert asyncio.run(main()) < 10
    llm.close()


def test_inside_a_loop_it_is_right_as_well(start: Any) -> None:
    server = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))

    async def main() -> int:
        return LocalMix(base_url=server.url).metadata.context_window

    assert asyncio.run(main()) == 4096


def test_a_loop_does_not_wait_for_itself(start: Any) -> None:
    """The request beside it has begun to look, in the loop that now stands still."""
    server = start(stand_ins.ollama("tiny:latest"))
    llm = LocalMix(model="tiny", base_url=server.url)

    async def main() -> tuple[int, str]:
        beside = asyncio.create_task(llm.achat([ChatMessage("hello")]))
        await asyncio.sleep(0)
        window = llm.metadata.context_window
        return window, str((await beside).message.content)

    assert asyncio.run(main()) == (2048, "Hi.")


@pytest.mark.parametrize(("own", "window"), [(512, 512), (9999, 2048)])
def test_the_window_that_a_modelfile_asks_for(start: Any, own: int, window: int) -> None:
    parameters = f"temperature                    0\nnum_ctx                        {own}"
    shown = whole({"capabilities": ["tools"], "model_info": {}, "parameters": parameters})
    server = start(stand_ins.ollama("tiny:latest", POST__api_show=shown))
    assert LocalMix(base_url=server.url).metadata.context_window == window


def test_what_is_told_only_when_it_is_asked_for(start: Any) -> None:
    """Ollama before 0.30 lists no window of a model that is not loaded."""
    entry = {"name": "tiny:latest", "digest": "a", "details": {"family": "llama"}}
    facts = {"general.architecture": "llama", "llama.context_length": 2048}
    server = start(
        stand_ins.ollama(
            GET__api_tags=whole({"models": [entry]}),
            POST__api_show=whole({"capabilities": ["completion"], "model_info": facts}),
        )
    )
    about = LocalMix(base_url=server.url).metadata
    assert (about.context_window, about.is_function_calling_model) == (2048, False)


@pytest.mark.parametrize(
    "routes",
    [
        {},
        {"GET /api/version": stay_silent, "GET /v1/models": stay_silent},
        {"GET /api/version": whole(b"\xff{"), "GET /api/tags": whole({"models": 7})},
    ],
    ids=["down", "slow", "garbage"],
)
def test_metadata_never_fails(
    start: Any, routes: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Peer defect 14: it raised when the server was down, and blocked until then."""
    monkeypatch.setenv("LOCALMIX_PROBE_TIMEOUT", "0.2")
    monkeypatch.setenv("LOCALMIX_NAMED_PROBE_TIMEOUT", "0.2")
    server = start(LoopbackServer(routes))
    llm = LocalMix(model="tiny", base_url=server.url)
    assert llm.metadata.context_window == 4096
    assert not caplog.records  # the request that follows says what is wrong
    with pytest.raises(LocalMixError):
        llm.complete("hello")
    asked = len(server.requests)
    assert llm.metadata.context_window == 4096
    assert llm.to_payload()["model_name"] == "tiny"
    assert len(server.requests) == asked  # that nobody is there is believed for a while


def test_metadata_stands_a_broken_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_SERVERS", "http://:::")
    assert LocalMix(model="tiny").metadata.context_window == 4096


def test_the_window_is_the_one_that_is_loaded(start: Any) -> None:
    """Peer defects 14 and 23: the trained maximum was asked for, or 3900 was believed."""
    server = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))  # trained for 32768
    llm = LocalMix(model="tiny", base_url=server.url)
    assert llm.metadata.context_window == 4096
    llm.complete("hello")
    assert "num_ctx" not in json.dumps(sent(server))


@pytest.mark.parametrize(
    ("fields", "window", "output"),
    [
        ({}, 2048, 256),  # not loaded, trained for 2048
        ({"num_ctx": 512}, 512, 256),
        ({"num_ctx": 9999}, 2048, 256),
        ({"context_window": 8192}, 8192, 256),
        ({"context_window": 8192, "num_ctx": 512}, 8192, 256),
        ({"max_tokens": 99}, 2048, 99),
        ({"max_tokens": 9999}, 2048, 1024),
    ],
)
def test_fields_decide_over_what_is_known(
    start: Any, fields: Any, window: int, output: int
) -> None:
    server = start(stand_ins.ollama())
    llm = LocalMix(model="tiny", base_url=server.url, **fields)
    about = llm.metadata
    assert (about.context_window, about.num_output) == (window, output)
    PromptHelper.from_llm_metadata(about)._get_available_context_size(100)  # fails if none is left


def test_what_a_server_tells_of_a_model_counts(start: Any) -> None:
    """Peer defect 19: every model was said to call tools, and Ollama answered 400."""
    shown = whole({"capabilities": ["completion"], "model_info": {}})
    server = start(stand_ins.ollama(POST__api_show=shown))
    llm = LocalMix(base_url=server.url)
    assert llm.model_info().capabilities == frozenset()
    assert not llm.metadata.is_function_calling_model
    assert llm.metadata.model_name == "tiny:latest"
    assert LocalMix(is_function_calling_model=True).metadata.is_function_calling_model
    other = llm.model_copy(update={"model": "another"})
    assert other.metadata.is_function_calling_model


def test_there_may_be_no_model_to_tell_of(start: Any) -> None:
    llm = LocalMix(base_url=start(stand_ins.ollama("embed:latest")).url)
    with pytest.raises(LocalMixError, match="No server holds a model for chat"):
        llm.model_info()


def test_servers_and_models_are_listed(start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "embed:latest"))
    llm = LocalMix(base_url=server.url)

    async def main() -> list[Any]:
        return [await llm.alist_models(), await llm.alist_servers()]

    models, servers = asyncio.run(main())
    assert [model.name for model in models] == ["tiny:latest", "embed:latest"]
    assert [each.kind for each in servers] == ["ollama"]
    assert (llm.list_models(), llm.list_servers()) == (models, servers)


def test_loading_ahead_and_asking_where(script: Any) -> None:
    server = script(Turn("Hello"), Turn("Hello"))
    llm = LocalMix(model="tiny", base_url=server.url, system_prompt="Long.")
    asyncio.run(llm.apreload())
    llm.preload()
    for body in sent(server):
        assert body["messages"] == [{"role": "user", "content": "Hello"}]
        assert 1 in (body.get("max_tokens"), body.get("options", {}).get("num_predict"))
    assert llm.route().server.url == asyncio.run(llm.aroute()).server.url == server.url


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_window_is_known_once_the_model_is_loaded(start: Any, colour: str) -> None:
    server = start(stand_ins.ollama("tiny:latest"))
    hello = server.routes["POST /api/chat"]
    running = stand_ins._ollama_entry("tiny:latest") | {"context_length": 1234}

    def load(exchange: Exchange) -> None:
        server.routes["GET /api/ps"] = whole({"models": [running]})
        hello(exchange)

    server.routes["POST /api/chat"] = load
    llm = LocalMix(model="tiny", base_url=server.url)
    route = llm.preload() if colour == "sync" else asyncio.run(llm.apreload())
    assert route
    assert route.server.url == server.url
    assert llm.metadata.context_window == 1234
