"""The folder of recordings keeps its promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.langchain.test_standard import OLLAMA as STANDARD
from tests.llamaindex.conversations import CONVERSATIONS
from tests.llamaindex.test_replays import RECORDED
from tests.replay.cassettes import ROOT, Recorder, Source, read_tape
from tests.replay.conftest import SAMPLES, SOURCES
from tests.replay.scenarios import SCENARIOS
from tests.replay.test_traps import CASES as TRAP_CASES

FILES = sorted(ROOT.rglob("*.yaml"))
files = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
HEAD = {"provenance", "server", "about", "exchanges"}
EXCHANGE = {"request", "port", "body", "status", "content-type", "reply"}
MAX_BYTES = 64 * 1024
PRIVATE = re.compile(
    r"/home/|/Users/|/root/|/tmp/|/work/|[Aa]uthorization|Bearer |sk-lm-|localdomain|[A-Z]:\\\\"
)


@files
def test_a_cassette_says_where_it_comes_from_and_holds_nothing_private(path: Path) -> None:
    text = path.read_text()
    tape: dict[str, Any] = read_tape(path)
    kind, version, _ = path.relative_to(ROOT).parts
    assert set(tape) <= HEAD
    assert tape["server"] == f"{kind} {version}"
    assert tape["provenance"] == ("documented" if kind == "lmstudio" else "recorded")
    assert tape["exchanges"]
    for exchange in tape["exchanges"]:
        assert set(exchange) <= EXCHANGE
    assert not PRIVATE.search(text), PRIVATE.search(text)
    assert len(text) < MAX_BYTES


def test_every_cassette_is_played_and_every_case_has_one() -> None:
    wanted = {
        ROOT / source.kind / source.version / f"{item.name}.yaml"
        for source in SOURCES
        for item in SCENARIOS.values()
        if source.kind in item.kinds
    }
    for case in TRAP_CASES:
        source, item = case.values
        assert isinstance(source, Source)
        wanted.add(source.folder / f"{item.name}.yaml")  # type: ignore[union-attr]
    wanted |= {
        source.folder / f"llamaindex-{name}.yaml" for source in RECORDED for name in CONVERSATIONS
    }
    standard = {path for path in FILES if path.parent == STANDARD.folder}
    assert set(FILES) == wanted | standard
    assert standard
    assert all(sample.folder.is_dir() for sample in SAMPLES)


def test_ci_cannot_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    recorder = Recorder(SOURCES[0], "chat", urls=("http://127.0.0.1:9",))
    with pytest.raises(RuntimeError, match="CI must not record"), recorder.running():
        pass


def test_an_unplayed_exchange_fails() -> None:
    recorder = Recorder(SOURCES[0], "chat")
    with pytest.raises(AssertionError, match="not played: .*GET /api/tags"), recorder.running():
        pass


def test_a_changed_request_fails() -> None:
    """A recording that fits almost does not fit."""
    import httpx

    recorder = Recorder(SOURCES[0], "chat")
    with recorder.running(), httpx.Client(verify=False) as http:
        with pytest.raises(Exception, match="No match for the request"):
            http.post("http://127.0.0.1:8080/api/chat", json={"model": "localmix-tiny"})
        for request, _ in recorder.tape.data:
            http.request(request.method, request.uri, content=request.body)


def test_the_cassettes_that_the_documents_name_exist() -> None:
    """docs/servers.md shows each row by a recording."""
    text = (ROOT.parent / "docs" / "servers.md").read_text()
    names = {path.stem for path in FILES}
    shown = set(re.findall(r"`(?:[\w.*-]+-samples/)?((?:trap-)?[a-z0-9]+(?:-[a-z0-9]+)+)`", text))
    assert shown
    assert not {name for name in shown if name not in names}
