"""Text completion, without a chat template."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import Generation, GenerationChunk

from langchain_localmix import ChatLocalMix, LocalMixLLM
from tests import stand_ins
from tests.loopback import LoopbackServer, ndjson, whole

TEXT = " Paris."


def completing() -> LoopbackServer:
    done = {**stand_ins.OLLAMA_DONE, "response": ""}
    frames = [{"model": "tiny:latest", "response": letter, "done": False} for letter in TEXT]
    return stand_ins.ollama(
        POST__api_generate=stand_ins.either_way(
            ndjson(*frames, done), whole({**done, "response": TEXT})
        )
    )


def merged(chunks: Any) -> Generation:
    whole_: GenerationChunk = reduce(add, chunks)
    return whole_


async def _agenerated(llm: LocalMixLLM) -> Generation:
    return (await llm.agenerate(["The capital is"])).generations[0][0]


async def _astreamed(llm: LocalMixLLM) -> Generation:
    return merged([chunk async for chunk in llm._astream("The capital is")])


WAYS: dict[str, Callable[[LocalMixLLM], Generation]] = {
    "generate": lambda llm: llm.generate(["The capital is"]).generations[0][0],
    "agenerate": lambda llm: asyncio.run(_agenerated(llm)),
    "stream": lambda llm: merged(list(llm._stream("The capital is"))),
    "astream": lambda llm: asyncio.run(_astreamed(llm)),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_completion(start: Any, way: str) -> None:
    server = start(completing())
    generation = WAYS[way](LocalMixLLM(base_url=server.url, max_tokens=5, stop=["\n"]))
    assert generation.text == TEXT
    about = generation.generation_info or {}
    assert about["usage_metadata"]["total_tokens"] == 45
    assert (about["model_name"], about["finish_reason"]) == ("tiny:latest", "stop")
    assert about["route"]["server"] == server.url
    body = server.last("POST /api/generate").json
    assert (body["prompt"], body["raw"]) == ("The capital is", True)
    assert body["options"] == {"num_predict": 5, "stop": ["\n"]}


def test_options_of_the_call(start: Any) -> None:
    server = start(completing())
    llm = LocalMixLLM(base_url=server.url, temperature=0.5)
    assert llm.invoke("The capital is", temperature=0.1, num_predict=3, stop=["x"]) == TEXT
    options = server.last("POST /api/generate").json["options"]
    assert options == {"temperature": 0.1, "num_predict": 3, "stop": ["x"]}
    assert llm.batch(["a", "b"]) == asyncio.run(llm.abatch(["a", "b"])) == [TEXT, TEXT]
    assert llm._get_ls_params(model="other")["ls_model_name"] == "other"
    assert llm._get_ls_params()["ls_model_type"] == "llm"


def test_a_gap_is_filled_in(start: Any) -> None:
    server = start(completing())
    server.routes["POST /api/show"] = whole({"capabilities": ["completion", "insert"]})
    llm = LocalMixLLM(base_url=server.url, suffix="return x")
    llm.invoke("def f():")
    assert server.last("POST /api/generate").json["suffix"] == "return x"


class Tokens(BaseCallbackHandler):
    """Keep every token."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **about: Any) -> None:
        assert chunk is not None
        self.seen.append(token)


@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM])
def test_callbacks_see_each_token_once(start: Any, kind: Any) -> None:
    server = start(completing())
    model = kind(base_url=server.url)
    expected = TEXT if kind is LocalMixLLM else "Hi."

    async def stream(tokens: Tokens) -> None:
        async for _ in model.astream("The capital is", {"callbacks": [tokens]}):
            pass

    for colour in ("sync", "async"):
        tokens = Tokens()
        if colour == "sync":
            list(model.stream("The capital is", {"callbacks": [tokens]}))
        else:
            asyncio.run(stream(tokens))
        assert "".join(tokens.seen) == expected
    quiet = Tokens()
    model.invoke("The capital is", {"callbacks": [quiet]})
    assert quiet.seen == []


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")  # version 3
def test_old_callbacks_see_tokens_of_the_new_events(start: Any) -> None:
    model = ChatLocalMix(base_url=start(stand_ins.ollama()).url)
    tokens = Tokens()
    assert model.stream_events("hello", {"callbacks": [tokens]}, version="v3").output.text == "Hi."
    assert "".join(tokens.seen) == "Hi."

    async def main() -> str:
        stream = await model.astream_events("hello", {"callbacks": [tokens]}, version="v3")
        message: AIMessage = await stream.output
        return message.text

    assert asyncio.run(main()) == "Hi."


def test_preloading_says_where(start: Any) -> None:
    server = start(completing())
    for model in (LocalMixLLM(base_url=server.url), ChatLocalMix(base_url=server.url)):
        for route in (model.preload(), asyncio.run(model.apreload()), asyncio.run(model.aroute())):
            assert route is not None
            assert route.model == "tiny:latest"
    assert server.last("POST /api/chat").json["options"] == {"num_predict": 1}
