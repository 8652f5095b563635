"""The profile: asked for when it is looked at, and true."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import AIMessage, HumanMessage

from langchain_localmix import ChatLocalMix
from localmix.errors import ModelNotFoundError
from tests import stand_ins
from tests.loopback import whole

SHOWN = {
    "capabilities": ["completion", "tools", "thinking"],
    "details": {"family": "llama"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 32768},
}


LISTED = stand_ins._ollama_entry("tiny:latest")


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
    assert "tool_calling" not in repr(profile_of(model))
    assert server.requests == []
    assert profile_of(model)["tool_calling"] is True
    assert server.requests
    assert "tool_calling" in repr(profile_of(model))


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
    assert profile_of(ChatLocalMix(base_url=url))["max_input_tokens"] == 4096  # at least


def test_the_window_is_known_once_the_model_is_loaded(start: Any) -> None:
    server = served(start, loaded=False)
    model = ChatLocalMix(model="tiny", base_url=server.url)
    assert profile_of(model)["max_input_tokens"] == 4096
    running = {"models": [LISTED | {"context_length": 16384}]}
    server.routes |= {"GET /api/ps": whole(running)}
    model.load_profile()
    asked = len(server.requests)
    assert profile_of(model)["max_input_tokens"] == 16384
    assert len(server.requests) == asked


def test_it_is_a_dictionary(start: Any) -> None:
    profile = profile_of(ChatLocalMix(model="tiny", base_url=served(start).url))
    assert isinstance(profile, dict)  # deepagents 444
    plain = dict(profile)
    assert plain["max_input_tokens"] == 4096
    assert plain == profile == {**profile} == profile | {} == {} | profile == profile.copy()
    assert json.loads(json.dumps(profile)) == plain
    assert dict(profile.items()) == dict(zip(profile.keys(), profile.values(), strict=True))
    assert ("max_input_tokens" in profile, "nothing" in profile) == (True, False)


def test_each_first_look_at_it_looks_it_up(start: Any) -> None:
    looks: list[Any] = [
        dict,
        list,
        len,
        json.dumps,
        lambda profile: profile["max_input_tokens"],
        lambda profile: profile.get("max_input_tokens"),
        lambda profile: "max_input_tokens" in profile,
        lambda profile: {**profile},
        lambda profile: profile == {},
    ]
    for look in looks:
        server = served(start)
        profile = profile_of(ChatLocalMix(model="tiny", base_url=server.url))
        assert server.requests == []
        look(profile)
        assert server.requests, look
        assert profile["max_input_tokens"] == 4096


def test_whoever_copies_or_compares_models_asks_nobody(start: Any) -> None:
    server = served(start)
    model = ChatLocalMix(model="tiny", base_url=server.url)
    for made in (model.model_copy(), copy.copy(model), copy.deepcopy(model)):
        assert made == model
        assert made.profile is not model.profile
    assert repr(model)
    assert pickle.dumps(model)
    assert server.requests == []


def test_nobody_answers() -> None:
    model = ChatLocalMix(model="tiny", base_url="http://127.0.0.1:9")
    assert profile_of(model).get("max_input_tokens") is None
    assert profile_of(model)["structured_output"] is True
    assert profile_of(ChatLocalMix(base_url="http://127.0.0.1:9", num_ctx=8192))[
        "max_input_tokens"
    ] == (8192)


async def test_an_event_loop_never_waits_for_it(start: Any) -> None:
    server = served(start)
    model = ChatLocalMix(model="tiny", base_url=server.url)
    assert profile_of(model).get("max_input_tokens") is None
    assert server.requests == []
    await model.ainvoke("hello")
    assert profile_of(model)["max_input_tokens"] == 4096
    await model.aload_profile()
    assert profile_of(model)["tool_calling"] is True


def test_a_model_with_a_profile_can_be_pickled(start: Any) -> None:
    model = ChatLocalMix(model="tiny", base_url=served(start).url)
    assert profile_of(model)["tool_calling"] is True
    again = pickle.loads(pickle.dumps(model))
    assert profile_of(again)["tool_calling"] is True
    assert again.profile._model is again


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


@pytest.mark.parametrize("loaded", [True, False])
def test_a_summary_by_a_fraction_of_the_window(start: Any, loaded: bool) -> None:
    """Also on an Ollama 0.12 that has loaded nothing yet: what it will allocate at least counts."""
    server = served(start, loaded=loaded)
    model = ChatLocalMix(model="tiny", base_url=server.url)
    summing = SummarizationMiddleware(model, trigger=("fraction", 0.8), keep=("messages", 1))
    agent: Any = create_agent(model, middleware=[summing])

    def talked(times: int) -> Any:
        turns = [(HumanMessage("Hello " * 200), AIMessage("Hi " * 200)) for _ in range(times)]
        return {"messages": [message for turn in turns for message in turn]}

    agent.invoke(talked(1))
    assert server.count("POST /api/chat") == 1
    agent.invoke(talked(12))  # some 5,400 tokens, by letters
    assert server.count("POST /api/chat") == 3
    assert len(server.last("POST /api/chat").json["messages"]) < 4
