"""Replay by default; record with `--record KIND --url URL` (see `make record`)."""

from __future__ import annotations

import pytest

from tests.replay.cassettes import CANONICAL, Recorder, Source
from tests.replay.scenarios import Scenario
from tests.replay.traps import Trap

_STAND_IN = (
    "played by tests/lmstudio, which names the source of each rule (LM Studio's documentation and"
    " public recordings of 0.3.14 to 0.4.25); the words are localmix-tiny's"
)
_SAMPLES = "raw exchanges of 21 November 2026, read off the socket, not recorded with VCR.py"
# What cannot be provoked from outside: a runner that is killed, a queue that is full.
SAMPLES = (
    Source("ollama", "0.12.11-samples", about=_SAMPLES),
    Source("ollama", "0.32.15-samples", about=_SAMPLES),
)
SOURCES = (  # of each kind, the newest last
    Source("ollama", "0.12.11", about="localmix-tiny by Modelfile.go-template, CPU"),
    Source("ollama", "0.33.0-rc2", about="localmix-tiny by Modelfile, llama-server inside, CPU"),
    Source("llamacpp", "b11549", about="xllamacpp 2026.10.11549, two processes, CPU"),
    Source("lmstudio", "0.3", "documented", _STAND_IN),
    Source("lmstudio", "0.4", "documented", _STAND_IN),
)


@pytest.fixture
def recorder(request: pytest.FixtureRequest, source: Source, item: Scenario | Trap) -> Recorder:
    """Give the tape of a scenario on a server."""
    urls = request.config.getoption("--url") or ()
    return Recorder(source, item.name, tuple(urls))


@pytest.fixture
def servers(recorder: Recorder) -> list[str]:
    """Give the addresses where the client finds the servers."""
    if recorder.urls:
        return list(recorder.urls)
    return list(CANONICAL[: 2 if recorder.source.kind == "llamacpp" else 1])


@pytest.fixture(autouse=True)
def _replays_need_no_sockets(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--url"):
        request.getfixturevalue("no_sockets")
