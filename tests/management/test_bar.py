"""`pull(..., progress=True)`: the same steps, and a bar beside them."""

from __future__ import annotations

import sys

import pytest

from localmix.errors import ConfigError
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import ndjson
from tests.management.conftest import Start

STEPS = (
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 40},
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 100},
    {"status": "success"},
)


def test_steps_are_handed_on_and_drawn(
    either: MakeEither, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    client = either(start(stand_ins.ollama(POST__api_pull=ndjson(*STEPS))).url)
    plain = client.pull("tiny")
    assert client.pull("tiny", progress=True) == plain
    shown = capsys.readouterr()
    assert "done" in shown.err
    assert "100/100 bytes" in shown.err
    assert shown.out == ""


def test_whoever_leaves_early_leaves_no_bar_behind(either: MakeEither, start: Start) -> None:
    client = either(start(stand_ins.ollama(POST__api_pull=ndjson(*STEPS))).url)
    for _ in range(2):  # rich refuses a second bar while one is drawn
        assert len(client.pull("tiny", progress=True, at_most=1)) == 1


def test_without_rich_it_says_what_to_install(
    either: MakeEither, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = either(start(stand_ins.ollama(POST__api_pull=ndjson(*STEPS))).url)
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(ConfigError, match=r"localmix\[cli\]"):
        client.pull("tiny", progress=True)
