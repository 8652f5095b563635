"""Tools as people write them, and what becomes of a call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from localmix import ChatRequest, Message, Tool
from localmix.errors import ConfigError
from localmix.types.functions import Function

HELLO = (Message(role="user", content="hello"),)


def get_weather(city: str, days: int = 1, *, units: str = "C") -> dict[str, Any]:
    """Tell the weather.

    It is a forecast.

    Args:
        city: Its name,
            in English.
        days (int): How far to look.

    Returns:
        Nothing of interest.
    """
    return {"city": city, "days": days, "units": units}


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def offered(*tools: Any) -> tuple[Tool, ...]:
    return ChatRequest(messages=HELLO, tools=tools).tools


def test_a_function_is_described_by_its_signature_and_docstring() -> None:
    (tool,) = offered(get_weather)
    assert tool.name == "get_weather"
    assert tool.description == "Tell the weather.\n\nIt is a forecast."
    properties = tool.parameters["properties"]
    assert properties["city"]["description"] == "Its name, in English."
    assert properties["days"] | {"title": ""} == {
        "type": "integer",
        "default": 1,
        "title": "",
        "description": "How far to look.",
    }
    assert "description" not in properties["units"]
    assert tool.parameters["required"] == ["city"]


def test_every_form_of_a_tool_means_the_same() -> None:
    (tool,) = offered(get_weather)
    wire = {"type": "function", "function": tool.model_dump() | {"strict": True}}
    assert offered(get_weather, tool, wire) == (tool,) * 3
    (person,) = offered(Person)
    assert (person.name, person.description) == ("Person", "Somebody.")
    assert person.parameters["required"] == ["name", "age"]
    assert ChatRequest(messages=HELLO, tools=None).tools == ()


class Odd:
    """Something that JSON cannot say."""


def of_odd(thing: Odd) -> None: ...
def of_unknown(thing: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def of_many(*things: str) -> None: ...


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("get_weather", "'get_weather' is not a tool"),
        (3, "3 is not a tool"),
        (Odd, "is not a tool"),
        ({"type": "web_search"}, "exists only in a cloud"),
        (lambda: None, "has no name that a model could call"),
        (of_odd, "of_odd cannot be offered as a tool"),
        (of_unknown, "of_unknown cannot be offered as a tool"),
        (of_many, "nobody can name things"),
    ],
)
def test_what_is_no_tool_is_refused(wrong: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        offered(wrong)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (True, "required"),
        (None, "auto"),
        ("get_weather", "get_weather"),
        ({"type": "function", "function": {"name": "get_weather"}}, "get_weather"),
    ],
)
def test_a_choice_as_other_apis_write_it(choice: Any, said: str) -> None:
    given: Any = {"tools": [get_weather], "tool_choice": choice}
    assert ChatRequest(messages=HELLO, **given).tool_choice == said


def failing(kind: str) -> Any:
    """Fail."""
    raise RuntimeError(f"no {kind}")


def person(name: str) -> Any:
    """Find somebody."""
    return Person(name=name, age=3)


CALLS: list[tuple[Any, dict[str, Any], str]] = [
    (get_weather, {"city": "Rome", "days": "2"}, '{"city":"Rome","days":2,"units":"C"}'),
    (get_weather, {"days": "x"}, "Error: city: Missing required argument; days: Input should be"),
    (get_weather, {"city": "Rome", "when": 1}, "Error: when: Unexpected keyword argument"),
    (failing, {"kind": "luck"}, "Error: RuntimeError: no luck"),
    (person, {"name": "Ada"}, '{"name":"Ada","age":3}'),
]


@pytest.mark.parametrize(("function", "arguments", "told"), CALLS)
def test_the_model_reads_what_became_of_its_call(
    function: Any, arguments: dict[str, Any], told: str
) -> None:
    assert Function(function).bound(lambda: arguments)().startswith(told)

    async def later(**given: Any) -> Any:
        return function(**given)

    later.__signature__ = __import__("inspect").signature(function)  # type: ignore[attr-defined]
    later.__annotations__ = function.__annotations__
    assert asyncio.run(Function(later).bound(lambda: arguments)()).startswith(told)


def test_the_schema_of_a_class_knows_its_class_wherever_it_goes() -> None:
    request = ChatRequest(messages=HELLO, response_format=Person)
    again = ChatRequest(**dict(request))
    assert request.response_format == Person.model_json_schema()
    forms: list[Any] = [request.response_format, again.response_format]
    assert [each.form for each in forms] == [Person, Person]
