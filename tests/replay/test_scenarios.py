"""Every scenario, replayed from a recording of each server, by every player."""

from __future__ import annotations

from typing import Any

import pytest

from tests.replay.cassettes import Recorder, Source
from tests.replay.conftest import SOURCES
from tests.replay.players import PLAYERS
from tests.replay.scenarios import SCENARIOS, Scenario, Stage

NEWEST = {source.kind: source for source in SOURCES}


def case(source: Source, item: Scenario, player: str, colour: str) -> Any:
    """Give a case; an adapter sees what the core says: one release in one colour tells most."""
    is_more = player != "core" and (source is not NEWEST[source.kind] or colour == "async")
    return pytest.param(
        *(source, item, player, colour),
        id=f"{source}-{item.name}-{player}-{colour}",
        marks=[pytest.mark.exhaustive] if is_more else [],
    )


CASES = [
    case(source, item, player, colour)
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
