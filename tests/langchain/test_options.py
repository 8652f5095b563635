"""Options at construction and per call, under our names and others'."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings, LocalMixLLM
from localmix import Client
from localmix.errors import ConfigError
from tests import stand_ins
from tests.loopback import ndjson, whole

OTHERS: dict[str, Any] = {
    "reasoning_effort": "low",
    "model_name": "tiny",
    "num_predict": 5,
    "stop_sequences": ["a"],
    "format": "json",
    "keep_alive": "1h30m",
    "extra_body": {"x": 1},
}


def test_names_that_other_integrations_taught(start: Any) -> None:
    server = start(stand_ins.ollama())
    ChatLocalMix(base_url=server.url, **OTHERS).invoke("hello")
    body = server.last("POST /api/chat").json
    ChatLocalMix(base_url=server.url).invoke("hello", **OTHERS)
    assert server.last("POST /api/chat").json == body
    assert body["options"] == {"num_predict": 5, "stop": ["a"]}
    assert (body["format"], body["keep_alive"], body["think"], body["x"]) == (
        "json",
        5400,
        "low",
        1,
    )


@pytest.mark.parametrize(
    ("written", "seconds"), [("5m", 300), ("250ms", 0.25), ("-1m", -60), (300, 300), ("0s", 0)]
)
def test_durations(written: Any, seconds: float) -> None:
    assert LocalMixEmbeddings(keep_alive=written).keep_alive == seconds


@pytest.mark.parametrize("written", ["soon", "5 minutes"])
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="keep_alive"):
        ChatLocalMix(keep_alive=written)


@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM, LocalMixEmbeddings])
def test_misspelt_options_are_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="modle"):
        kind(modle="tiny")
    with pytest.raises(ValueError, match="both given|as well"):
        kind(model="tiny", model_name="other")


def test_the_per_call_options_win_one_by_one(start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    model = ChatLocalMix(base_url=server.url, model="tiny", num_ctx=512, stop=["a"], reasoning=True)
    message = model.invoke("hello", stop=["b"], model="other", temperature=0.1, reasoning=False)
    body = server.last("POST /api/chat").json
    assert body["options"] == {"num_ctx": 512, "temperature": 0.1, "stop": ["b"]}
    assert (body["model"], body["think"]) == ("other:latest", False)
    model.invoke("hello")
    assert server.last("POST /api/chat").json["options"] == {"num_ctx": 512, "stop": ["a"]}
    assert message.response_metadata["model_name"]


class Answer(BaseModel):
    """Answer a question."""

    text: str


SCHEMA = Answer.model_json_schema()


@pytest.mark.parametrize(
    "form",
    [
        Answer,
        SCHEMA,
        {"type": "json_schema", "json_schema": {"name": "Answer", "schema": SCHEMA}},
        {"type": "json_schema", "name": "Answer", "schema": SCHEMA},
        {"name": "Answer", "description": "", "parameters": {"properties": SCHEMA["properties"]}},
    ],
)
def test_a_schema_in_any_form(start: Any, form: Any) -> None:
    server = start(stand_ins.ollama())
    ChatLocalMix(base_url=server.url).bind_tools([], response_format=form).invoke("hello")
    assert server.last("POST /api/chat").json["format"]["properties"]["text"]["type"] == "string"
    ChatLocalMix(base_url=server.url, response_format=form).invoke("hello")
    assert server.last("POST /api/chat").json["format"]["properties"]["text"]["type"] == "string"


def test_an_empty_list_of_tools_is_none(start: Any) -> None:
    server = start(stand_ins.ollama())
    ChatLocalMix(base_url=server.url).bind_tools([], strict=True).invoke("hello")
    assert "tools" not in server.last("POST /api/chat").json


def test_strict_tools_take_nothing_else(start: Any) -> None:
    server = start(stand_ins.ollama())
    ChatLocalMix(base_url=server.url).bind_tools([Answer], strict=True).invoke("hello")
    (tool,) = server.last("POST /api/chat").json["tools"]
    assert tool["function"]["parameters"]["additionalProperties"] is False


def test_one_call_at_a_time(start: Any) -> None:
    """Ollama cannot be told: calls after the first are left out."""
    calls = [{"function": {"name": "Answer", "arguments": {"text": text}}} for text in "ab"]
    done = {**stand_ins.OLLAMA_DONE, "message": {"content": "", "tool_calls": calls}}
    server = start(stand_ins.ollama(POST__api_chat=stand_ins.either_way(ndjson(done), whole(done))))
    model = ChatLocalMix(base_url=server.url)
    for several, count in ((False, 1), (True, 2), (None, 2)):
        bound = model.bind_tools([Answer], parallel_tool_calls=several)
        chunks = list(bound.stream("hello"))
        assert len({each["id"] for chunk in chunks for each in chunk.tool_calls}) == count
        message = bound.invoke("hello")
        assert [call["args"]["text"] for call in message.tool_calls] == ["a", "b"][:count]
        assert message.response_metadata["finish_reason"] == "tool_calls"


def test_an_openai_server_is_told_of_one_call_at_a_time(start: Any) -> None:
    server = start(stand_ins.openai())
    model = ChatLocalMix(base_url=server.url)
    model.bind_tools([Answer], parallel_tool_calls=False).invoke("hello")
    assert server.last("POST /v1/chat/completions").json["parallel_tool_calls"] is False
    model.bind_tools([], parallel_tool_calls=False).invoke("hello")
    assert "parallel_tool_calls" not in server.last("POST /v1/chat/completions").json


def test_a_tool_of_a_cloud_is_refused(start: Any) -> None:
    model = ChatLocalMix(base_url=start(stand_ins.ollama()).url)
    with pytest.raises(ConfigError, match="web_search_preview"):
        model.bind_tools([{"type": "web_search_preview"}]).invoke("hello")


@pytest.mark.parametrize("method", ["bind_tools", "with_structured_output"])
def test_fallbacks_can_read_what_comes_back(method: str) -> None:
    """`with_fallbacks` maps a method over its fallbacks by this annotation alone."""
    returned = get_type_hints(getattr(ChatLocalMix, method))["return"]
    assert issubclass(
        returned.__origin__ if hasattr(returned, "__origin__") else returned, Runnable
    )


def test_a_shared_client(start: Any) -> None:
    server = start(stand_ins.ollama())
    with Client(server.url) as client:
        shared: dict[str, Any] = {"client": client}
        model, llm = ChatLocalMix(**shared), LocalMixLLM(**shared)
        model.invoke("hello")
        assert model.client is llm.client is client
        assert model._identifying_params["servers"] == [server.url]


def test_tokens_are_estimated_without_a_tokenizer() -> None:
    model = ChatLocalMix()
    assert model.get_num_tokens("four letters each") == 5
    assert model.get_num_tokens_from_messages([HumanMessage("hello")], tools=[Answer]) > 20
    counting = ChatLocalMix(custom_get_token_ids=lambda text: list(map(ord, text)))
    assert counting.get_num_tokens("abc") == 3
    assert counting.get_num_tokens_from_messages([HumanMessage("abc")]) == len("Human: abc")
    assert LocalMixLLM().get_num_tokens("") == 0
