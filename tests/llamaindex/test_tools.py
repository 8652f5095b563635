"""Tools, choices and calls, on the wire of both kinds and back."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, ToolCallBlock
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, Field

from llamaindex_localmix import LocalMix
from llamaindex_localmix._tools import calls_in, to_tools
from localmix import Tool
from localmix.errors import ConfigError
from localmix.types.tools import to_tool_choice
from tests.llamaindex.scripted import Turn, sent


class Unit(StrEnum):
    C = "celsius"
    F = "fahrenheit"


class Place(BaseModel):
    """A place on a map."""

    city: str = Field(description="Its name.", max_length=40)
    country: str | None = None


class Question(BaseModel):
    place: Place
    unit: Unit = Unit.C
    days: int = 1


def get_weather(place: Any, unit: Any, days: Any) -> str:
    """Get the weather."""
    return f"sunny for {days}"


def get_time() -> str:
    """Get the time."""
    return "12:30"


WEATHER, TIME = (
    FunctionTool.from_defaults(get_weather, fn_schema=Question),
    FunctionTool.from_defaults(get_time),
)
CALLS: Any = (("id1", "get_time", {}), ("id2", "get_time", {}))


def answer(*blocks: Any, **kwargs: Any) -> ChatResponse:
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=list(blocks), additional_kwargs=kwargs)
    return ChatResponse(message=message)


def test_a_nested_schema_reaches_the_model_whole(script: Any, kind: str) -> None:
    """Peer defect 11: a parameter behind a `$ref` became `{}`, defaults and limits were lost."""
    server = script(Turn("Hi."))
    LocalMix(base_url=server.url).chat_with_tools([WEATHER], "hello")
    (tool,) = sent(server)[0]["tools"]
    assert (tool["type"], tool["function"]["name"]) == ("function", "get_weather")
    schema = tool["function"]["parameters"]
    text = json.dumps(schema)
    for part in ("celsius", "fahrenheit", '"default": 1', '"maxLength": 40', "Its name.", "null"):
        assert part in text
    assert schema["required"] == ["place"]
    if kind == "ollama":  # it does not follow references
        assert schema["properties"]["place"]["properties"]["city"]["type"] == "string"


def test_tools_in_every_form() -> None:
    ours = Tool(name="get_time", description="Get the time.")
    plain = {"type": "function", "function": ours.model_dump() | {"strict": True}}
    assert to_tools([ours, plain]) == [ours, ours]
    (read,) = to_tools([TIME])
    assert (read.name, read.parameters["type"]) == ("get_time", "object")
    assert to_tools(None) == []
    for wrong in ("get_time", {"name": "get_time"}, {"type": "function", "function": {}}):
        with pytest.raises(ConfigError, match="is not a tool"):
            to_tools([wrong])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        (True, "required"),
        ({"type": "function", "function": {"name": "f"}}, "f"),
        ("f", "f"),
    ],
)
def test_choices_in_every_form(choice: Any, said: str) -> None:
    assert to_tool_choice(choice) == said


def test_a_choice_that_is_none() -> None:
    with pytest.raises(ConfigError, match="is not a tool_choice"):
        to_tool_choice({"type": "function"})


@pytest.mark.parametrize(
    "options", [{"tool_required": True}, {"tool_choice": "get_time"}, {"tool_choice": "any"}]
)
def test_a_tool_that_must_be_called(script: Any, kind: str, options: Any) -> None:
    """Peer defects 12 and 24: the choice was ignored, or sent as an object, which is a 400."""
    server = script(Turn('{"name": "get_time", "parameters": {}}'), Turn())
    LocalMix(base_url=server.url).chat_with_tools([TIME], "hello", **options)
    body = sent(server)[0]
    if kind == "ollama":
        assert body["format"]["properties"]["name"]["enum"] == ["get_time"]
    else:
        assert body["tool_choice"] == "required"


def test_a_required_tool_gives_way_to_a_choice_that_was_made(script: Any) -> None:
    server = script(Turn("Hi."), Turn("Hi."))
    llm = LocalMix(base_url=server.url)
    llm.chat_with_tools([TIME], "hello", tool_required=True, tool_choice="none")
    llm.chat_with_tools([], "hello", tool_required=True)
    first, second = sent(server)
    assert "format" not in first
    assert first.get("tool_choice", "none") == "none"
    assert "tools" not in second


def test_ids_and_names_are_kept(script: Any, kind: str) -> None:
    """Peer defects 8 and 10: ids were dropped, results came without id and name."""
    server = script(Turn(calls=CALLS), Turn("It is 12:30."))
    llm = LocalMix(base_url=server.url)
    first = llm.chat_with_tools([TIME], "hello", allow_parallel_tool_calls=True)
    selections = llm.get_tool_calls_from_response(first)
    assert [(each.tool_id, each.tool_name) for each in selections] == [
        ("id1", "get_time"),
        ("id2", "get_time"),
    ]
    results = [
        ChatMessage(
            role=MessageRole.TOOL, content="12:30", additional_kwargs={"tool_call_id": each.tool_id}
        )
        for each in selections
    ]
    llm.chat([ChatMessage(content="hello"), first.message, *results])
    wire = sent(server)[1]["messages"]
    assert [call["id"] for call in wire[1]["tool_calls"]] == ["id1", "id2"]  # once, not twice
    name = "tool_name" if kind == "ollama" else "name"
    assert [(each["tool_call_id"], each[name]) for each in wire[2:]] == [
        ("id1", "get_time"),
        ("id2", "get_time"),
    ]


@pytest.mark.parametrize("allowed", [True, False])
def test_parallel_calls_are_bounded_on_every_way(script: Any, allowed: bool) -> None:
    """Core bounds them only where an answer is not streamed."""
    server = script(*[Turn("I call.", calls=CALLS)] * 4)
    llm = LocalMix(base_url=server.url)

    async def main() -> list[ChatResponse]:
        kwargs: Any = {"allow_parallel_tool_calls": allowed}
        whole = await llm.achat_with_tools([TIME], "hello", **kwargs)
        steps = await llm.astream_chat_with_tools([TIME], "hello", **kwargs)
        return [whole, [step async for step in steps][-1]]

    answers = [
        llm.chat_with_tools([TIME], "hello", allow_parallel_tool_calls=allowed),
        list(llm.stream_chat_with_tools([TIME], "hello", allow_parallel_tool_calls=allowed))[-1],
        *asyncio.run(main()),
    ]
    for each in answers:
        ids = [call.tool_id for call in llm.get_tool_calls_from_response(each)]
        assert ids == (["id1", "id2"] if allowed else ["id1"])
        assert len(each.message.additional_kwargs["tool_calls"]) == len(ids)


def test_calls_stand_in_blocks_and_in_the_plain_list(script: Any) -> None:
    """Peer defect 16: core's streaming programs read the plain list alone."""
    server = script(Turn("I call.", calls=CALLS[:1]))
    *_, last = LocalMix(base_url=server.url).stream_chat_with_tools([TIME], "hello")
    (block,) = [b for b in last.message.blocks if isinstance(b, ToolCallBlock)]
    (plain,) = last.message.additional_kwargs["tool_calls"]
    assert plain == {
        "id": "id1",
        "type": "function",
        "function": {"name": "get_time", "arguments": "{}"},
    }
    assert (block.tool_call_id, block.tool_name) == ("id1", "get_time")
    assert calls_in(last.message) == [block]
    json.dumps(last.model_dump())  # agents serialize their history


