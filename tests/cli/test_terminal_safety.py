"""What servers say cannot drive a terminal, hide what is written, or run as a command."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from localmix.cli.diagnosis import Facts, diagnose
from localmix.cli.output import visible
from localmix.errors import ModelNotFoundError
from localmix.settings import Settings
from localmix.types import ModelInfo, Server
from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.loopback import ndjson, whole

EVIL = "a\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31mb\u202ec\x08\rd\x1b]0;title\x1b\\e\x90q\x9cf\u2066"
LEFT = "abcdef"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (EVIL, LEFT),
        ("a\r\nb\tc\n", "a\nb\tc\n"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\x1b[38;5;1mred\x1b[0m", "red"),
        ("\x1bcreset", "reset"),
        ("\x1b", ""),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("cut \x1b]52;c;never ended", "cut 52;c;never ended"),
        ("café 日本 👩\u200d🚀 עברית", "café 日本 👩\u200d🚀 עברית"),
    ],
)
def test_what_drives_a_terminal_is_stripped(written: str, shown: str) -> None:
    assert visible(written) == shown


def assert_harmless(text: str) -> None:
    assert not set(text) & set("\x1b\x9b\x9d\x90\x07\x08\r\u202e\u2066")


@pytest.mark.parametrize("words", [("status",), ("models",), ("running",)])
@pytest.mark.parametrize("as_json", [False, True])
def test_names_and_versions_are_stripped(
    run: Run, start: Start, words: tuple[str, ...], as_json: bool
) -> None:
    name = f"evil:{EVIL}"
    server = stand_ins.ollama(name, loaded=(name,))
    server.routes["GET /api/version"] = whole({"version": EVIL})
    ended = run(*words, *(["--json"] if as_json else []), "-s", start(server).url)
    assert_harmless(ended.out + ended.err)
    if as_json:  # nothing is lost there
        assert json.dumps(EVIL)[1:-1] in json.dumps(ended.json)
    else:
        assert LEFT in ended.out


def test_errors_are_stripped(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole({"error": f"no {EVIL}"}, 400)))
    for more in ((), ("--json",)):
        ended = run("chat", "hello", "-m", "tiny", "-s", server.url, *more)
        assert ended.code == 5
        assert_harmless(ended.out + ended.err)


def test_answers_are_stripped_at_a_terminal_and_whole_in_a_pipe(
    run: Run, at_terminal: Run, start: Start
) -> None:
    says = [stand_ins.ollama_says(content="a\x1b]0;x\x07b\u202e"), stand_ins.OLLAMA_DONE]
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*says)))
    words = ("chat", "hello", "-m", "tiny", "-s", server.url)
    assert at_terminal(*words).out.strip() == "ab"
    assert run(*words).out.startswith("a\x1b]0;x\x07b\u202e")


def test_names_are_no_emoji_and_no_markup(at_terminal: Run, start: Start) -> None:
    server = start(stand_ins.ollama("gpt:cloud:[red]x"))
    assert "gpt:cloud:[red]x" in at_terminal("models", "-s", server.url).out


@pytest.mark.parametrize("columns", ["80", "60", "20"])
def test_names_are_never_cut(
    at_terminal: Run, start: Start, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    name = "hf.co/somebody/A-very-long-name-of-a-model-GGUF:Q4_K_M"
    lines = at_terminal("models", "-s", start(stand_ins.ollama(name)).url).lines
    assert any(line.split()[0] == name for line in lines)
    if columns == "60":
        assert [line for line in lines if line.startswith("  size 3.0 MB, quant Q8_0")]
        assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("name", ["m$(touch x)", "m;rm -rf ~", "m`id`", "a b", "'", "-rf"])
def test_commands_to_be_copied_are_quoted(name: str) -> None:
    about: dict[str, Any] = {"server": "http://h", "kind": "ollama", "loaded": True}
    about |= {"context_length": 100_000, "loaded_context_length": 1024}
    model = ModelInfo(name, **about)
    server = Server("http://h", "ollama", name="h")
    settings = Settings.load(model=f"gone{name}", servers="http://h")
    lost = {f"gone{name}": ModelNotFoundError("It is gone.")}
    findings = diagnose(Facts(settings, (server,), (model,), lost=lost))
    commands = [each.repair for each in findings if each.repair]
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)
        assert any(word.endswith(name) for word in words), command
