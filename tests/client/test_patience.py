"""A server that the user named may take its time to show what it is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, LoopbackServer


def slow(seconds: float) -> LoopbackServer:
    server = stand_ins.ollama()

    def late(reply: Any) -> Any:
        def answer(exchange: Exchange) -> None:
            time.sleep(seconds)
            reply(exchange)

        return answer

    server.routes |= {
        name: late(reply) for name, reply in server.routes.items() if name.startswith("GET")
    }
    return server


@pytest.mark.slow
def test_a_named_server_is_waited_for(either: MakeEither, start: Any) -> None:
    assert either(start(slow(1.2)).url).servers()[0].kind == "ollama"


@pytest.mark.slow
def test_a_place_that_was_only_looked_at_is_not(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(slow(1.2))
    monkeypatch.setattr("localmix.settings.OLLAMA_PORT", int(server.url.rpartition(":")[2]))
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    assert either().servers()[0].kind is None
