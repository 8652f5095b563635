"""Anthropic's messages, asked for by Anthropic's own client and by bare sockets."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from localmix.proxy.answering import Pace
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, ndjson, whole
from tests.proxy.served import Proxy, Reply, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
USER: list[Any] = [{"role": "user", "content": "What is 2 + 2?"}]
ADD: Any = {
    "name": "add",
    "description": "Add two numbers.",
    "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
THINKING_CALL = (
    stand_ins.openai_says(reasoning_content="They want "),
    stand_ins.openai_says(reasoning_content="a sum."),
    stand_ins.openai_says(content="I add."),
    stand_ins.openai_says(
        tool_calls=[{"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a"'}}]
    ),
    stand_ins.openai_says(tool_calls=[{"index": 0, "function": {"arguments": ": 2}"}}]),
    stand_ins.openai_says("tool_calls"),
    stand_ins.OPENAI_USAGE,
    b"[DONE]",
)


def said(reply: Reply) -> list[tuple[str, Any]]:
    """Read events; the name of each stands in it as well."""
    read = []
    for event in reply.body.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        about = json.loads(data.removeprefix("data: "))
        assert name == f"event: {about['type']}"
        read.append((about["type"], about))
    return read


@pytest.fixture
def behind(start: Start) -> LoopbackServer:
    return start(stand_ins.openai("tiny"))


@pytest.fixture
def client(front: Proxy) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=front.url, api_key="x", max_retries=0) as made:
        yield made


def test_a_whole_answer(client: anthropic.Anthropic) -> None:
    message = client.messages.create(model="tiny", max_tokens=99, messages=USER)
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "Hi."}]
    assert (message.stop_reason, message.model, message.role) == ("end_turn", "tiny", "assistant")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (19, 26)


def test_a_streamed_answer(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="tiny", max_tokens=99, messages=USER) as stream:
        assert list(stream.text_stream) == ["H", "i."]
        message = stream.get_final_message()
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 26)


def test_thoughts_text_and_a_call_in_blocks(
    behind: LoopbackServer, client: anthropic.Anthropic
) -> None:
    behind.routes["POST /v1/chat/completions"] = events(*THINKING_CALL)
    asked: Any = {"model": "tiny", "max_tokens": 99, "messages": USER, "tools": [ADD]}
    with client.messages.stream(**asked) as stream:
        message = stream.get_final_message()
    thought, text, call = message.content
    assert thought.type == "thinking"
    assert (thought.thinking, bool(thought.signature)) == ("They want a sum.", True)
    assert text.type == "text"
    assert text.text == "I add."
    assert call.type == "tool_use"
    assert (call.id, call.name, call.input) == ("c1", "add", {"a": 2})
    assert message.stop_reason == "tool_use"


def test_all_events_in_their_order(behind: LoopbackServer, front: Proxy) -> None:
    behind.routes["POST /v1/chat/completions"] = events(*THINKING_CALL)
    body = {"model": "tiny", "max_tokens": 99, "messages": USER, "tools": [ADD], "stream": True}
    reply = front.ask("POST", "/v1/messages?beta=true", body)
    assert reply.headers["content-type"] == "text/event-stream"
    read = said(reply)
    deltas = [about["delta"]["type"] for kind, about in read if kind == "content_block_delta"]
    assert deltas == [
        *("thinking_delta", "thinking_delta", "signature_delta", "text_delta"),
        *("input_json_delta", "input_json_delta"),
    ]
    assert [kind for kind, _ in read if kind != "content_block_delta"] == [
        "message_start",
        *("content_block_start", "content_block_stop") * 3,
        "message_delta",
        "message_stop",
    ]
    indices = [about["index"] for kind, about in read if kind.startswith("content_block")]
    assert indices == sorted(indices)
    assert set(indices) == {0, 1, 2}
    assert read[0][1]["message"]["usage"]["input_tokens"] > 0
    assert read[-2][1]["usage"]["input_tokens"] == 19


def test_what_the_server_is_told(behind: LoopbackServer, client: anthropic.Anthropic) -> None:
    messages: Any = [
        {"role": "user", "content": [
            {"type": "text", "text": "Look:", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": "I add."},
            {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 2}},
            {"type": "tool_use", "id": "c2", "name": "add", "input": {"a": 3}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": "4"},
            {"type": "tool_result", "tool_use_id": "c2", "is_error": True, "content": [
                {"type": "text", "text": "no"},
                {"type": "image",
                 "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            ]},
            {"type": "text", "text": "Go on."},
        ]},
    ]  # fmt: skip
    client.messages.create(
        model="tiny",
        max_tokens=99,
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=abc;"},
            {"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}},
        ],
        messages=messages,
        tools=[ADD, {"type": "web_search_20250305", "name": "web_search"}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        extra_body={"temperature": 0.5, "top_k": 7},
        thinking={"type": "disabled"},
    )
    sent = behind.last("POST /v1/chat/completions").json
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    system, user, assistant, first, second, last = sent["messages"]
    assert system == {"role": "system", "content": "Be short."}
    assert user["content"] == [{"type": "text", "text": "Look:"}, image]
    assert (assistant["content"], assistant["reasoning_content"]) == ("I add.", "Hm.")
    assert [call["id"] for call in assistant["tool_calls"]] == ["c1", "c2"]
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"a": 2}
    assert (first["role"], first["tool_call_id"], first["content"]) == ("tool", "c1", "4")
    assert (second["tool_call_id"], second["content"]) == ("c2", "Error: no")
    assert last["content"] == [image, {"type": "text", "text": "Go on."}]
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["add"]
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("required", False)
    assert (sent["max_tokens"], sent["stop"], sent["temperature"]) == (99, ["END"], 0.5)
    assert (sent["top_k"], sent["reasoning_effort"]) == (7, "none")


def test_thinking_is_a_wish(start: Start) -> None:
    show = whole({"capabilities": ["completion", "tools"], "model_info": {}})
    behind = start(stand_ins.ollama("tiny:latest", POST__api_show=show))
    with (
        proxy([behind.url]) as front,
        anthropic.Anthropic(base_url=front.url, api_key="x", max_retries=0) as client,
    ):
        message = client.messages.create(
            model="tiny",
            max_tokens=2000,
            messages=USER,
            thinking={"type": "enabled", "budget_tokens": 1024},
        )
    assert message.content
    assert not behind.last("POST /api/chat").json.get("think")


def test_an_answer_that_was_cut(behind: LoopbackServer, client: anthropic.Anthropic) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a": '}}
    choice = {"message": {"content": "", "tool_calls": [call]}, "finish_reason": "length"}
    behind.routes["POST /v1/chat/completions"] = whole({"model": "tiny", "choices": [choice]})
    message = client.messages.create(model="tiny", max_tokens=9, messages=USER, tools=[ADD])
    assert message.stop_reason == "max_tokens"
    assert [block.type for block in message.content] == ["text"]


@pytest.mark.slow
def test_pings_while_a_model_loads(start: Start) -> None:
    loaded = threading.Event()

    def slowly(exchange: Exchange) -> None:
        loaded.wait(0.5)
        ndjson(stand_ins.ollama_says(content="Hi"), stand_ins.OLLAMA_DONE)(exchange)

    behind = start(stand_ins.ollama("tiny:latest", POST__api_chat=slowly))
    body = {"model": "tiny", "max_tokens": 9, "messages": USER, "stream": True}
    with proxy([behind.url], pace=Pace(0.1, 0.1)) as front:
        first, second, *rest = [kind for kind, _ in said(front.ask("POST", "/v1/messages", body))]
    assert (first, second) == ("message_start", "ping")
    assert rest.count("message_start") == 0
    assert rest[-1] == "message_stop"


def test_errors_in_its_shape(behind: LoopbackServer, client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as missing:
        client.messages.create(model="nobody", max_tokens=9, messages=USER)
    assert missing.value.body == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "model: nobody"},
    }
    url: Any = {"type": "url", "url": "http://10.0.0.1/x.png"}
    image: Any = [{"role": "user", "content": [{"type": "image", "source": url}]}]
    with pytest.raises(anthropic.BadRequestError, match="not fetched"):
        client.messages.create(model="tiny", max_tokens=9, messages=image)
    too_long = {"error": {"message": "request exceeds the available context size", "code": 400}}
    behind.routes["POST /v1/chat/completions"] = whole(too_long, status=400)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        client.messages.create(model="tiny", max_tokens=9, messages=USER)


def test_an_error_within_a_stream(behind: LoopbackServer, client: anthropic.Anthropic) -> None:
    frames = (stand_ins.openai_says(content="H"), {"error": {"message": "model has crashed"}})
    behind.routes["POST /v1/chat/completions"] = events(*frames)
    with (
        client.messages.stream(model="tiny", max_tokens=9, messages=USER) as stream,
        pytest.raises(anthropic.APIStatusError, match="crashed"),
    ):
        stream.get_final_message()


def test_tokens_are_counted_over_everything(client: anthropic.Anthropic) -> None:
    def count(**more: Any) -> int:
        asked: Any = {"model": "tiny", "messages": USER, **more}
        return client.messages.count_tokens(**asked).input_tokens

    alone = count()
    assert alone > 0
    assert count(system="Be short, and say nothing twice.") > alone
    assert count(tools=[ADD]) > alone
    assert count(messages=[{"role": "user", "content": "What is 2 + 2? " * 20}]) > 15 * alone


def test_llama_cpp_counts_by_its_own_tokens(
    behind: LoopbackServer, client: anthropic.Anthropic
) -> None:
    behind.routes["POST /apply-template"] = whole({"prompt": "<user>What is 2 + 2?"})
    behind.routes["POST /tokenize"] = whole({"tokens": [1, 2, 3, 4, 5, 6, 7]})
    asked: Any = {"model": "tiny", "system": "Be short.", "messages": USER, "tools": [ADD]}
    assert client.messages.count_tokens(**asked).input_tokens == 7
    written = behind.last("POST /apply-template").json
    assert [message["role"] for message in written["messages"]] == ["system", "user"]
    assert [tool["function"]["name"] for tool in written["tools"]] == ["add"]
    assert behind.last("POST /tokenize").json["content"] == "<user>What is 2 + 2?"
    assert client.messages.count_tokens(model="claude-haiku", messages=USER).input_tokens > 0


@pytest.mark.parametrize("reply", [{}, {"tokens": 7}, {"tokens": None}, {"error": "no"}])
def test_a_count_that_is_none_is_not_taken_for_one(
    behind: LoopbackServer, client: anthropic.Anthropic, reply: Any
) -> None:
    behind.routes["POST /apply-template"] = whole({"prompt": "?"})
    behind.routes["POST /tokenize"] = whole(reply)
    assert client.messages.count_tokens(model="tiny", messages=USER).input_tokens == 5


def test_counts_are_learned_from_what_the_server_counts(
    behind: LoopbackServer, client: anthropic.Anthropic
) -> None:
    asked: Any = {"model": "tiny", "messages": [{"role": "user", "content": "word " * 1000}]}
    before = client.messages.count_tokens(**asked).input_tokens
    usage = {"prompt_tokens": 4800, "completion_tokens": 1, "total_tokens": 4801}
    choice = {"message": {"content": "Hi."}, "finish_reason": "stop"}
    reply = {"model": "tiny", "choices": [choice], "usage": usage}
    behind.routes["POST /v1/chat/completions"] = whole(reply)
    client.messages.create(max_tokens=9, **asked)
    assert before < 4800 == client.messages.count_tokens(**asked).input_tokens


def test_what_one_proxy_learned_is_nothing_to_another_one(
    behind: LoopbackServer, client: anthropic.Anthropic
) -> None:
    asked: Any = {"model": "tiny", "messages": [{"role": "user", "content": "word " * 1000}]}
    before = client.messages.count_tokens(**asked).input_tokens
    client.messages.create(max_tokens=9, **asked)
    assert client.messages.count_tokens(**asked).input_tokens == 19
    with (
        proxy([behind.url]) as other,
        anthropic.Anthropic(base_url=other.url, api_key="x", max_retries=0) as stranger,
    ):
        assert stranger.messages.count_tokens(**asked).input_tokens == before
