"""The same real uses, replayed from recordings of Ollama and of the LM Studio stand-in."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.llamaindex.conversations import CONVERSATIONS, Kit
from tests.lmstudio.server import EMBED
from tests.replay.cassettes import CANONICAL, Recorder, Source
from tests.replay.conftest import SOURCES

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PLAYED = ("ollama-0.12.11", "ollama-0.33.0-rc2", "lmstudio-0.4")
RECORDED = [source for source in SOURCES if str(source) in PLAYED]


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay needs none."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"a replay connects to {address}")

    if not request.config.getoption("--url"):
        monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("source", RECORDED, ids=str)
def test_a_real_use(request: pytest.FixtureRequest, source: Source, name: str) -> None:
    urls = tuple(request.config.getoption("--url") or ())
    recorder = Recorder(source, f"llamaindex-{name}", urls)
    kit = Kit.on(
        urls or CANONICAL[:1], EMBED if source.kind == "lmstudio" else "localmix-tiny-embed"
    )
    with recorder.running():
        CONVERSATIONS[name](kit)
