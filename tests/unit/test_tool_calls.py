"""Every tool call that a server is known to write, in its stream or its reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localmix.dialects import KINDS
from localmix.types import ChatResult, Message, ToolCall
from localmix.types.fold import fold
from localmix.wire.flows import Response
from tests.ids import OURS
from tests.stand_ins import OLLAMA_DONE, ollama_says, openai_says
from tests.unit.streams import CHAT, lines, sse, target
from tests.unit.tool_calls import CASES, Case

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def answer_to(case: Case) -> ChatResult:
    """Have the case's server answer, and read it."""
    dialect, asked = KINDS[case.kind].dialect, target(case.kind)
    if case.whole:
        body = json.dumps(_whole(case)).encode()
        return dialect.parse_generation(asked, case.request, Response(200, body))
    decoder = dialect.generation_decoder(asked, case.request)
    return fold([*decoder.feed(_streamed(case)), *decoder.close()])


def _whole(case: Case) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", "tool_calls": case.frames[0]}
    if case.kind == "ollama":
        return OLLAMA_DONE | {"message": message}
    return {"model": "tiny", "choices": [{"message": message, "finish_reason": "tool_calls"}]}


def _streamed(case: Case) -> bytes:
    if case.kind == "ollama":
        said = [ollama_says(tool_calls=calls) for calls in case.frames]
        return lines(*said, OLLAMA_DONE)
    return sse(*(openai_says(tool_calls=calls) for calls in case.frames), openai_says("tool_calls"))


@cases
def test_each_call_is_what_the_server_meant(case: Case) -> None:
    calls = answer_to(case).tool_calls
    assert [(call.name, call.arguments) for call in calls] == [call[:2] for call in case.calls]
    for call, (_, _, wanted) in zip(calls, case.calls, strict=True):
        assert OURS.match(call.id) if wanted is None else call.id == wanted
    assert len({call.id for call in calls}) == len(calls)


@cases
def test_a_name_and_an_id_are_said_once(case: Case) -> None:
    """Frameworks join the pieces of a call: a name that comes twice would be doubled."""
    if case.whole:
        pytest.skip("a whole reply has no pieces")
    decoder = KINDS[case.kind].dialect.generation_decoder(target(case.kind), case.request)
    deltas = [*decoder.feed(_streamed(case)), *decoder.close()]
    pieces = [piece for delta in deltas for piece in delta.tool_calls]
    for index in {piece.index for piece in pieces}:
        own = [piece for piece in pieces if piece.index == index]
        assert sum(bool(piece.name) for piece in own) == 1
        assert sum(bool(piece.id) for piece in own) == 1


def test_no_two_ids_of_ours_are_equal() -> None:
    """T7: the same conversation, asked twice, has calls of its own each time."""
    case = next(case for case in CASES.values() if case.calls and case.calls[0][2] is None)
    ids = {call.id for _ in range(50) for call in answer_to(case).tool_calls}
    assert len(ids) == 50 * len(case.calls)


def _history(*ids: str) -> tuple[Message, ...]:
    calls = tuple(ToolCall(id=each, name=name) for each, name in zip(ids, "ab", strict=True))
    asked = Message(role="assistant", tool_calls=calls)
    results = (Message(role="tool", content="x", tool_call_id=each) for each in ids)
    return (Message(role="user", content="Go."), asked, *results)


@pytest.mark.parametrize("ids", [("1", "2"), ("1", "1"), ("", "")])
def test_results_find_their_calls(ids: tuple[str, ...]) -> None:
    """T8: by id, and by order where ids do not tell."""
    messages = _history(*ids) if all(ids) else _lost(_history("1", "2"))
    request = CHAT.model_copy(update={"messages": messages})
    sent = KINDS["ollama"].dialect.generation_request(target("ollama"), request, stream=False)
    names = [each.get("tool_name") for each in json.loads(sent.body or b"")["messages"]]
    assert names[2:] == ["a", "b"]


def _lost(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give results ids that no call has."""
    return tuple(
        message.model_copy(update={"tool_call_id": "lost"}) if message.role == "tool" else message
        for message in messages
    )


def test_an_object_schema_always_has_properties() -> None:
    """T10: LM Studio refuses one without."""
    from localmix.types import Tool

    tool = Tool(name="now", parameters={"type": "object"})
    request = CHAT.model_copy(update={"tools": (tool,)})
    sent = KINDS["lmstudio"].dialect.generation_request(target("lmstudio"), request, stream=False)
    (definition,) = json.loads(sent.body or b"")["tools"]
    assert definition["function"]["parameters"] == {"type": "object", "properties": {}}
