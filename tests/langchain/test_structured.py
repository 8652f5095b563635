"""Structured output from models that do not do as they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypedDict

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from pydantic import BaseModel
from pydantic.v1 import BaseModel as BaseModelV1

from langchain_localmix import ChatLocalMix
from localmix.errors import UnusableAnswerError
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, ndjson, whole


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


class PersonV1(BaseModelV1):
    """Somebody."""

    name: str
    age: int


class PersonDict(TypedDict):
    """Somebody."""

    name: str
    age: int


ANN: dict[str, Any] = {"name": "Ann", "age": 7}
JSON = json.dumps(ANN)
Reply = dict[str, Any]


def says(content: str = "", *, done: str = "stop", **message: Any) -> Reply:
    return {"message": {"content": content, **message}, "done_reason": done}


def calls(arguments: Any) -> Reply:
    """Call as an Ollama does that is held to a call by a schema, for it knows no tool_choice."""
    return says(json.dumps({"name": "Person", "parameters": arguments}))


def scripted(*replies: Reply) -> LoopbackServer:
    """Be an Ollama that gives one answer after another, streamed in single letters if asked."""
    rest = iter(replies)

    def reply(exchange: Exchange) -> None:
        said = next(rest)
        if not exchange.json["stream"]:
            whole({**stand_ins.OLLAMA_DONE, **said})(exchange)
            return
        message = said["message"]
        letters = [stand_ins.ollama_says(content=letter) for letter in message["content"]]
        others = {name: value for name, value in message.items() if name != "content"}
        end = {**stand_ins.OLLAMA_DONE, "done_reason": said["done_reason"]}
        ndjson(*letters, stand_ins.ollama_says(**others), end)(exchange)

    return stand_ins.ollama(POST__api_chat=reply)


Ask = Callable[[Any, Any], Any]


async def _last_async(runnable: Any, asked: Any) -> Any:
    return [value async for value in runnable.astream(asked)][-1]


ASKS: dict[str, Ask] = {
    "invoke": lambda runnable, asked: runnable.invoke(asked),
    "ainvoke": lambda runnable, asked: asyncio.run(runnable.ainvoke(asked)),
    "stream": lambda runnable, asked: list(runnable.stream(asked))[-1],
    "astream": lambda runnable, asked: asyncio.run(_last_async(runnable, asked)),
    "batch": lambda runnable, asked: runnable.batch([asked])[0],
}


@pytest.fixture(params=ASKS)
def ask(request: pytest.FixtureRequest) -> Ask:
    return ASKS[request.param]


@pytest.mark.parametrize(
    "said",
    [
        JSON,
        f"```json\n{JSON}\n```",
        f"Here you are: {JSON} Do you need more?",
        f"<think>A name and an age.</think>{JSON}",
    ],
)
def test_what_surrounds_the_json_does_no_harm(start: Any, ask: Ask, said: str) -> None:
    model = ChatLocalMix(base_url=start(scripted(says(said))).url)
    assert ask(model.with_structured_output(Person), "Who?") == Person(**ANN)


def test_json_among_the_thoughts(start: Any, ask: Ask) -> None:
    model = ChatLocalMix(base_url=start(scripted(says(thinking=JSON))).url)
    assert ask(model.with_structured_output(PersonDict), "Who?") == ANN


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (says("I would say Ann."), "there is no JSON in it"),
        (says(""), "there is no JSON in it"),
        (says('{"name": "Ann"}'), "age"),
    ],
)
def test_a_model_is_asked_once_more(start: Any, ask: Ask, bad: Reply, told: str) -> None:
    server = start(scripted(bad, says(JSON)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person)
    assert ask(structured, "Who?") == Person(**ANN)
    *_, question, answer, correction = server.last("POST /api/chat").json["messages"]
    assert question["content"] == "Who?"
    assert answer["content"] == bad["message"]["content"]
    assert told in correction["content"]
    assert "'age'" in correction["content"] or '"age"' in correction["content"]


def test_a_model_is_asked_once_more_and_then_no_more(start: Any, ask: Ask) -> None:
    server = start(scripted(says("No."), says("Never.")))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person)
    with pytest.raises(OutputParserException, match="no JSON") as caught:
        ask(structured, "Who?")
    assert caught.value.llm_output == "Never."
    assert isinstance(caught.value, UnusableAnswerError)
    assert server.count("POST /api/chat") == 2


def test_what_was_cut_is_not_asked_for_again(start: Any, ask: Ask) -> None:
    server = start(scripted(says(JSON[:10], done="length")))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person)
    with pytest.raises(UnusableAnswerError, match="max_tokens"):
        ask(structured, "Who?")
    assert server.count("POST /api/chat") == 1


def test_the_raw_message_beside_the_value(start: Any, ask: Ask) -> None:
    server = start(scripted(says(JSON), says("No."), says("Never.")))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person, include_raw=True)
    good, bad = ask(structured, "Who?"), ask(structured, "Who?")
    assert (good["parsed"], good["parsing_error"], good["raw"].text) == (Person(**ANN), None, JSON)
    assert (bad["parsed"], bad["raw"].text) == (None, "Never.")
    assert isinstance(bad["parsing_error"], UnusableAnswerError)


def test_the_raw_message_counts_both_requests(start: Any, ask: Ask) -> None:
    server = start(scripted(says("No."), says(JSON)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person, include_raw=True)
    raw = ask(structured, "Who?")["raw"]
    assert raw.usage_metadata["input_tokens"] == 2 * 19
    assert raw.usage_metadata["output_tokens"] == 2 * 26
    (earlier,) = raw.response_metadata["route"]["earlier"]
    assert earlier["server"] == server.url


@pytest.mark.parametrize(
    ("schema", "name"),
    [(Person, "Person"), (PersonDict, "PersonDict"), ({"type": "object"}, "JSON")],
)
def test_it_is_named_after_what_it_gives(start: Any, schema: Any, name: str) -> None:
    model = ChatLocalMix(base_url=start(scripted(says(JSON))).url, tags=["mine"])
    structured = model.with_structured_output(schema).with_config(tags=["ours"])
    assert model.with_structured_output(schema).name == name
    runs: Any = RunCollectorCallbackHandler()
    structured.invoke("Who?", {"callbacks": [runs], "tags": ["yours"], "metadata": {"x": 1}})
    (run,) = runs.traced_runs
    assert run.name == name
    assert {"ours", "yours"} <= set(run.tags)
    (asked,) = run.child_runs
    assert {"ours", "yours", "mine"} <= set(asked.tags)
    assert asked.metadata["x"] == 1


def test_by_a_tool(start: Any, ask: Ask) -> None:
    model = ChatLocalMix(base_url=start(scripted(calls(ANN))).url)
    structured = model.with_structured_output(Person, method="function_calling")
    assert ask(structured, "Who?") == Person(**ANN)


def test_a_call_that_was_cut(start: Any, ask: Ask) -> None:
    cut = calls(ANN)
    cut["message"]["content"] = cut["message"]["content"][:30]
    server = start(scripted(*[{**cut, "done_reason": "length"}] * 2))
    model = ChatLocalMix(base_url=server.url)
    with pytest.raises(UnusableAnswerError, match="max_tokens") as caught:
        ask(model.with_structured_output(Person, method="function_calling"), "Who?")
    assert isinstance(caught.value, OutputParserException)
    structured = model.with_structured_output(Person, method="function_calling", include_raw=True)
    told = ask(structured, "Who?")
    assert told["parsed"] is None
    assert "max_tokens" in str(told["parsing_error"])
    assert isinstance(told["raw"], AIMessage)


def test_a_tool_that_is_not_called_is_asked_for_once_more(start: Any, ask: Ask) -> None:
    server = start(scripted(says("I would say Ann."), calls(ANN)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(
        Person, method="function_calling"
    )
    assert ask(structured, "Who?") == Person(**ANN)
    assert "not called" in server.last("POST /api/chat").json["messages"][-1]["content"]


def test_broken_arguments_are_read_as_far_as_they_can_be(start: Any, ask: Ask) -> None:
    """An LM Studio writes calls itself, and models put fences around arguments too."""
    function = {"name": "Person", "arguments": f"```json\n{JSON}\n```"}
    call = {"index": 0, "id": "1", "type": "function", "function": function}
    choice = {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    frames = [stand_ins.openai_says(tool_calls=[call]), stand_ins.openai_says("tool_calls")]
    streamed = events(*frames, stand_ins.OPENAI_USAGE, b"[DONE]")
    reply = stand_ins.either_way(streamed, whole({"model": "tiny", "choices": [choice]}))
    model = ChatLocalMix(base_url=start(stand_ins.lmstudio(POST__v1_chat_completions=reply)).url)
    structured = model.with_structured_output(Person, method="function_calling")
    assert ask(structured, "Who?") == Person(**ANN)


def test_a_call_that_does_not_fit_is_answered_as_a_tool_would(start: Any, ask: Ask) -> None:
    server = start(scripted(calls({"name": "Ann"}), calls(ANN)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(
        Person, method="function_calling"
    )
    assert ask(structured, "Who?") == Person(**ANN)
    *_, called, result = server.last("POST /api/chat").json["messages"]
    assert called["tool_calls"][0]["function"]["name"] == "Person"
    assert result["role"] == "tool"
    assert "age" in result["content"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (Person, Person(**ANN)),
        (PersonV1, PersonV1(**ANN)),
        (PersonDict, ANN),
        (Person.model_json_schema(), ANN),
        ({**Person.model_json_schema(), "title": ""}, ANN),
        (
            {"name": "Person", "description": "", "parameters": Person.model_json_schema()},
            ANN,
        ),
    ],
)
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_schemas_in_any_form(start: Any, schema: Any, value: Any, method: Any) -> None:
    server = start(scripted(says(JSON)))
    model = ChatLocalMix(base_url=server.url)
    assert model.with_structured_output(schema, method=method).invoke("Who?") == value
    sent = server.last("POST /api/chat").json["format"]
    assert sent == "json" if method == "json_mode" else set(sent["properties"]) == {"name", "age"}


@pytest.mark.parametrize("schema", [PersonDict, Person.model_json_schema()])
@pytest.mark.parametrize("bad", ['{"name": "Ann"}', "[]"])
def test_what_lacks_a_field_is_asked_for_once_more(start: Any, schema: Any, bad: str) -> None:
    server = start(scripted(says(bad), says(JSON)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(schema)
    assert structured.invoke("Who?") == ANN
    assert "it lacks" in server.last("POST /api/chat").json["messages"][-1]["content"]


def test_strict_schemas_take_nothing_else(start: Any) -> None:
    server = start(scripted(says(JSON)))
    ChatLocalMix(base_url=server.url).with_structured_output(PersonDict, strict=True).invoke("Who?")
    assert server.last("POST /api/chat").json["format"]["additionalProperties"] is False


def test_json_mode_needs_no_schema(start: Any) -> None:
    server = start(scripted(says("Hm."), says("[1, 2]")))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(method="json_mode")
    assert structured.invoke("Which?") == [1, 2]


def test_a_value_is_seen_growing(start: Any) -> None:
    model = ChatLocalMix(base_url=start(scripted(says(JSON))).url)
    values = list(model.with_structured_output(PersonDict).stream("Who?"))
    assert values[0] == {}
    assert {"name": "An"} in values
    assert values[-1] == ANN
    assert all(one != other for one, other in pairwise(values))


def test_a_value_by_a_tool_is_seen_growing(start: Any) -> None:
    server = start(scripted(calls(ANN)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(
        PersonDict, method="function_calling"
    )
    assert list(structured.stream("Who?"))[-1] == ANN


def test_in_a_chain(start: Any) -> None:
    server = start(scripted(says("Hm."), says(JSON)))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person)
    chain = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{who}?")])
    assert (chain | structured).invoke({"who": "Who"}) == Person(**ANN)
    roles = [each["role"] for each in server.last("POST /api/chat").json["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"schema": None}, "needs a schema"),
        ({"schema": Person, "method": "magic"}, "'magic' is not"),
        ({"schema": Person, "strcit": True}, "strcit"),
    ],
)
def test_wrong_arguments(arguments: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ChatLocalMix().with_structured_output(**arguments)
