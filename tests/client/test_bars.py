"""`progress=True`: the same steps and vectors, and a bar beside them."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr
from types import ModuleType
from typing import Any

import pytest

from localmix.errors import ConfigError
from tests import stand_ins
from tests.client.test_bulk import MANY, Embedder, numbered
from tests.either import Either, MakeEither
from tests.loopback import ndjson

STEPS = (
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 40},
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 100},
    {"status": "success"},
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


@pytest.fixture
def client(either: MakeEither, start: Any) -> Either:
    routes: Any = {"POST__api_pull": ndjson(*STEPS), "POST__api_embed": Embedder()}
    return either(start(stand_ins.ollama(**routes)).url)


@pytest.fixture(params=["rich", "tqdm"])
def drawn_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(sys.modules, {"rich": "tqdm", "tqdm": "rich"}[request.param], None)
    name: str = request.param
    return name


def test_steps_are_handed_on_and_drawn(client: Either, drawn_by: str, terminal: Terminal) -> None:
    plain = client.pull("tiny")
    with redirect_stderr(terminal):
        assert client.pull("tiny", progress=True) == plain
    shown = terminal.getvalue()
    assert "done" in shown
    assert ("100/100 bytes" if drawn_by == "rich" else "100/100 [") in shown


def test_vectors_are_handed_on_and_drawn(client: Either, drawn_by: str, terminal: Terminal) -> None:
    plain = client.embed_many(numbered(45), **MANY)
    with redirect_stderr(terminal):
        assert client.embed_many(numbered(45), progress=True, **MANY) == plain
    shown = terminal.getvalue()
    assert "embedding" in shown
    assert "45/45" in shown
    if drawn_by == "tqdm":
        assert "texts/s" in shown


def test_texts_that_nobody_has_counted(client: Either, drawn_by: str, terminal: Terminal) -> None:
    with redirect_stderr(terminal):
        client.embed_many((text for text in numbered(45)), progress=True, **MANY)
    assert ("45/?" if drawn_by == "rich" else "45 texts") in terminal.getvalue()


def test_without_a_terminal_the_end_is_written(
    client: Either, drawn_by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client.pull("tiny", progress=True)
    client.embed_many(numbered(45), progress=True, **MANY)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "100/100" in shown.err
    assert "45/45" in shown.err


def test_a_notebook_has_a_bar_of_tqdm(
    client: Either, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    client.pull("tiny", progress=True)
    assert "100/100 [" in capsys.readouterr().err


def test_whoever_leaves_early_leaves_no_bar_behind(client: Either, terminal: Terminal) -> None:
    with redirect_stderr(terminal):
        for _ in range(2):
            assert len(client.pull("tiny", progress=True, at_most=1)) == 1
    assert terminal.getvalue().count("\x1b[?25h") == 2  # the cursor is there again


def test_without_either_it_says_what_to_install(
    client: Either, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    for ask in (
        lambda: client.pull("tiny", progress=True),
        lambda: client.embed_many(["hello"], progress=True),
    ):
        with pytest.raises(ConfigError, match=r"localmix\[cli\].*pip install tqdm"):
            ask()
