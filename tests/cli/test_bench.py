"""`localmix bench`: every chat model of every server is measured, and only those."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT
from tests.loopback import ndjson, whole
from tests.stand_ins import OLLAMA_DONE, ollama_says


def test_each_model_at_each_server(run: Run, start: Start) -> None:
    one, two = start(LMStudio()), start(stand_ins.ollama("tiny:latest", "far:cloud"))
    servers = ("-s", one.url, "-s", two.url)
    speeds = run("bench", "--rounds", "2", "--json", *servers).json
    assert [(speed["model"], speed["server"]) for speed in speeds] == [
        (CHAT, one.url),
        ("tiny:latest", two.url),
    ]
    assert all(speed["first_token"] > 0 for speed in speeds)
    assert all(speed["tokens_per_second"] > 0 for speed in speeds)
    assert two.count("POST /api/chat") == 3  # one to load, two to measure
    head, *rows = run("bench", "tiny", "-r", "1", *servers).lines
    assert head.split() == ["MODEL", "SERVER", "FIRST", "TOKEN", "TOKENS/S", "CHANGE"]
    assert [row.split()[0] for row in rows] == ["tiny:latest"]


def test_a_model_that_fails(run: Run, start: Start) -> None:
    broken = whole({"error": "model requires more system memory"}, 500)
    server = start(stand_ins.ollama("tiny:latest", POST__api_chat=broken))
    ended = run("bench", "-s", server.url)
    assert ended.code == 1
    assert ended.lines[1].split()[-2:] == ["-", "-"]
    assert "more system memory" in ended.err


def test_an_answer_of_one_token_has_no_rate(run: Run, start: Start) -> None:
    short = ndjson(ollama_says(content="H"), OLLAMA_DONE | {"eval_count": 1})
    whole_reply = whole({**OLLAMA_DONE, "message": {"content": "H"}})
    server = stand_ins.ollama("tiny:latest")
    server.routes["POST /api/chat"] = stand_ins.either_way(short, whole_reply)
    assert run("bench", "-s", start(server).url).lines[1].split()[-1] == "-"


def test_a_history_is_kept_and_drawn(run: Run, start: Start, tmp_path: Path) -> None:
    server = start(stand_ins.ollama("tiny:latest"))
    words = ("bench", "-r", "1", "-s", server.url)
    assert not run(*words).lines[1].endswith("%")
    picture = tmp_path / "speeds.svg"
    ended = run(*words, "--plot", "--svg", str(picture))
    assert ended.lines[1].endswith("%")
    assert "█" in ended.lines[3]
    assert ended.lines[4].endswith("2 measurements")
    (rectangle,) = ET.parse(picture).iterfind("{*}rect")
    assert rectangle.get("width") == "400"
    (tmp_path / "home/.local/state/localmix/bench.jsonl").write_text("nonsense\n[]\n")
    assert not run(*words).lines[1].endswith("%")


def test_nothing_to_measure(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama("embed:latest"))
    ended = run("bench", "-s", server.url)
    assert (ended.code, "No server has a chat model" in ended.err) == (4, True)
    assert "called none" in run("bench", "none", "-s", server.url).err
