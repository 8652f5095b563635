"""An answer in blocks: each begins, goes on and ends before the next one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects.parts.blocks import Begun, Blocks, Ended, Said
from localmix.dialects.parts.heard import settled
from localmix.types import ChatResult, Delta, Image, Message, ToolCall, ToolCallDelta
from localmix.types.fold import fold

PICTURE = Image(data=b"\x89PNG")


def played(*deltas: Delta) -> list[tuple[str, str, str]]:
    """Play deltas, check the order of the steps, and give kind, name and text of each block."""
    answer = Blocks()
    steps = [step for delta in deltas for step in answer.feed(delta)] + list(answer.close())
    opened, texts = -1, [""] * len(answer.blocks)
    is_open = False
    for step in steps:
        if isinstance(step, Begun):
            assert not is_open
            opened, is_open = opened + 1, True
        assert is_open
        assert step.block.index == opened
        if isinstance(step, Said):
            texts[opened] += step.piece
        is_open = not isinstance(step, Ended)
    assert not is_open
    blocks = answer.blocks
    for block, text in zip(blocks, texts, strict=True):
        assert block.text == text or (block.text, text) == ("{}", "")
    return [(block.kind, block.name, block.text) for block in blocks]


def piece(index: int, text: str = "", name: str = "", id: str = "") -> Delta:
    return Delta(tool_calls=(ToolCallDelta(index, id, name, text),))


def test_pieces_of_two_calls_in_turn() -> None:
    assert played(
        piece(0, '{"x":', "f", "a"),
        piece(1, '{"y":', "g", "b"),
        piece(2, "{}", "h", "c"),
        piece(0, "1}"),
        piece(1, "2}"),
    ) == [("call", "f", '{"x":1}'), ("call", "g", '{"y":2}'), ("call", "h", "{}")]


def test_a_text_amid_a_call_comes_after_it() -> None:
    said = played(piece(0, '{"x":', "f", "a"), Delta("Hm"), Delta("m."), piece(0, "1}"))
    assert said == [("call", "f", '{"x":1}'), ("text", "", "Hmm.")]


def test_a_call_that_is_cut_holds_nothing_back() -> None:
    said = played(piece(0, '{"x":', "f", "a"), Delta("Hm."), piece(1, '{"y"', "g", "b"))
    assert said == [("call", "f", '{"x":'), ("text", "", "Hm."), ("call", "g", '{"y"')]


def test_a_call_whose_id_comes_late_begins_with_it() -> None:
    answer = Blocks()
    assert list(answer.feed(piece(0, '{"x":1}', "f"))) == []
    begun, *_ = answer.feed(piece(0, id="a"))
    assert begun.block.id == "a"
    assert [type(step) for step in answer.close()] == [Ended]


def test_what_comes_after_the_end_of_a_call_is_blank() -> None:
    said = played(piece(0, "{}", "f", "a"), Delta("Hm."), piece(0, " \n"))
    assert said == [("call", "f", "{}"), ("text", "", "Hm.")]


_arguments = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2).map(json.dumps)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(_arguments, min_size=1, max_size=3), st.text(max_size=6))
def test_whatever_the_order_nothing_is_lost(
    data: st.DataObject, arguments: list[str], text: str
) -> None:
    queues = [
        [piece(at, "", f"f{at}", f"id{at}"), *(piece(at, letter) for letter in said)]
        for at, said in enumerate(arguments)
    ]
    queues.append([Delta(letter) for letter in text])
    deltas = []
    while any(queues):
        queue = data.draw(st.sampled_from([each for each in queues if each]))
        deltas.append(queue.pop(0))
    said = played(*deltas)
    whole = fold(deltas)
    calls = [(name, told) for kind, name, told in said if kind == "call"]
    assert sorted(calls) == [(call.name, call.arguments) for call in whole.tool_calls]
    assert "".join(told for kind, _, told in said if kind == "text") == text


def test_a_whole_answer() -> None:
    result = ChatResult("Hi.", "Hm.", (ToolCall(name="f", arguments="{}", id="a"),))
    kinds = [block.kind for block in Blocks.of(result)]
    assert kinds == ["reasoning", "text", "call"]


def test_a_conversation_is_settled() -> None:
    said = settled(
        [
            Message(role="system", content="Be short."),
            Message(role="system", content="Use tools."),
            Message(role="user", content="Here:"),
            Message(role="user", content=(PICTURE,)),
            Message(role="system", content="Hurry."),
            Message(role="assistant", content="I hurry."),
            Message(role="system", content="Slowly."),
        ]
    )
    assert [(each.role, each.content) for each in said] == [
        ("system", "Be short.\n\nUse tools."),
        ("user", ("Here:", PICTURE, "Hurry.")),
        ("assistant", "I hurry."),
        ("user", "Slowly."),
    ]