def test_calls_that_other_integrations_left() -> None:
    class Function(BaseModel):
        name: str
        arguments: str

    class SdkCall(BaseModel):
        id: str
        function: Function

    sdk = SdkCall(id="a", function=Function(name="f", arguments='{"x": 1}'))
    old_ollama = {"function": {"name": "g", "arguments": {"y": 2}}}
    message = answer(tool_calls=[sdk, old_ollama]).message
    read = [(c.tool_call_id, c.tool_name, c.tool_kwargs) for c in calls_in(message)]
    assert read == [("a", "f", '{"x": 1}'), (None, "g", {"y": 2})]
    both = answer(ToolCallBlock(tool_call_id="a", tool_name="f"), tool_calls=[sdk, old_ollama])
    assert [call.tool_call_id for call in calls_in(both.message)] == ["a"]


@pytest.mark.parametrize(
    ("said", "kwargs"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": 1, "b', {"a": 1}),
        ("nonsense", {}),
        ("[1]", {}),
        ("", {}),
    ],
)
def test_arguments_that_are_still_being_written(said: Any, kwargs: dict[str, Any]) -> None:
    response = answer(*[ToolCallBlock(tool_name="f", tool_kwargs=said)] * 2)
    first, second = LocalMix().get_tool_calls_from_response(response)
    assert first.tool_kwargs == kwargs
    assert first.tool_id != second.tool_id


def test_a_call_that_was_cut_does_not_spoil_the_next_turn(script: Any, kind: str) -> None:
    """Ollama refuses broken arguments; what is sent back is what the tool was called with."""
    server = script(Turn("Hi."))
    cut = answer(ToolCallBlock(tool_call_id="a", tool_name="f", tool_kwargs='{"x": 1, "y": "ab'))
    LocalMix(base_url=server.url).chat([ChatMessage(content="hello"), cut.message])
    arguments = sent(server)[0]["messages"][1]["tool_calls"][0]["function"]["arguments"]
    expected = {"x": 1, "y": "ab"}
    assert arguments == (expected if kind == "ollama" else json.dumps(expected))


def test_no_tool_call_is_said() -> None:
    llm, silent = LocalMix(), answer()
    assert llm.get_tool_calls_from_response(silent, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        llm.get_tool_calls_from_response(silent)
