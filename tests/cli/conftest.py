"""Run commands as a user would: in a pipe, or at a terminal of 80 columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from localmix.cli.app import app
from tests.loopback import LoopbackServer

Start = Callable[[LoopbackServer], LoopbackServer]


@dataclass(frozen=True)
class Ended:
    """Hold what a command wrote, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture(scope="session", autouse=True)
def _the_commands_are_built_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(autouse=True)
def _nothing_else_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no server of this machine, no terminal and no earlier run decide a test."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("localmix.settings.OLLAMA_PORT", 9)
    monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", 9)
    monkeypatch.setattr("localmix.cli.doctor._NOBODYS", "127.0.0.2")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture
def run() -> Run:
    """Run a command in a pipe: `run("models", "--json")`."""

    def run(*words: str, stdin: str = "") -> Ended:
        result = CliRunner().invoke(app, words, input=stdin, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def at_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command at a terminal of 80 columns; colours are taken off."""

    def at_terminal(*words: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            ended = run(*words)
        return Ended(ended.code, without_colours(ended.out), without_colours(ended.err))

    return at_terminal


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
