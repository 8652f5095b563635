"""Every stream says the same however its bytes are cut, and no part of it looks whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localmix.errors import LocalMixError, UnusableAnswerError
from localmix.types import ChatResult, Delta
from localmix.types.fold import fold
from tests.ids import named
from tests.stand_ins import OLLAMA_DONE, ollama_says, openai_says
from tests.unit.streams import CHAT, STREAMS, WEATHER, Stream, lines, sse

streams = pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)


def decoded(stream: Stream, cuts: list[int]) -> list[Delta]:
    """Feed the bytes of a stream, cut at these places."""
    decoder = stream.decoder()
    deltas: list[Delta] = []
    for start, end in pairwise([0, *cuts, len(stream.data)]):
        deltas += decoder.feed(stream.data[start:end])
    return named(deltas + decoder.close())


def said(answer: ChatResult) -> tuple[object, ...]:
    """Give all that the model said."""
    return answer.content, answer.reasoning, answer.tool_calls, answer.finish_reason


@streams
def test_at_once(stream: Stream) -> None:
    assert fold(decoded(stream, [])) == stream.answer


@pytest.mark.exhaustive
@streams
def test_cut_in_two_anywhere(stream: Stream) -> None:
    at_once = decoded(stream, [])
    for cut in range(1, len(stream.data)):
        assert decoded(stream, [cut]) == at_once, cut


@streams
def test_one_byte_at_a_time(stream: Stream) -> None:
    assert decoded(stream, list(range(1, len(stream.data)))) == decoded(stream, [])


@pytest.mark.exhaustive
@streams
def test_no_prefix_looks_whole_that_is_not(stream: Stream) -> None:
    """Only what follows the reason for the end may be missing: figures, and OpenAI's end mark."""
    for length in range(len(stream.data.rstrip())):
        decoder = stream.decoder()
        try:
            answer = fold(named(decoder.feed(stream.data[:length]) + decoder.close()))
        except LocalMixError:
            continue
        assert said(answer) == said(stream.answer), length
        assert stream.kind != "ollama", f"{stream.data[:length]!r} looked whole"


@streams
def test_nothing_after_the_end_counts(stream: Stream) -> None:
    decoder = stream.decoder()
    deltas = named(decoder.feed(stream.data + stream.data) + decoder.close())
    assert fold(deltas) == stream.answer


CUT_CALLS: dict[str, list[dict[str, Any]]] = {
    "ollama": [ollama_says(content='{"name": "get_w'), {**OLLAMA_DONE, "done_reason": "length"}],
    "openai": [openai_says(content="The capital of France is "), openai_says("length")],
    "lmstudio": [
        openai_says(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": '{"x'}}]),
        openai_says("length"),
    ],
}


@pytest.mark.parametrize("kind", CUT_CALLS)
def test_a_forced_call_that_was_cut_is_not_lost_in_silence(kind: Any) -> None:
    request = CHAT.model_copy(update={"tools": (WEATHER,), "tool_choice": "required"})
    lay_out = lines if kind == "ollama" else sse
    stream = Stream(kind, lay_out(*CUT_CALLS[kind]), ChatResult(), request)
    with pytest.raises(UnusableAnswerError, match="token limit cut off .* Raise max_tokens"):
        decoded(stream, [])


@pytest.mark.exhaustive
@given(stream=st.sampled_from(list(STREAMS.values())), data=st.data())
def test_cut_at_random(stream: Stream, data: st.DataObject) -> None:
    places = st.integers(0, len(stream.data))
    cuts = sorted(data.draw(st.lists(places, max_size=12)))
    assert decoded(stream, cuts) == decoded(stream, [])


@given(
    stream=st.sampled_from(list(STREAMS.values())),
    place=st.floats(0, 1),
    junk=st.binary(min_size=1, max_size=40),
)
def test_garbage_in_the_middle_gives_an_answer_or_a_typed_error(
    stream: Stream, place: float, junk: bytes
) -> None:
    cut = int(place * len(stream.data))
    decoder = stream.decoder()
    try:
        decoder.feed(stream.data[:cut] + junk)
        decoder.feed(stream.data[cut:])
        decoder.close()
    except LocalMixError as error:
        assert error.message  # noqa: PT017  (any typed error will do, or none)
