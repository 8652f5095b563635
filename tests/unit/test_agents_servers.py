"""The agents' dialects from the server's end: what cannot be right is refused, the rest is read."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.dialects.anthropic.server import AnthropicServer
from localmix.dialects.anthropic.writer import write_error
from localmix.dialects.asking import Asked
from localmix.dialects.parts.counting import Yardstick
from localmix.dialects.responses.server import ResponsesServer
from localmix.dialects.serving import Failure
from localmix.errors import ConfigError
from localmix.types import ChatRequest, Image, Message, Usage

USER = [{"role": "user", "content": "Hi"}]
ADD = {"name": "add", "input_schema": {"type": "object", "properties": {}}}
BOTH = [ADD, {"name": "now"}]


def message(**said: Any) -> ChatRequest:
    asked = Asked({"model": "tiny", "max_tokens": 9, "messages": USER, **said})
    wanted = AnthropicServer().read("/v1/messages", asked).wanted
    assert isinstance(wanted, ChatRequest)
    return wanted


def response(**said: Any) -> ChatRequest:
    asked = Asked({"model": "tiny", "input": "Hi", **said})
    wanted = ResponsesServer().read("/v1/responses", asked).wanted
    assert isinstance(wanted, ChatRequest)
    return wanted


def user(*content: Any) -> list[Any]:
    return [{"role": "user", "content": list(content)}]


@pytest.mark.parametrize(
    "said",
    [
        {"model": None},
        {"messages": []},
        {"messages": "Hi"},
        {"messages": [{"role": "oracle", "content": "x"}]},
        {"messages": user({"type": "audio"})},
        {"messages": user({"type": "document", "source": {"type": "base64"}})},
        {"messages": user({"type": "image", "source": {"type": "url", "url": "http://10.0.0.1"}})},
        {"messages": [*USER, {"role": "assistant", "content": [{"type": "image"}]}]},
        {"max_tokens": 0},
        {"temperature": "hot"},
        {"tools": [{"input_schema": {}}]},
        {"tools": BOTH, "tool_choice": {"type": "all"}},
        {"thinking": {"type": "perhaps"}},
        {"stop_sequences": [7]},
    ],
)
def test_messages_that_cannot_be_right(said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        message(**said)


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "now"}, "now"),
        ({"type": "tool", "name": "web_search"}, "auto"),
    ],
)
def test_choices_of_tools(choice: dict[str, str], read: str) -> None:
    assert message(tools=BOTH, tool_choice=choice).tool_choice == read


@pytest.mark.parametrize(
    ("said", "think"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "high"),
        ({"output_config": {"effort": "high"}}, None),
    ],
)
def test_how_much_to_think(said: dict[str, Any], think: Any) -> None:
    assert message(**said).think == think


def test_what_only_anthropic_can_have_made_says_nothing() -> None:
    blocks = [
        {"type": "redacted_thinking", "data": "x"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "It rains."},
    ]
    said = message(messages=[*USER, {"role": "assistant", "content": blocks}, *USER])
    assert said.messages[1] == Message(role="assistant", content="It rains.")


def test_a_form_of_the_answer() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    form = {"type": "json_schema", "schema": schema}
    assert message(output_config={"format": form}).response_format == schema
    assert response(text={"format": {"name": "x", **form}}).response_format == schema
    assert response(text={"format": {"type": "json_object"}}).response_format == "json"
    assert response(text={"format": {"type": "text"}}).response_format is None


@pytest.mark.parametrize(
    "said",
    [
        {"model": None},
        {"input": None},
        {"input": []},
        {"input": [{"role": "oracle", "content": "x"}]},
        {"input": user({"type": "input_audio"})},
        {"input": user({"type": "input_image", "image_url": "http://10.0.0.1/x.png"})},
        {"input": user({"type": "input_image", "file_id": "f"})},
        {"tools": [{"type": "function"}]},
        {"text": {"format": {"type": "grammar"}}},
        {"reasoning": {"effort": "extreme"}},
        {"temperature": "hot"},
    ],
)
def test_responses_that_cannot_be_right(said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        response(**said)


def test_turns_of_a_model_begin_anew_after_its_calls() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "add", "arguments": "{}"}
    said = response(
        input=[
            *USER,
            {
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "A"}],
            },
            call,
            {"type": "function_call_output", "call_id": "c", "output": "1"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "B"}]},
            {"role": "assistant", "content": "Then."},
            *USER,
        ]
    )
    _, first, result, second, _ = said.messages
    assert (first.reasoning, [each.name for each in first.tool_calls]) == ("A", ["add"])
    assert (result.role, result.tool_name) == ("tool", "add")
    assert (second.reasoning, second.content) == ("B", "Then.")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure(400, "x"), "invalid_request_error"),
        (Failure(401, "x"), "authentication_error"),
        (Failure(403, "x"), "permission_error"),
        (Failure(404, "x", missing="tiny"), "not_found_error"),
        (Failure(413, "x"), "request_too_large"),
        (Failure(415, "x"), "invalid_request_error"),
        (Failure(429, "x"), "rate_limit_error"),
        (Failure(502, "x"), "api_error"),
        (Failure(503, "x"), "overloaded_error"),
    ],
)
def test_errors_by_anthropics_words(failure: Failure, kind: str) -> None:
    assert f'"type":"{kind}"'.encode() in write_error(failure)


# Counting


def chat(text: str, *images: Image, model: str = "tiny") -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=(text, *images)),), model=model)


def test_of_what_was_learned_lately_the_most_counts() -> None:
    yardstick, long = Yardstick(), chat("x" * 1000)
    for tokens in (400, 700, 10):
        yardstick.learn(long, Usage(tokens, 1))
    assert yardstick.count(long) == 700
    assert yardstick.count(chat("x" * 1000, model="other")) == 334
    for _ in range(8):
        yardstick.learn(long, Usage(200, 1))
    assert yardstick.count(long) == 200


def test_short_prompts_and_images_teach_nothing() -> None:
    yardstick, image = Yardstick(), Image(data=b"\x89PNG")
    yardstick.learn(chat("Hi"), Usage(40, 1))
    yardstick.learn(chat("x" * 1000, image), Usage(900, 1))
    assert yardstick.count(chat("x" * 1000)) == 334
    assert yardstick.count(chat("x" * 1000, image)) == 334 + 1600
    assert yardstick.count(chat("x", image), told=7) == 1607
