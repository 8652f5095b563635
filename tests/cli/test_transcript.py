"""docs/cli.md shows what the commands write."""

from __future__ import annotations

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is Unix's", allow_module_level=True)

from localmix.embedded.engine import stop_all
from tests.cli.test_commands import COMMANDS
from tests.cli.transcript import PAGE, ROOT, blocks, compared, stage, written_again

pytestmark = pytest.mark.slow


def test_the_page_shows_what_the_commands_write(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_all()
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("localmix.dialects.lmstudio.keeper.LOOK_EVERY", 0.01)
    page = PAGE.read_text()
    with stage(monkeypatch.setenv) as port:
        again = written_again(page, port)
    for said, came in zip(blocks(page), blocks(again), strict=True):
        assert compared(said) == compared(came)
    stop_all()


def test_every_command_is_shown() -> None:
    shown = "".join(blocks(PAGE.read_text()))
    assert not [command for command in COMMANDS if f"$ localmix {command}" not in shown]


def test_no_line_is_longer_than_a_terminal() -> None:
    for block in blocks(PAGE.read_text()):
        lines = [line for line in block.splitlines() if line[:2] not in ("$ ", '{"')]
        assert max(map(len, lines), default=0) <= 80 or "| cat" in block
