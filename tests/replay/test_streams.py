"""Every recorded stream says the same at every cut of its bytes, and no part of it looks whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from localmix.dialects import KINDS, PullMeter
from localmix.dialects.ollama.keeper import PullDecoder
from localmix.errors import LocalMixError
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    GenerationRequest,
    Kind,
    Message,
)
from localmix.types.fold import fold
from localmix.wire.flows import Decoder
from tests.ids import named
from tests.replay.cassettes import ROOT, read_tape
from tests.unit.streams import WEATHER, target

KIND_OF: dict[str, Kind] = {"ollama": "ollama", "llamacpp": "openai", "lmstudio": "lmstudio"}
# About so many cuts of each stream are tried: one test takes it byte by byte all the same, and the
# streams of tests/unit/streams.py are cut everywhere.
CUTS = 250


@dataclass(frozen=True)
class Recorded:
    """Hold the bytes of a stream, and what it answered; without a request it is a pull."""

    kind: Kind
    data: bytes
    request: GenerationRequest | None

    def decoder(self) -> Decoder[Any]:
        if self.request is None:
            return PullDecoder("http://s", PullMeter("pulled", "http://s"))
        return KINDS[self.kind].dialect.generation_decoder(
            target(self.kind, "localmix-tiny"), self.request
        )

    def decoded(self, *pieces: bytes) -> list[Any]:
        decoder = self.decoder()
        deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
        deltas += decoder.close()
        return deltas if self.request is None else list(named(deltas))


def _streams() -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for path in sorted(ROOT.rglob("*.yaml")):
        for index, exchange in enumerate(read_tape(path)["exchanges"]):
            if exchange["content-type"].startswith(("application/x-ndjson", "text/event-stream")):
                kind = KIND_OF[path.relative_to(ROOT).parts[0]]
                name = f"{path.relative_to(ROOT).with_suffix('')}-{index}"
                found[name] = Recorded(kind, exchange["reply"].encode(), _request(exchange["body"]))
    return found


def _request(body: dict[str, Any]) -> GenerationRequest | None:
    if "insecure" in body:
        return None
    if "prompt" in body:
        return CompletionRequest(prompt="x")
    forced = "format" in body and "tools" in body
    return ChatRequest(
        messages=(Message(role="user", content="x"),) * len(body["messages"]),
        tools=(WEATHER,) if forced else (),
        tool_choice="required" if forced else "auto",
    )


def _ends_well(recorded: Recorded) -> bool:
    try:
        recorded.decoded(recorded.data)
    except LocalMixError:
        return False
    return True


def _step(data: bytes) -> int:
    """Give an odd distance between cuts, which so meet every part of a character and of a line."""
    return (len(data) // CUTS) | 1


STREAMS = _streams()
WHOLE = {name: recorded for name, recorded in STREAMS.items() if _ends_well(recorded)}
whole = pytest.mark.parametrize("recorded", WHOLE.values(), ids=WHOLE)


def test_there_are_streams_of_every_kind() -> None:
    assert {recorded.kind for recorded in WHOLE.values()} == set(KIND_OF.values())
    assert len(STREAMS) - len(WHOLE) > 0  # some end with an error, as they should


@pytest.mark.exhaustive
@whole
def test_cut_in_two(recorded: Recorded) -> None:
    data = recorded.data
    at_once = recorded.decoded(data)
    for cut in range(1, len(data), _step(data)):
        assert recorded.decoded(data[:cut], data[cut:]) == at_once, cut


@whole
def test_one_byte_at_a_time(recorded: Recorded) -> None:
    pieces = [bytes([byte]) for byte in recorded.data]
    assert recorded.decoded(*pieces) == recorded.decoded(recorded.data)


@pytest.mark.exhaustive
@whole
def test_no_prefix_looks_whole_that_is_not(recorded: Recorded) -> None:
    """Only what follows the reason for the end may be missing: figures, and OpenAI's end mark."""
    data = recorded.data.rstrip()
    at_once = () if recorded.request is None else said(recorded.decoded(recorded.data))
    for length in range(0, len(data), _step(data)):
        try:
            answer = recorded.decoded(recorded.data[:length])
        except LocalMixError:
            continue
        assert recorded.kind != "ollama", f"a prefix of {length} bytes looked whole"
        assert said(answer) == at_once, length


def said(steps: list[Any]) -> tuple[object, ...]:
    """Give all that the model said."""
    answer = fold(steps)
    return answer.content, answer.reasoning, answer.tool_calls, answer.finish_reason
