"""One conversation with a tool, played in every dialect: the model is told the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import ollama
import openai
import pytest

from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, whole
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
SYSTEM, QUESTION = "Use tools.", "How warm is it in Paris and Rome?"
DESCRIPTION = "Tell the weather."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
DEGREES = {"Paris": "12", "Rome": "19"}
ANSWER = "12 in Paris, 19 in Rome."
# Ollama's client cannot be closed, and leaves its sockets to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("unclosed_clients"),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    ),
]
Calls = list[tuple[str, Any]]


def by_ollama(url: str, *, stream: bool) -> tuple[Calls, str]:
    client = ollama.Client(url)
    function = {"name": "weather", "description": DESCRIPTION, "parameters": SCHEMA}
    asked: Any = {
        "model": "tiny",
        "messages": [_said("system", SYSTEM), _said("user", QUESTION)],
        "tools": [{"type": "function", "function": function}],
    }

    def say() -> Any:
        if not stream:
            return client.chat(**asked).message
        said = ollama.Message(role="assistant", content="", thinking="", tool_calls=[])
        for step in client.chat(**asked, stream=True):
            said.content = (said.content or "") + (step.message.content or "")
            said.thinking = (said.thinking or "") + (step.message.thinking or "")
            said.tool_calls = [*(said.tool_calls or ()), *(step.message.tool_calls or ())]
        return said

    first = say()
    calls = [(call.function.name, dict(call.function.arguments)) for call in first.tool_calls]
    asked["messages"].append(first)
    for name, arguments in calls:
        result = DEGREES[arguments["city"]]
        asked["messages"].append({"role": "tool", "content": result, "tool_name": name})
    return calls, str(say().content)


def by_chats(url: str, *, stream: bool) -> tuple[Calls, str]:
    function = {"name": "weather", "description": DESCRIPTION, "parameters": SCHEMA}
    asked: Any = {
        "model": "tiny",
        "messages": [_said("system", SYSTEM), _said("user", QUESTION)],
        "tools": [{"type": "function", "function": function}],
    }
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:

        def say() -> Any:
            if not stream:
                return client.chat.completions.create(**asked).choices[0].message
            with client.chat.completions.stream(**asked) as answer:
                return answer.get_final_completion().choices[0].message

        first = say()
        calls = [(x.function.name, json.loads(x.function.arguments)) for x in first.tool_calls]
        asked["messages"].append(first.to_dict())
        for call, (_, arguments) in zip(first.tool_calls, calls, strict=True):
            result = DEGREES[arguments["city"]]
            asked["messages"].append({"role": "tool", "tool_call_id": call.id, "content": result})
        return calls, str(say().content)


def by_responses(url: str, *, stream: bool) -> tuple[Calls, str]:
    tool = {"type": "function", "name": "weather", "description": DESCRIPTION}
    asked: Any = {
        "model": "tiny",
        "instructions": SYSTEM,
        "input": [_said("user", QUESTION)],
        "tools": [{**tool, "parameters": SCHEMA, "strict": False}],
    }
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:

        def say() -> Any:
            if not stream:
                return client.responses.create(**asked)
            with client.responses.stream(**asked) as answer:
                return answer.get_final_response()

        first = say()
        made = [item for item in first.output if item.type == "function_call"]
        calls = [(item.name, json.loads(item.arguments)) for item in made]
        asked["input"] += [item.to_dict() for item in first.output]
        for item, (_, arguments) in zip(made, calls, strict=True):
            result = {"type": "function_call_output", "output": DEGREES[arguments["city"]]}
            asked["input"].append({**result, "call_id": item.call_id})
        return calls, str(say().output_text)


def by_messages(url: str, *, stream: bool) -> tuple[Calls, str]:
    asked: Any = {
        "model": "tiny",
        "max_tokens": 99,
        "system": SYSTEM,
        "messages": [_said("user", QUESTION)],
        "tools": [{"name": "weather", "description": DESCRIPTION, "input_schema": SCHEMA}],
    }
    with anthropic.Anthropic(base_url=url, api_key="x", max_retries=0) as client:

        def say() -> Any:
            if not stream:
                return client.messages.create(**asked)
            with client.messages.stream(**asked) as answer:
                return answer.get_final_message()

        first = say()
        made = [block for block in first.content if block.type == "tool_use"]
        calls = [(block.name, block.input) for block in made]
        results = [
            {
                "type": "tool_result",
                "tool_use_id": block.id,
                "content": DEGREES[block.input["city"]],
            }
            for block in made
        ]
        content = [block.to_dict() for block in first.content]
        asked["messages"] += [
            {"role": "assistant", "content": content},
            {"role": "user", "content": results},
        ]
        return calls, "".join(block.text for block in say().content)


def _said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


PLAYERS = (by_ollama, by_chats, by_responses, by_messages)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_tool_conversation_is_the_same_in_all_dialects(start: Start, *, stream: bool) -> None:
    told = []
    for play in PLAYERS:
        behind = start(_weather())
        with proxy([behind.url]) as front:
            calls, answer = play(front.url, stream=stream)
        assert calls == [("weather", {"city": "Paris"}), ("weather", {"city": "Rome"})]
        assert answer == ANSWER
        told.append([list(_heard(each)) for each in behind.requests if each.body])
    assert len(told[0]) == 2
    assert all(each == told[0] for each in told)


def _heard(exchange: Exchange) -> Iterator[Any]:
    """Give what a model is told, whichever way the dialects write the same."""
    asked = exchange.json
    yield [tool["function"] for tool in asked["tools"]]
    for message in asked["messages"]:
        calls = [call["function"] for call in message.get("tool_calls", ())]
        made = [(call["name"], json.loads(call["arguments"])) for call in calls]
        thought = message.get("reasoning_content", "")
        yield message["role"], message["content"] or "", thought, made


def _weather() -> LoopbackServer:
    server = stand_ins.openai("tiny")
    server.routes["POST /v1/chat/completions"] = _answer
    return server


def _answer(exchange: Exchange) -> None:
    asked = exchange.json
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER}
    if asked["messages"][-1]["role"] != "tool":
        calls = [
            {"index": at, "id": f"c{at}", "type": "function",
             "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
            for at, city in enumerate(DEGREES)
        ]  # fmt: skip
        message |= {"content": "", "reasoning_content": "I ask.", "tool_calls": calls}
    reason = "tool_calls" if "tool_calls" in message else "stop"
    if asked.get("stream"):
        kind = {"object": "chat.completion.chunk"}  # what is passed on must be as OpenAI says
        said, end = stand_ins.openai_says(**message), stand_ins.openai_says(reason)
        events(kind | said, kind | end, stand_ins.OPENAI_USAGE, b"[DONE]")(exchange)
    else:
        choice = {"message": message, "finish_reason": reason}
        whole({"model": "tiny", "choices": [choice]})(exchange)
