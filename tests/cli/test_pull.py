"""`localmix pull`: a bar for people, lines for pipes, steps for programs."""

from __future__ import annotations

import json
import sys
import threading

import pytest

from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.loopback import Exchange, LoopbackServer, hang_up, ndjson
from tests.management.test_pull import END, MANIFEST, one_after_the_other, part

STEPS = [part(completed, 1000) for completed in (0, 100, 150, 500, 1000)]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localmix.management.flows._PAUSE", 0.01)


def pulling(start: Start, *replies: object) -> LoopbackServer:
    server = stand_ins.ollama(POST__api_pull=one_after_the_other(*replies))  # type: ignore[arg-type]
    return start(server)


def test_lines_in_a_pipe(run: Run, start: Start) -> None:
    server = pulling(start, ndjson(MANIFEST, *STEPS, *END))
    assert run("pull", "new", "-s", server.url).lines == [
        "preparing",
        "downloading 0 % of 1.0 KB",
        "downloading 10 % of 1.0 KB",
        "downloading 50 % of 1.0 KB",
        "downloading 100 % of 1.0 KB",
        "finishing 100 % of 1.0 KB",
        f"new is at {server.url} (1.0 KB).",
    ]


def test_a_break_is_told(run: Run, start: Start) -> None:
    server = pulling(
        start, ndjson(MANIFEST, STEPS[1], end=hang_up), ndjson(MANIFEST, STEPS[3], *END)
    )
    assert "downloading (break 1) 50 % of 1.0 KB" in run("pull", "new", "-s", server.url).lines


def test_steps_for_programs(run: Run, start: Start) -> None:
    server = pulling(start, ndjson(MANIFEST, *STEPS, *END))
    steps = [json.loads(line) for line in run("pull", "new", "--json", "-s", server.url).lines]
    assert [step["status"] for step in steps][-1] == "done"
    assert steps[3]["completed"] == 150


def test_a_bar_at_a_terminal(at_terminal: Run, start: Start) -> None:
    server = pulling(start, ndjson(MANIFEST, *STEPS, *END))
    ended = at_terminal("pull", "new", "-s", server.url)
    assert "1.0/1.0 kB" in ended.out
    assert ended.lines[-1] == f"new is at {server.url} (1.0 KB)."
    assert max(map(len, ended.out.replace("\r", "\n").splitlines())) <= 80


def test_what_was_there_already(run: Run, start: Start) -> None:
    server = pulling(start, ndjson(*END))
    assert run("pull", "new", "-s", server.url).lines[-1] == f"new is at {server.url}."


def test_a_name_that_there_is_not(run: Run, start: Start) -> None:
    failing = ndjson(MANIFEST, {"error": "pull model manifest: file does not exist"})
    ended = run("pull", "new", "-s", pulling(start, failing).url)
    assert ended.code == 4
    assert "ollama.com/library" in ended.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
def test_ctrl_c_stops_the_pull(start: Start) -> None:
    from tests.cli.terminal import terminal

    gone = threading.Event()

    def until_gone(exchange: Exchange) -> None:
        if exchange.is_hung_up(timeout=30):
            gone.set()

    server = pulling(start, ndjson(MANIFEST, STEPS[1], end=until_gone))
    with terminal("pull", "new", "-s", server.url) as typed:
        typed.wait_for("downloading")
        typed.press_ctrl_c()
        typed.wait_for("The next pull resumes where this one stopped.")
        assert typed.end() == 130
    assert gone.wait(30)
    assert "Traceback" not in typed.written


def test_the_server_that_has_it_fetches(run: Run, start: Start) -> None:
    missing = ndjson(MANIFEST, {"error": "pull model manifest: file does not exist"})
    first = pulling(start, missing)
    second = pulling(start, ndjson(MANIFEST, *STEPS, *END))
    ended = run("pull", "new", "-s", first.url, "-s", second.url)
    assert ended.code == 0
    assert ended.lines[-1] == f"new is at {second.url} (1.0 KB)."
    assert f"{first.url} found no model new to pull" in ended.err
    assert f"{second.url} is fetching new." in ended.err
    assert first.count("POST /api/pull") == 1
    assert run("pull", "new", "-s", first.url).code == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
def test_rm_asks(start: Start) -> None:
    from tests.cli.terminal import terminal
    from tests.loopback import whole

    gone = whole(b"", content_type="text/plain")
    server = start(stand_ins.ollama("tiny:latest", DELETE__api_delete=gone))
    for answer, deleted in (("n", 0), ("y", 1)):
        with terminal("rm", "tiny", "-s", server.url) as typed:
            typed.wait_for("Delete tiny:latest (3.0 MB) at http://127.0.0.1:")
            typed.type(answer)
            assert typed.end() == (0 if deleted else 1)
        assert server.count("DELETE /api/delete") == deleted


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
def test_embed_needs_a_text() -> None:
    from tests.cli.terminal import terminal

    with terminal("embed") as typed:
        typed.wait_for('Try: localmix embed "a text"')
        assert typed.end() == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
def test_status_is_watched_until_ctrl_c(start: Start) -> None:
    from tests.cli.terminal import terminal

    server = start(stand_ins.ollama())
    with terminal("status", "--watch", "0.1", "-s", server.url) as typed:
        typed.wait_for("available")
        typed.wait_for("available")
        typed.press_ctrl_c()
        assert typed.end() == 130
