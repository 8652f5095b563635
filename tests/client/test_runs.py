"""Conversations with tools that run to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from localmix import AsyncClient, ChatRequest, ChatResult, Client, Tool, ToolCall
from localmix.errors import ConfigError, TurnLimitError
from localmix.generating.runs import Run
from localmix.types.build import chat_request
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, Reply, whole

Say = dict[str, Any]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def fail() -> None:
    """Do nothing good."""
    raise LookupError("nothing is there")


async def wait() -> str:
    """Wait for it."""
    return "waited"


class Person(BaseModel):
    """Somebody."""

    name: str


def calling(name: str, **arguments: Any) -> Say:
    return {"tool_calls": [{"function": {"name": name, "arguments": arguments}}]}


def saying(content: str) -> Say:
    return {"content": content}


def model(*turns: Say) -> Reply:
    """Be a model that says one thing after the other, and the last for ever."""
    left = list(turns)

    def reply(exchange: Exchange) -> None:
        said = left.pop(0) if len(left) > 1 else left[0]
        message = {"role": "assistant", "content": "", **said}
        whole(stand_ins.OLLAMA_DONE | {"message": message})(exchange)

    return reply


def told(server: Any) -> list[str]:
    """List what the model was told of its calls."""
    messages = server.last("POST /api/chat").json["messages"]
    return [each["content"] for each in messages if each["role"] == "tool"]


@pytest.fixture
def saying_server(start: Any) -> Callable[..., Any]:
    return lambda *turns: start(stand_ins.ollama(POST__api_chat=model(*turns)))


def test_what_the_model_calls_is_called(either: MakeEither, saying_server: Any) -> None:
    server = saying_server(calling("add", a=2, b=3), saying("It is 5."))
    result = either(server.url).run("What is 2 + 3?", [add], model="tiny")
    assert result.content == "It is 5."
    assert told(server) == ["5"]
    assert [each.role for each in result.messages] == ["user", "assistant", "tool", "assistant"]
    assert result.messages[2].tool_call_id == result.messages[1].tool_calls[0].id
    assert result.usage
    assert result.usage.input_tokens == 2 * int(str(stand_ins.OLLAMA_DONE["prompt_eval_count"]))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (calling("fail"), "LookupError: nothing is there"),
        (calling("add", a="two", b=3), "a: Input should be a valid integer"),
        (calling("subtract"), "there is no tool subtract. There are: add, fail"),
    ],
)
def test_what_goes_wrong_is_told_to_the_model(
    either: MakeEither, saying_server: Any, call: Say, expected: str
) -> None:
    server = saying_server(call, saying("I see."))
    assert either(server.url).run("Go.", [add, fail], model="tiny").content == "I see."
    (text,) = told(server)
    assert text.startswith("Error: ")
    assert expected in text


def test_a_run_is_bounded(either: MakeEither, saying_server: Any) -> None:
    server = saying_server(calling("add", a=2, b=3))
    with pytest.raises(TurnLimitError, match="after 3 turns") as caught:
        either(server.url).run("Go.", [add], model="tiny", max_turns=3)
    assert server.count("POST /api/chat") == 3
    assert caught.value.partial.messages[-1].tool_calls


def test_the_answer_may_have_a_form(either: MakeEither, saying_server: Any) -> None:
    server = saying_server(calling("add", a=2, b=3), saying("Ada"), saying('{"name": "Ada"}'))
    result = either(server.url).run("Who?", [add], model="tiny", response_format=Person)
    assert result.parsed == Person(name="Ada")


@pytest.mark.parametrize("choice", ["required", "add"])
def test_a_call_is_required_once(choice: str) -> None:
    request = chat_request("hello", {"tools": [add], "tool_choice": choice})
    steps = Run.of(request, [add], 2).steps()
    assert next(steps) == request
    assert steps.send(ChatResult(tool_calls=(ToolCall(name="add", id="1"),)))
    following = steps.send(["5"])
    assert isinstance(following, ChatRequest)
    assert following.tool_choice == "auto"


def test_a_run_stays_with_the_model_that_began_it(either: MakeEither, saying_server: Any) -> None:
    server = saying_server(calling("add", a=2, b=3), saying("It is 5."))
    result = either(server.url).run("Go.", [add])
    assert result.route
    assert server.last("POST /api/chat").json["model"] == result.route.model


class TestFunctionsThatAreAwaited:
    def test_an_async_client_awaits_them(self, saying_server: Any) -> None:
        server = saying_server(calling("wait"), saying("Done."))

        async def run() -> str:
            async with AsyncClient(server.url) as client:
                return str(await client.run("Go.", [wait, add], model="tiny"))

        assert asyncio.run(run()) == "Done."
        assert told(server) == ["waited"]

    def test_a_client_says_that_it_cannot(self) -> None:
        with pytest.raises(ConfigError, match="AsyncClient"):
            Client("http://127.0.0.1:1").run("Go.", [wait])


@pytest.mark.parametrize("tools", [[Person], [Tool(name="add")], [add, add]])
def test_what_cannot_be_called_is_refused_before_anything_is_sent(tools: Any) -> None:
    with pytest.raises(ConfigError):
        Client("http://127.0.0.1:1").run("Go.", tools)


def test_a_run_needs_a_turn() -> None:
    with pytest.raises(ConfigError, match="max_turns"):
        Client("http://127.0.0.1:1").run("Go.", [add], max_turns=0)
