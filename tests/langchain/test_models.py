"""The chat model and the embeddings, on stand-ins and on the live engine."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from localmix.errors import ConfigError
from tests import stand_ins
from tests.loopback import Exchange, whole


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


def test_options_of_the_model_and_of_the_call(start: Any) -> None:
    server = start(stand_ins.ollama())
    model = ChatLocalMix(
        model="tiny", base_url=server.url, temperature=0.5, num_ctx=512, stop=["a"], reasoning=False
    )
    model.invoke("hello", temperature=0.1, max_tokens=5, stop=["b"])
    body = server.last("POST /api/chat").json
    assert body["options"] == {
        "temperature": 0.1,
        "num_ctx": 512,
        "num_predict": 5,
        "stop": ["b"],
    }
    assert body["think"] is False

    model.bind(response_format={"type": "json_object"}, reasoning="high").invoke("hello")
    body = server.last("POST /api/chat").json
    assert (body["format"], body["think"]) == ("json", "high")


def test_unknown_options_are_refused(start: Any) -> None:
    with pytest.raises(ValueError, match="temprature"):
        ChatLocalMix(temprature=0.5)  # type: ignore[call-arg]
    server = start(stand_ins.ollama())
    with pytest.raises(ConfigError, match="temprature"):
        ChatLocalMix(servers=[server.url]).invoke("hello", temprature=0.5)
    with pytest.raises(ValueError, match="both given"):
        ChatLocalMix(servers=[server.url], base_url=server.url)


def test_tools_are_offered(start: Any) -> None:
    server = start(stand_ins.lmstudio())
    bound = ChatLocalMix(base_url=server.url).bind_tools([get_weather], tool_choice="get_weather")
    bound.invoke("hello")
    body = server.last("POST /v1/chat/completions").json
    assert body["tools"][0]["function"]["name"] == "get_weather"
    assert body["tool_choice"] == "required"


def test_tracing_and_caching_know_the_model() -> None:
    model = ChatLocalMix(model="tiny", temperature=0.5, stop=["x"], base_url="http://u:s3cret@h:1")
    assert model._get_ls_params(model="other", max_tokens=3) == {
        "ls_provider": "localmix",
        "ls_model_type": "chat",
        "ls_model_name": "other",
        "ls_temperature": 0.5,
        "ls_max_tokens": 3,
        "ls_stop": ["x"],
    }
    assert ChatLocalMix()._get_ls_params().get("ls_model_name") == "auto"
    assert model._identifying_params["model"] == "tiny"
    assert model._llm_type == "localmix-chat"
    assert "s3cret" not in repr(model) + str(model._identifying_params)


def test_every_way_of_asking_says_the_same(engine_alone: None) -> None:
    model = ChatLocalMix(model="localmix-tiny", temperature=0.0)
    question = "What is the capital of France?"

    async def main() -> list[str]:
        streamed = [chunk.text async for chunk in model.astream(question)]
        return [(await model.ainvoke(question)).text, "".join(streamed)]

    answers = [
        model.invoke(question).text,
        "".join(chunk.text for chunk in model.stream(question)),
        model.batch([question])[0].text,
        *asyncio.run(main()),
        *asyncio.run(main()),
        pickle.loads(pickle.dumps(model)).invoke(question).text,
    ]
    assert set(answers) == {"The capital of France is Paris."}


def test_metrics_stand_on_the_message(engine_alone: None) -> None:
    model = ChatLocalMix(model="localmix-tiny", temperature=0.0)
    merged: Any = None
    for chunk in model.stream("Hello"):
        merged = chunk if merged is None else merged + chunk
    message: Any
    for message in (model.invoke("Hello"), merged):
        about = message.response_metadata
        assert about["model_name"] == "localmix-tiny"
        assert about["route"]["kind"] == "embedded"
        assert about["timings"]["first_token"] > 0
        assert about["tokens_per_second"] > 0
        assert message.usage_metadata["output_tokens"] > 0


def test_logprobs_come_whole_with_the_last_chunk(engine_alone: None) -> None:
    model = ChatLocalMix(model="localmix-tiny", temperature=0.0, logprobs=True, top_logprobs=2)
    merged: Any = None
    for chunk in model.stream("Hello", max_tokens=5, reasoning=False):
        merged = chunk if merged is None else merged + chunk
    message = model.invoke("Hello", max_tokens=5, reasoning=False)
    for answer in (message, merged):
        content = answer.response_metadata["logprobs"]["content"]
        assert "".join(each["token"] for each in content) == answer.text
        assert [len(each["top_logprobs"]) for each in content] == [2] * 5
        assert all(each["logprob"] <= 0 for each in content)


def test_an_agent_calls_a_tool(engine_alone: None) -> None:
    agent: Any = create_agent(ChatLocalMix(model="localmix-tiny", temperature=0.0), [get_weather])
    question = {"messages": [("user", "What is the weather in Paris?")]}
    for state in (agent.invoke(question), asyncio.run(agent.ainvoke(question))):
        assert state["messages"][-1].text == "It is sunny in Paris."
        assert state["messages"][1].tool_calls[0]["args"] == {"location": "Paris"}


def test_embeddings(engine_alone: None) -> None:
    embeddings = LocalMixEmbeddings(chunk_size=2)
    texts = ["river", "lamp", "boat"]
    vectors = embeddings.embed_documents(texts)
    assert [len(vector) for vector in vectors] == [96, 96, 96]
    assert vectors[1] == pytest.approx(embeddings.embed_query("lamp"), abs=1e-5)

    async def main() -> tuple[Any, Any]:
        return await embeddings.aembed_documents(texts), await embeddings.aembed_query("lamp")

    documents, query = asyncio.run(main())
    assert documents[2] == pytest.approx(vectors[2], abs=1e-5)
    assert query == pytest.approx(vectors[1], abs=1e-5)
    assert embeddings.embed_documents([]) == []


def test_texts_go_in_chunks(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_embed=whole({"embeddings": [[1.0], [2.0]]})))
    embeddings = LocalMixEmbeddings(base_url=server.url, chunk_size=2, dimensions=1)
    assert len(embeddings.embed_documents(["a", "b", "c", "d"])) == 4
    assert server.count("POST /api/embed") == 2
    assert server.last("POST /api/embed").json["dimensions"] == 1


@pytest.mark.parametrize("how", ["closed", "cancelled", "left"])
def test_leaving_a_stream_hangs_up(start: Any, how: str) -> None:
    gone = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
        exchange.chunk(json.dumps(stand_ins.ollama_says(content="H")).encode() + b"\n")
        if exchange.is_hung_up():
            gone.set()

    model = ChatLocalMix(base_url=start(stand_ins.ollama(POST__api_chat=reply)).url)

    async def read(began: asyncio.Event) -> None:
        async for _ in model.astream("hello"):
            began.set()

    async def main() -> None:
        began = asyncio.Event()
        task = asyncio.create_task(read(began))
        await began.wait()
        task.cancel()
        await asyncio.wait([task])

    if how == "cancelled":
        asyncio.run(main())
    else:
        stream: Any = model.stream("hello")
        next(stream)
        if how == "closed":
            stream.close()
        del stream
    assert gone.wait(5)


FORK = """
import os, sys
from langchain_localmix import ChatLocalMix

model = ChatLocalMix(base_url=sys.argv[1])
model.invoke("hello")
child = os.fork()
answers = {model.invoke("hello").text for _ in range(20)}
if child == 0:
    os._exit(0 if answers == {"Hi."} else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert answers == {"Hi."}
"""


@pytest.mark.slow
def test_both_sides_of_a_fork_go_on(start: Any) -> None:
    server = start(stand_ins.ollama())
    subprocess.run([sys.executable, "-c", FORK, server.url], check=True, timeout=60)
