"""What the tests of managed models share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.loopback import LoopbackServer

Start = Callable[[LoopbackServer], LoopbackServer]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localmix.management.flows._PAUSE", 0.01)
    monkeypatch.setattr("localmix.dialects.lmstudio.keeper.LOOK_EVERY", 0.01)
