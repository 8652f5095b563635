"""Lines and events: split only where the format says, with bounded memory."""

from __future__ import annotations

import pytest

from localmix.errors import ProtocolError
from localmix.wire.lines import Event, EventDecoder, LineDecoder


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb", [b"a", b"b"]),
        (b"\n\n", [b"", b""]),
        ("a\u2028b\u0085c\x0bd\x0ce\x1cf\n".encode(), ["a\u2028b\u0085c\x0bd\x0ce\x1cf".encode()]),
        (b"", []),
    ],
)
def test_lines_end_at_lf_alone(data: bytes, lines: list[bytes]) -> None:
    decoder = LineDecoder()
    assert decoder.feed(data) + decoder.close() == lines


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\n", [Event(b"a")]),
        (b"data:a\n\n", [Event(b"a")]),
        (b"event: error\ndata: a\n\n", [Event(b"a", "error")]),
        (b"data: a\ndata: b\n\n", [Event(b"a\nb")]),
        (b"data: a\r\n\r\ndata: b\r\r", [Event(b"a"), Event(b"b")]),
        (b": comment\nid: 1\nretry: 5\nnonsense\n\n", []),
        (b"event: x\n\ndata: a\n\n", [Event(b"a")]),
        (b"data: a", [Event(b"a")]),
    ],
)
def test_events(data: bytes, events: list[Event]) -> None:
    decoder = EventDecoder()
    assert decoder.feed(data) + decoder.close() == events


def test_a_crlf_cut_in_two_is_one_line_end() -> None:
    decoder = EventDecoder()
    events = decoder.feed(b"data: a\r") + decoder.feed(b"\ndata: b\r") + decoder.feed(b"\n\r\n")
    assert events == [Event(b"a\nb")]


@pytest.mark.parametrize(
    "decoder",
    [LineDecoder(max_line_bytes=10), EventDecoder(max_line_bytes=10)],
    ids=["lines", "events"],
)
def test_an_endless_line_is_refused(decoder: LineDecoder | EventDecoder) -> None:
    with pytest.raises(ProtocolError, match="more than 10 bytes"):
        for _ in range(11):
            decoder.feed(b"x")


def test_an_endless_event_is_refused() -> None:
    decoder = EventDecoder(max_line_bytes=10)
    with pytest.raises(ProtocolError, match="event of more than 10 bytes"):
        for _ in range(4):
            decoder.feed(b"data: xxx\n")
