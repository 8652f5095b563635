"""The LLM and the embedding model, on stand-ins and on the live engine."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, ToolCallBlock
from llama_index.core.tools import FunctionTool

from llamaindex_localmix import LocalMix, LocalMixEmbedding
from localmix.errors import ConfigError
from tests import stand_ins

PARIS = "The capital of France is Paris."
FRANCE = "What is the capital of France?"


def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


WEATHER = FunctionTool.from_defaults(get_weather)


def test_options_of_the_llm_and_of_the_call(start: Any) -> None:
    server = start(stand_ins.ollama())
    llm = LocalMix(model="tiny", base_url=server.url, temperature=0.5, num_ctx=512, think=False)
    llm.complete("hello", temperature=0.1, max_tokens=5)
    body = server.last("POST /api/chat").json
    assert body["options"] == {"temperature": 0.1, "num_ctx": 512, "num_predict": 5}
    assert body["think"] is False
    llm.complete("hello", think=True)
    assert server.last("POST /api/chat").json["think"] is True


def test_unknown_options_are_refused(start: Any) -> None:
    with pytest.raises(ValueError, match="temprature"):
        LocalMix(temprature=0.5)  # type: ignore[call-arg]
    server = start(stand_ins.ollama())
    with pytest.raises(ConfigError, match="temprature"):
        LocalMix(base_url=server.url).complete("hello", temprature=0.5)


def test_metadata_comes_without_asking_anyone() -> None:
    about = LocalMix(servers=["127.0.0.1:9"], context_window=2048, max_tokens=99).metadata
    assert (about.context_window, about.num_output, about.model_name) == (2048, 99, "auto")
    assert about.is_chat_model
    assert about.is_function_calling_model
    assert LocalMix(model="tiny", num_ctx=512).metadata.context_window == 512
    assert LocalMix.class_name() == "LocalMix_llm"
    assert LocalMixEmbedding.class_name() == "LocalMixEmbedding"


def test_every_way_of_asking_says_the_same(engine_alone: None) -> None:
    llm = LocalMix(model="localmix-tiny", temperature=0.0)
    messages = [ChatMessage(role=MessageRole.USER, content=FRANCE)]

    async def main() -> list[Any]:
        chat = [step async for step in await llm.astream_chat(messages)]
        text = [step async for step in await llm.astream_complete(FRANCE)]
        return [
            (await llm.achat(messages)).message.content,
            (await llm.acomplete(FRANCE)).text,
            chat[-1].message.content,
            text[-1].text,
            "".join(step.delta or "" for step in text),
        ]

    streamed = list(llm.stream_chat(messages))
    completed = list(llm.stream_complete(FRANCE))
    answers = [
        llm.chat(messages).message.content,
        llm.complete(FRANCE).text,
        streamed[-1].message.content,
        "".join(step.delta or "" for step in streamed),
        completed[-1].text,
        *asyncio.run(main()),
        *asyncio.run(main()),
        pickle.loads(pickle.dumps(llm)).complete(FRANCE).text,
    ]
    assert set(answers) == {PARIS}
    assert streamed[-1].raw["usage"]["completion_tokens"] > 0
    assert streamed[-1].raw["route"]["kind"] == "embedded"
    assert all(step.raw == {} for step in streamed[:-1])


def test_a_tool_is_called(engine_alone: None) -> None:
    llm = LocalMix(model="localmix-tiny", temperature=0.0)
    question = "What is the weather in Paris?"

    async def main() -> list[ChatResponse]:
        steps = await llm.astream_chat_with_tools([WEATHER], question)
        return [await llm.achat_with_tools([WEATHER], question), [step async for step in steps][-1]]

    history = [ChatMessage(role=MessageRole.SYSTEM, content="Answer briefly.")]
    responses = [
        llm.chat_with_tools([WEATHER], question, chat_history=history),
        list(llm.stream_chat_with_tools([WEATHER], ChatMessage(content=question)))[-1],
        *asyncio.run(main()),
    ]
    assert len(history) == 1
    for response in responses:
        (call,) = llm.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"location": "Paris"})
        assert call.tool_id

    answer = llm.chat(
        [
            ChatMessage(role=MessageRole.USER, content=question),
            responses[0].message,
            ChatMessage(
                role=MessageRole.TOOL,
                content="It's sunny.",
                additional_kwargs={"tool_call_id": "x"},
            ),
        ],
        tools=[],
    )
    assert "sunny" in str(answer.message.content)


def test_no_tool_call_is_said() -> None:
    llm = LocalMix()
    silent = ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content="no"))
    assert llm.get_tool_calls_from_response(silent, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        llm.get_tool_calls_from_response(silent)


@pytest.mark.parametrize(
    ("said", "kwargs"),
    [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ('{"a": 1, "b', {"a": 1}), ("nonsense", {})],
)
def test_arguments_that_are_still_being_written(said: Any, kwargs: dict[str, Any]) -> None:
    block = ToolCallBlock(tool_name="f", tool_kwargs=said)
    response = ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, blocks=[block]))
    (call,) = LocalMix().get_tool_calls_from_response(response)
    assert call.tool_kwargs == kwargs
    assert call.tool_id == "f"


def test_a_tool_that_must_be_called(start: Any) -> None:
    server = start(stand_ins.lmstudio())
    llm = LocalMix(base_url=server.url)
    for options in ({"tool_required": True}, {"tool_choice": "get_weather"}):
        llm.chat_with_tools([WEATHER], "hello", **options)
        body = server.last("POST /v1/chat/completions").json
        assert body["tool_choice"] == "required"
        assert body["tools"][0]["function"]["name"] == "get_weather"


def test_embedding(engine_alone: None) -> None:
    model = LocalMixEmbedding(model="localmix-tiny-embed")
    assert model.model_name == "localmix-tiny-embed"
    assert LocalMixEmbedding().model_name == "unknown"
    texts = ["river", "lamp"]
    vectors = model.get_text_embedding_batch(texts)
    assert [len(vector) for vector in vectors] == [96, 96]
    lamp = pytest.approx(vectors[1], abs=1e-5)
    assert model.get_text_embedding("lamp") == lamp
    assert model.get_query_embedding("lamp") == lamp

    async def main() -> list[Any]:
        return [
            (await model.aget_text_embedding_batch(texts))[1],
            await model.aget_text_embedding("lamp"),
            await model.aget_query_embedding("lamp"),
        ]

    for vector in asyncio.run(main()):
        assert vector == lamp
