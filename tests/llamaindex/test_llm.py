"""The LLM: options, what it knows of itself, copies and pickles."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.tools import FunctionTool
from pydantic import SecretStr

from llamaindex_localmix import LocalMix
from localmix.errors import ConfigError
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.llamaindex.conftest import Heard
from tests.llamaindex.scripted import Turn, sent
from tests.loopback import whole

HELLO = [ChatMessage(content="hello")]
SECRET = "s3cret"


def get_time() -> str:
    """Get the time."""
    return "12:30"


def test_its_bases() -> None:
    names = [base.__name__ for base in LocalMix.__mro__]
    assert {"BaseLLM", "LLM", "FunctionCallingLLM"} <= set(names)
    assert LocalMix.class_name() == "LocalMix_llm"


# Options


def test_options_of_the_llm_and_of_the_call(start: Any) -> None:
    """Peer defects 12 and 13: options of the call were dropped; thinking could not be put off."""
    server = start(stand_ins.ollama())
    llm = LocalMix(model="tiny", base_url=server.url, temperature=0.5, num_ctx=512, think=True)
    llm.complete("hello", temperature=0.1, max_tokens=5, think=False)
    body = sent(server)[-1]
    assert body["options"] == {"temperature": 0.1, "num_ctx": 512, "num_predict": 5}
    assert body["think"] is False
    llm.complete("hello", keep_alive=60, response_format="json")
    body = sent(server)[-1]
    assert (body["options"]["temperature"], body["think"]) == (0.5, True)
    assert (body["keep_alive"], body["format"]) == (60.0, "json")


def test_options_stand_where_lm_studio_looks_for_them(start: Any) -> None:
    """Peer defect 2: they were nested, so that none of them counted."""
    server = start(stand_ins.lmstudio())
    LocalMix(model="tiny", base_url=f"{server.url}/v1/", temperature=0.5, stop="x").chat(
        HELLO, max_tokens=5, seed=7, top_p=0.5
    )
    body = sent(server)[-1]
    asked = {name: body[name] for name in ("temperature", "stop", "max_tokens", "seed", "top_p")}
    assert asked == {"temperature": 0.5, "stop": ["x"], "max_tokens": 5, "seed": 7, "top_p": 0.5}


def test_options_of_the_llm_that_a_call_takes_back(start: Any) -> None:
    server = start(stand_ins.ollama())
    LocalMix(base_url=server.url, temperature=0.5, response_format="json").chat(
        HELLO, temperature=None, response_format=None
    )
    body = sent(server)[-1]
    assert "options" not in body
    assert "format" not in body


def test_unknown_options_are_refused(start: Any) -> None:
    with pytest.raises(ValueError, match="temprature"):
        LocalMix(temprature=0.5)  # type: ignore[call-arg]
    server = start(stand_ins.ollama())
    with pytest.raises(ConfigError, match=r"temprature .* Did you mean temperature\?"):
        LocalMix(base_url=server.url).complete("hello", temprature=0.5)
    assert server.requests == []


def test_a_prompt_that_is_formatted_is_continued_as_it_is(start: Any) -> None:
    reply = whole({"model": "tiny", "response": "c", "done": True, "done_reason": "stop"})
    server = start(stand_ins.ollama(POST__api_generate=reply))
    llm = LocalMix(base_url=server.url)

    async def main() -> list[str]:
        steps = await llm.astream_complete("ab", formatted=True)
        return [
            (await llm.acomplete("ab", formatted=True)).text,
            [step async for step in steps][-1].text,
        ]

    texts = [
        llm.complete("ab", formatted=True).text,
        list(llm.stream_complete("ab", True))[-1].text,
        *asyncio.run(main()),
    ]
    assert texts == ["c"] * 4
    for each in server.requests[-4:]:
        assert (each.json["prompt"], each.json["raw"]) == ("ab", True)


def test_nothing_that_the_caller_gave_is_changed(script: Any) -> None:
    """Peer defect 15: the history of the caller grew by the message."""
    server = script(*[Turn("Hi.")] * 2)
    history = [ChatMessage(role=MessageRole.SYSTEM, content="Be brief."), *HELLO]
    tools = [FunctionTool.from_defaults(get_time)]
    options: Any = {"stop": ["x"], "extra": {"a": 1}}
    before = copy.deepcopy((history, options))
    llm = LocalMix(base_url=server.url)
    for step in (llm.chat_with_tools, llm.stream_chat_with_tools):
        list(step(tools, "hello", chat_history=history, **options))
    assert (history, options) == before
    assert len(tools) == 1
    assert [len(body["messages"]) for body in sent(server)] == [3, 3]


# Tokens


def test_the_tokenizer_learns_from_answers(script: Any) -> None:
    text = "seven words that are very much alike " * 4
    server = script(*[Turn(text)] * 3)
    llm = LocalMix(base_url=server.url)
    guess = len(llm.tokenizer(text))
    llm.complete(text)
    list(llm.stream_complete(text))
    asyncio.run(llm.acomplete(text))
    learned = llm.tokenizer(text)
    assert "".join(learned) == text
    assert len(learned) < guess  # 45 tokens for some 300 bytes were counted


def test_the_tokenizer_learns_nothing_from_what_it_cannot_see(script: Any) -> None:
    server = script(Turn("word " * 400), Turn("Hi."))
    llm = LocalMix(base_url=server.url)
    before = len(llm.tokenizer("some text"))
    llm.complete("hello")  # 45 tokens for 2000 bytes: what was in the cache was not counted
    llm.chat_with_tools([FunctionTool.from_defaults(get_time)], "hello")
    assert len(llm.tokenizer("some text")) == before
    assert llm.tokenizer("") == []


def test_a_tokenizer_of_ones_own(script: Any) -> None:
    llm = LocalMix(base_url=script(Turn("Hi.")).url, tokenizer=str.split)
    llm.complete("hello")
    assert llm.tokenizer("a b c") == ["a", "b", "c"]


# Copies, pickles, dumps


def secretive(url: str) -> LocalMix:
    server = ServerConfig(url=url, token=SecretStr(SECRET), headers={"X-Key": SECRET})
    return LocalMix(
        model="tiny",
        servers=[server],
        temperature=0.5,
        first_byte_timeout=7,
        system_prompt="Be brief.",
        extra={"a": {"b": 1}},
        api_key=SecretStr(SECRET),
        callback_manager=CallbackManager([TokenCountingHandler()]),
    )


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_every_copy_says_the_same(script: Any, used: bool) -> None:
    """Peer defect 15 and its kin: after a call, Ollama's and OpenAI's could not be copied."""
    server = script(*[Turn("Hi.")] * 9)
    llm = secretive(server.url)
    if used:
        llm.chat(HELLO)
        asyncio.run(llm.achat(HELLO))
    twins = [
        copy.copy(llm),
        copy.deepcopy(llm),
        llm.model_copy(),
        pickle.loads(pickle.dumps(llm)),
        LocalMix.from_dict(llm.to_dict()),
        LocalMix.from_json(llm.to_json()),
    ]
    for twin in twins:
        assert twin.to_dict() == llm.to_dict()
        assert twin.client.settings.first_byte_timeout == 7
        assert twin.chat(HELLO).message.content == "Hi."
    assert twins[1].extra is not llm.extra
    assert twins[1].extra["a"] is not llm.extra["a"]
    assert len(llm.callback_manager.handlers) == 1


def test_a_pickle_leaves_the_original_as_it_was() -> None:
    """Core deletes from the live object what it cannot pickle."""
    lock = threading.Lock()
    llm = LocalMix(tokenizer=lambda text: [lock, text])
    twin = pickle.loads(pickle.dumps(llm))
    assert llm.tokenizer("a") == [lock, "a"]
    assert twin.tokenizer("abc") == ["abc"]
    assert copy.deepcopy(llm).tokenizer is llm.tokenizer


def test_no_secret_leaves_the_object(script: Any, heard: Heard) -> None:
    server = script(Turn("Hi."))
    llm = secretive(server.url)
    llm.chat(HELLO)
    assert server.requests[-1].headers["x-key"] == SECRET
    texts = [repr(llm), str(llm), str(llm.to_dict()), llm.to_json(), str(llm.to_payload())]
    texts += [repr(event) + event.model_dump_json() for event in heard.events]
    assert SECRET not in "".join(texts)
    assert SECRET.encode() not in pickle.dumps(llm)


def test_no_key_of_a_cloud_goes_to_a_local_server(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peer defect 22: the user's OPENAI_API_KEY was sent."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server = script(Turn("Hi."))
    LocalMix(base_url=server.url).complete("hello")
    assert all(SECRET not in str(each.headers) for each in server.requests)
