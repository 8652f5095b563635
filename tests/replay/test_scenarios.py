"""Every scenario, replayed from a recording of each server, by every player."""

from __future__ import annotations

import pytest

from tests.replay.cassettes import Recorder, Source
from tests.replay.conftest import SOURCES
from tests.replay.players import PLAYERS
from tests.replay.scenarios import SCENARIOS, Scenario, Stage

CASES = [
    pytest.param(source, item, player, colour, id=f"{source}-{item.name}-{player}-{colour}")
    for source in SOURCES
    for item in SCENARIOS.values()
    if source.kind in item.kinds
    for player in PLAYERS
    if player == "core" or not item.core_only
    for colour in ("sync", "async")
]


@pytest.mark.parametrize(("source", "item", "player", "colour"), CASES)
def test_scenario(
    recorder: Recorder,
    servers: list[str],
    source: Source,
    item: Scenario,
    player: str,
    colour: str,
) -> None:
    ask = PLAYERS[player](colour, servers)
    try:
        with recorder.running():
            item.play(ask, Stage(source))
    finally:
        ask.end()
