"""Every trap, replayed: the evidence for a quirk, and that it is understood."""

from __future__ import annotations

import json

import pytest

from localmix.transport import Transport
from localmix.wire.flows import Request, Response, Timeouts, send
from tests.replay.cassettes import Recorder, Source
from tests.replay.conftest import SAMPLES, SOURCES
from tests.replay.scenarios import Stage
from tests.replay.traps import TRAPS, Trap

CASES = [
    pytest.param(source, item, id=f"{source}-{item.name}")
    for source in (*SOURCES, *SAMPLES)
    for item in TRAPS.values()
    if str(source) in item.kinds or (source in SOURCES and source.kind in item.kinds)
]


@pytest.mark.parametrize(("source", "item"), CASES)
def test_trap(recorder: Recorder, servers: list[str], source: Source, item: Trap) -> None:
    with recorder.running():
        reply = _exchange(item, servers[0])
    item.judge(reply, Stage(source))


def _exchange(item: Trap, server: str) -> Response:
    method, path = item.request.split(" ")
    body = item.body
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if body is not None else {}
    transport = Transport()
    try:
        timeouts = Timeouts(connect=5, first_byte=120, between=120)
        return transport.run(send(Request(method, server + path, timeouts, body, headers)))
    finally:
        transport.close()
