"""Our answers to LlamaIndex's responses."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.tools import FunctionTool

from llamaindex_localmix import LocalMix
from llamaindex_localmix._responses import from_result, to_completion
from localmix import ChatResult, Delta, ToolCall, Usage
from localmix.types import TokenLogprob
from tests.llamaindex.scripted import Turn, sent

ANSWER = ChatResult(
    content="I call.",
    reasoning="Well.",
    tool_calls=(ToolCall(id="a", name="f", arguments='{"x": 1}'),),
    finish_reason="tool_calls",
    model="tiny",
    usage=Usage(3, 4, reasoning_tokens=2),
)
HELLO = [ChatMessage(content="hello")]
COUNTS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def test_a_whole_answer() -> None:
    response = from_result(ANSWER)
    thinking, text, call = response.message.blocks
    assert thinking == ThinkingBlock(content="Well.", num_tokens=2)
    assert text == TextBlock(text="I call.")
    assert call == ToolCallBlock(tool_call_id="a", tool_name="f", tool_kwargs='{"x": 1}')
    assert response.delta is None
    assert response.raw is not None
    assert (response.raw["model"], response.raw["usage"]) == ("tiny", COUNTS)
    assert response.raw["finish_reason"] == "tool_calls"
    assert response.additional_kwargs == COUNTS


def test_raw_is_plain_json() -> None:
    """Peer defect 15: it held an object of the SDK."""
    raw = from_result(ANSWER).raw
    assert json.loads(json.dumps(raw)) == raw


def test_a_step_of_a_stream() -> None:
    step = from_result(ChatResult(content="I", reasoning="Well."), Delta(reasoning="."))
    assert (step.delta, step.message.content, step.raw) == ("", "I", {})
    assert step.additional_kwargs == {"thinking_delta": "."}
    assert from_result(ChatResult(), Delta()).additional_kwargs == {"thinking_delta": None}


def test_an_answer_without_counts_does_not_lie() -> None:
    response = from_result(ChatResult(content="x", finish_reason="stop"))
    assert response.raw is not None
    assert "usage" not in response.raw
    assert response.additional_kwargs == {}


def test_logprobs() -> None:
    rival = TokenLogprob("b", -2.0)
    tokens = (TokenLogprob("a", -0.5, (TokenLogprob("a", -0.5), rival)), TokenLogprob("c", -0.1))
    logprobs = from_result(ChatResult(content="ac", logprobs=tokens)).logprobs
    assert logprobs is not None
    assert [[(each.token, each.logprob) for each in place] for place in logprobs] == [
        [("a", -0.5), ("b", -2.0)],
        [("c", -0.1)],
    ]
    assert from_result(ChatResult(content="a")).logprobs is None


def test_a_completion_loses_nothing() -> None:
    response = from_result(ANSWER)
    completion = to_completion(response)
    assert completion.text == "I call."
    assert completion.raw == response.raw
    assert set(completion.additional_kwargs) == {"tool_calls", *COUNTS}
    assert set(response.message.additional_kwargs) == {"tool_calls"}


def test_steps_are_cumulative_and_the_last_is_whole(script: Any) -> None:
    """An agent keeps the last step alone."""
    turn = Turn("It is sunny.", thought="Hm.", calls=(("id1", "f", {"x": 1}),))
    server = script(turn, turn)
    llm = LocalMix(base_url=server.url)

    async def main() -> list[ChatResponse]:
        return [step async for step in await llm.astream_chat(HELLO)]

    for steps in (list(llm.stream_chat(HELLO)), asyncio.run(main())):
        texts = [step.message.content or "" for step in steps]
        assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
        assert "".join(step.delta or "" for step in steps) == texts[-1] == turn.text
        thoughts = [step.additional_kwargs["thinking_delta"] or "" for step in steps]
        assert "".join(thoughts) == "Hm."
        last = steps[-1]
        assert [type(block) for block in last.message.blocks] == [
            ThinkingBlock,
            TextBlock,
            ToolCallBlock,
        ]
        assert last.raw is not None
        assert last.raw["usage"]["completion_tokens"] == 26
        assert all(step.raw == {} for step in steps[:-1])


def test_thoughts_go_back_with_the_history(script: Any, kind: str) -> None:
    server = script(Turn("It is sunny.", thought="Hm."), Turn("Yes."))
    llm = LocalMix(base_url=server.url)
    first = llm.chat(HELLO)
    llm.chat([*HELLO, first.message, *HELLO])
    turn = server.requests[-1].json["messages"][1]
    assert turn["content"] == "It is sunny."
    assert turn["thinking" if kind == "ollama" else "reasoning_content"] == "Hm."


@pytest.mark.parametrize("streamed", [False, True])
def test_a_turn_of_two_requests_is_counted_as_both(script: Any, streamed: bool) -> None:
    """No server takes tools and a schema at once: the second request asks for the object."""
    server = script(Turn("Ada is 36."), Turn('{"age": 36}'))
    llm = LocalMix(base_url=server.url)
    tool = FunctionTool.from_defaults(lambda: "12:30", name="get_time", description="The time.")
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}
    options: Any = {"tools": [tool], "response_format": schema}
    said = [ChatMessage("How old is Ada?")]
    answer = [*llm.stream_chat(said, **options)][-1] if streamed else llm.chat(said, **options)
    assert answer.message.content == '{"age": 36}'
    assert answer.raw["usage"] == {
        "prompt_tokens": 38,
        "completion_tokens": 52,
        "total_tokens": 90,
    }
    assert len(answer.raw["route"]["earlier"]) == 1
    assert len(sent(server)) == 2
