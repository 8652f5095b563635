"""Values as people and other libraries write them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from localmix import ChatRequest, Image, Message, Tool
from localmix.errors import ConfigError
from localmix.types import EmbedRequest
from localmix.types.build import chat_request


def asked(**options: Any) -> ChatRequest:
    return chat_request("Hello", options)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("-1m", -60), ("-1", -1), ("0", 0), (7, 7)],
)
def test_durations(written: Any, seconds: float) -> None:
    assert asked(keep_alive=written).keep_alive == seconds
    assert EmbedRequest(texts=("a",), keep_alive=written).keep_alive == seconds


@pytest.mark.parametrize("written", ["", "-", "soon", "5 minutes", "5m!", True])
def test_what_is_no_duration(written: Any) -> None:
    with pytest.raises(ConfigError, match="keep_alive"):
        asked(keep_alive=written)


@pytest.mark.parametrize("written", [-1, -2, None])
def test_as_many_tokens_as_there_is_room_for(written: Any) -> None:
    assert asked(max_tokens=written).max_tokens is None


@pytest.mark.parametrize("written", [0, -3, True, 1.5, "5"])
def test_what_is_no_number_of_tokens(written: Any) -> None:
    with pytest.raises(ConfigError, match="max_tokens"):
        asked(max_tokens=written)


@pytest.mark.parametrize(
    ("written", "stops"), [(None, ()), ("a", ("a",)), (["a", "b"], ("a", "b")), ((), ())]
)
def test_stops(written: Any, stops: tuple[str, ...]) -> None:
    assert asked(stop=written).stop == stops


@pytest.mark.parametrize(
    ("written", "think"),
    [
        (None, None),
        (True, True),
        ("none", False),
        ("off", False),
        ("minimal", "low"),
        ("Low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "max"),
        ("on", True),
        ({"effort": "high", "summary": "auto"}, "high"),
        ({"type": "enabled", "budget_tokens": 1024}, True),
        ({"type": "disabled"}, False),
        ({"enabled": False}, False),
        ({"effort": None, "summary": "auto"}, None),
    ],
)
def test_levels_of_thinking(written: Any, think: Any) -> None:
    assert asked(think=written).think == think


class Person(BaseModel):
    name: str


SCHEMA = Person.model_json_schema()


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("json", "json"),
        ("", None),
        (SCHEMA, SCHEMA),
        ({}, {}),
        (Person, SCHEMA),
        ({"type": "json_object"}, "json"),
        ({"type": "text"}, None),
        ({"type": "json_schema", "json_schema": {"name": "P", "schema": SCHEMA}}, SCHEMA),
        ({"type": "json_schema", "name": "P", "schema": SCHEMA}, SCHEMA),
    ],
)
def test_forms_of_answers(written: Any, form: Any) -> None:
    assert asked(response_format=written).response_format == form


@pytest.mark.parametrize("written", ["xml", int, {"type": "json_schema"}, 3])
def test_what_is_no_form(written: Any) -> None:
    with pytest.raises(ConfigError, match="response_format"):
        asked(response_format=written)


@pytest.mark.parametrize("written", ["turbo", {"effort": "turbo"}, {"max_tokens": 9}, 3])
def test_what_is_no_level(written: Any) -> None:
    with pytest.raises(ConfigError, match="think"):
        asked(think=written)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Message(role="robot"), "Wrong role"),  # type: ignore[arg-type]
        (lambda: Message(role="tool", content="7"), "tool_call_id"),
        (lambda: Message(role="user", contents="x"), "Did you mean content?"),  # type: ignore[call-arg]
        (lambda: Image(data=b"x", media_type="text/html"), "media_type"),
        (lambda: Tool(name=""), "name"),
    ],
)
def test_every_mistake_is_an_error_of_ours(make: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")) as caught:
        make()
    assert isinstance(caught.value, ValueError)


def test_options_over_a_request_are_checked_too() -> None:
    request = asked(temperature=0.5)
    assert chat_request(request, {"max_tokens": -1, "seed": 1}).seed == 1
    with pytest.raises(ConfigError, match="Did you mean temperature"):
        chat_request(request, {"temprature": 1})


def test_texts_around_an_image_stay_apart() -> None:
    picture = Image(data=b"x")
    assert Message(role="user", content=("One.", picture, "Two.")).text == "One.\nTwo."
    assert Message(role="user", content=("One.\n", picture, "Two.")).text == "One.\nTwo."
