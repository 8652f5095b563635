"""OpenAI's responses, asked for by OpenAI's own client and by bare sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from localmix.proxy.answering import Pace
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, whole
from tests.proxy.served import Proxy, proxy
from tests.proxy.test_messages_api import PNG, THINKING_CALL, said

Start = Callable[[LoopbackServer], LoopbackServer]
ASKED: Any = {"model": "tiny", "input": "What is 2 + 2?"}
ADD: Any = {
    "type": "function",
    "name": "add",
    "description": "Add two numbers.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "strict": False,
}
CHAT = "POST /v1/chat/completions"


class Sum(BaseModel):
    total: int


@pytest.fixture
def behind(start: Start) -> LoopbackServer:
    return start(stand_ins.openai("tiny"))


@pytest.fixture
def client(front: Proxy) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{front.url}/v1", api_key="x", max_retries=0) as made:
        yield made


def test_a_whole_answer(client: openai.OpenAI) -> None:
    response = client.responses.create(**ASKED)
    assert (response.output_text, response.status, response.model) == ("Hi.", "completed", "tiny")
    assert response.usage
    assert (response.usage.input_tokens, response.usage.output_tokens) == (19, 26)
    assert response.to_dict()["store"] is False


def test_a_streamed_answer(client: openai.OpenAI) -> None:
    with client.responses.stream(**ASKED) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()
    assert pieces == ["H", "i."]
    assert (response.output_text, response.status) == ("Hi.", "completed")


def test_thoughts_text_and_a_call_in_items(behind: LoopbackServer, client: openai.OpenAI) -> None:
    behind.routes[CHAT] = events(*THINKING_CALL)
    with client.responses.stream(**ASKED, tools=[ADD]) as stream:
        response = stream.get_final_response()
    thought, text, call = response.output
    assert thought.type == "reasoning"
    assert [part.text for part in thought.summary] == ["They want a sum."]
    assert text.type == "message"
    assert response.output_text == "I add."
    assert call.type == "function_call"
    assert (call.call_id, call.name, json.loads(call.arguments)) == ("c1", "add", {"a": 2})


def test_all_events_in_their_order(behind: LoopbackServer, front: Proxy) -> None:
    behind.routes[CHAT] = events(*THINKING_CALL)
    read = said(front.ask("POST", "/v1/responses", {**ASKED, "tools": [ADD], "stream": True}))
    assert [kind.removeprefix("response.") for kind, _ in read] == [
        *("created", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added"),
        *("reasoning_summary_text.delta", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        "completed",
    ]
    assert [about["sequence_number"] for _, about in read] == list(range(len(read)))
    whole_items = [about["item"] for kind, about in read if kind.endswith("output_item.done")]
    assert read[-1][1]["response"]["output"] == whole_items
    assert [item["status"] for item in whole_items] == ["completed"] * 3


def test_what_the_server_is_told(behind: LoopbackServer, client: openai.OpenAI) -> None:
    image = f"data:image/png;base64,{PNG}"
    items: Any = [
        {"role": "developer", "content": "Use tools."},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Look:"},
            {"type": "input_image", "image_url": image, "detail": "auto"},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "id": "m", "status": "completed",
         "content": [{"type": "output_text", "text": "I add.", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 2}'},
        {"type": "function_call", "call_id": "c2", "name": "add", "arguments": '{"a": 3}'},
        {"type": "custom_tool_call", "call_id": "c3", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c3", "output": "done"},
        {"type": "function_call_output", "call_id": "c1", "output": "4"},
        {"type": "function_call_output", "call_id": "c2", "output": [
            {"type": "input_text", "text": "5"}]},
        {"role": "user", "content": "Go on."},
        {"role": "developer", "content": "And hurry."},
    ]  # fmt: skip
    client.responses.create(
        model="tiny",
        instructions="Be short.",
        input=items,
        tools=[
            ADD,
            {"type": "web_search"},
            {"type": "custom", "name": "patch", "description": "Change files."},
        ],
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=99,
        temperature=0.5,
        reasoning={"effort": "low", "summary": "auto"},
        store=False,
        include=["reasoning.encrypted_content"],
    )
    sent = behind.last(CHAT).json
    system, user, assistant, first, second, last = sent["messages"]
    assert system == {"role": "system", "content": "Be short.\n\nUse tools."}
    assert user["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": image}},
    ]
    assert (assistant["content"], assistant["reasoning_content"]) == ("I add.", "Hm.")
    assert [call["id"] for call in assistant["tool_calls"]] == ["c1", "c2"]
    assert (first["tool_call_id"], first["content"]) == ("c1", "4")
    assert (second["tool_call_id"], second["content"]) == ("c2", "5")
    assert last == {"role": "user", "content": "Go on.\n\nAnd hurry."}
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["add"]
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("required", False)
    assert (sent["max_tokens"], sent["temperature"]) == (99, 0.5)
    assert sent["reasoning_effort"] == "low"


def test_an_answer_in_a_form(behind: LoopbackServer, client: openai.OpenAI) -> None:
    choice = {"message": {"content": '{"total": 4}'}, "finish_reason": "stop"}
    behind.routes[CHAT] = whole({"model": "tiny", "choices": [choice]})
    response = client.responses.parse(**ASKED, text_format=Sum)
    assert response.output_parsed == Sum(total=4)
    form = behind.last(CHAT).json["response_format"]
    assert form["json_schema"]["schema"]["required"] == ["total"]


def test_what_only_others_can_run_is_no_error(
    behind: LoopbackServer, client: openai.OpenAI
) -> None:
    tools: Any = [{"type": "web_search"}, {"type": "namespace", "name": "x", "tools": []}]
    client.responses.create(**ASKED, tools=tools, tool_choice="required")
    assert "tools" not in behind.last(CHAT).json
    choice: Any = {"type": "web_search"}
    client.responses.create(**ASKED, tools=tools, tool_choice=choice)
    assert "tool_choice" not in behind.last(CHAT).json


def test_an_answer_that_was_cut(behind: LoopbackServer, client: openai.OpenAI) -> None:
    choice = {"message": {"content": "Fo"}, "finish_reason": "length"}
    behind.routes[CHAT] = whole({"model": "tiny", "choices": [choice]})
    response = client.responses.create(**ASKED)
    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    "more",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"background": True},
        {"input": [{"type": "item_reference", "id": "rs_1"}]},
    ],
)
def test_what_would_have_to_be_kept_is_refused(client: openai.OpenAI, more: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="stored here"):
        client.responses.create(**{**ASKED, **more})


def test_a_model_that_nobody_has(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.create(**{**ASKED, "model": "nobody"})


def test_whoever_wants_a_websocket_is_sent_back_to_http(front: Proxy) -> None:
    asked = {"Upgrade": "websocket", "Sec_WebSocket_Key": "x", "Sec_WebSocket_Version": "13"}
    reply = front.ask("GET", "/v1/responses", **asked)
    assert (reply.status, reply.json["error"]["type"]) == (426, "invalid_request_error")


def test_a_failure_within_a_stream(behind: LoopbackServer, front: Proxy) -> None:
    frames = (stand_ins.openai_says(content="H"), {"error": {"message": "model has crashed"}})
    behind.routes[CHAT] = events(*frames)
    read = said(front.ask("POST", "/v1/responses", {**ASKED, "stream": True}))
    kind, about = read[-1]
    assert (kind, about["response"]["status"]) == ("response.failed", "failed")
    assert "crashed" in about["response"]["error"]["message"]
    assert about["response"]["output"][0]["content"][0]["text"] == "H"


def test_what_does_not_fit_has_the_code_that_programs_look_for(
    behind: LoopbackServer, client: openai.OpenAI
) -> None:
    too_long = {"error": {"message": "request exceeds the available context size"}}
    behind.routes[CHAT] = whole(too_long, status=400)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**ASKED)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.slow
def test_a_model_that_loads_is_bridged_by_events(behind: LoopbackServer, start: Start) -> None:
    loaded = threading.Event()

    def slowly(exchange: Exchange) -> None:
        loaded.wait(0.5)
        stand_ins.openai_hello()(exchange)

    behind.routes[CHAT] = slowly
    with proxy([behind.url], pace=Pace(0.1, 0.1)) as front:
        read = said(front.ask("POST", "/v1/responses", {**ASKED, "stream": True}))
    kinds = [kind for kind, _ in read]
    assert kinds.count("response.created") == 1
    assert kinds[:3] == ["response.created", "response.in_progress", "response.in_progress"]
    assert kinds[-1] == "response.completed"
