"""The profile: asked for when it is looked at, and true."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents.middleware import SummarizationMiddleware

from langchain_localmix import ChatLocalMix
from localmix.errors import ModelNotFoundError
from tests import stand_ins
from tests.loopback import whole

SHOWN = {
    "capabilities": ["completion", "tools", "thinking"],
    "details": {"family": "llama"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 32768},
}


def profile_of(model: ChatLocalMix) -> Any:
    return model.profile


def served(start: Any, *, loaded: bool = True) -> Any:
    names = ("tiny:latest",) if loaded else ()
    return start(stand_ins.ollama(loaded=names, POST__api_show=whole(SHOWN)))


def test_nobody_is_asked_before_somebody_looks(start: Any) -> None:
    server = served(start)
    model = ChatLocalMix(model="tiny", base_url=server.url)
    assert profile_of(model)["structured_output"] is True
    assert profile_of(model).get("image_url_inputs") is False
    assert "tool_calling" not in repr(model)
    assert server.requests == []
    assert profile_of(model)["tool_calling"] is True
    assert server.requests
    assert "tool_calling" in repr(model)


def test_what_the_server_says(start: Any) -> None:
    profile = profile_of(ChatLocalMix(model="tiny", base_url=served(start).url))
    said = dict(profile)
    assert len(profile) == len(said)
    assert said["name"] == "tiny:latest"
    assert said["max_input_tokens"] == 4096  # allocated, not the 32,768 it was trained for
    assert said["reasoning_output"] is True
    assert said["image_inputs"] is False
    assert profile.get("nothing") is None


def test_the_window_that_will_be_asked_for(start: Any) -> None:
    url = served(start, loaded=False).url
    assert profile_of(ChatLocalMix(base_url=url, num_ctx=512))["max_input_tokens"] == 512
    large = ChatLocalMix(base_url=url, num_ctx=99_999)
    large.load_profile()
    assert profile_of(large)["max_input_tokens"] == 32768
    assert "max_input_tokens" not in profile_of(ChatLocalMix(base_url=url))


def test_the_window_is_known_once_the_model_is_loaded(start: Any) -> None:
    server = served(start, loaded=False)
    profile = profile_of(ChatLocalMix(model="tiny", base_url=server.url))
    assert profile.get("max_input_tokens") is None
    server.routes |= stand_ins.ollama(loaded=("tiny:latest",)).routes | {
        "POST /api/show": whole(SHOWN)
    }
    assert profile.get("max_input_tokens") == 4096
    asked = len(server.requests)
    assert profile.get("max_input_tokens") == 4096
    assert len(server.requests) == asked


def test_it_can_be_loaded_beforehand(start: Any) -> None:
    model = ChatLocalMix(base_url=served(start).url)
    asyncio.run(model.aload_profile())
    model.base_url = "http://127.0.0.1:9"
    assert profile_of(model)["tool_calling"] is True


def test_what_a_server_does_not_say_has_no_key(start: Any) -> None:
    profile = profile_of(ChatLocalMix(base_url=start(stand_ins.openai()).url))
    assert set(profile) & {"tool_calling", "image_inputs", "max_input_tokens"} == set()


def test_your_own_wins() -> None:
    model = ChatLocalMix(profile={"max_input_tokens": 9})
    assert model.profile == model.load_profile() == {"max_input_tokens": 9}
    assert asyncio.run(model.aload_profile()) == {"max_input_tokens": 9}
    assert model.model_copy().profile == {"max_input_tokens": 9}


def test_a_copy_tells_of_its_own_model(start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest", POST__api_show=whole(SHOWN)))
    model = ChatLocalMix(model="tiny", base_url=server.url)
    assert profile_of(model)["name"] == "tiny:latest"
    assert profile_of(model.model_copy(update={"model": "other"}))["name"] == "other:latest"
    fields = {**model.__dict__, "model": "other"}
    assert profile_of(ChatLocalMix(**{k: fields[k] for k in ChatLocalMix.model_fields}))[
        "name"
    ] == ("other:latest")


def test_nobody_holds_a_model(start: Any) -> None:
    server = start(stand_ins.ollama("embed:latest"))
    with pytest.raises(ModelNotFoundError):
        ChatLocalMix(base_url=server.url).load_profile()


def test_a_summary_by_a_fraction_of_the_window(start: Any) -> None:
    model = ChatLocalMix(model="tiny", base_url=served(start).url)
    middleware = SummarizationMiddleware(model, trigger=("fraction", 0.8), keep=("messages", 2))
    assert middleware is not None
