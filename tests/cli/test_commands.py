"""Each command: what it writes for people, for pipes and for programs, and how it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import localmix
from localmix import cli, errors
from localmix.cli.app import app
from localmix.cli.arguments import complete_model
from localmix.cli.exits import MEANINGS, code_of
from localmix.embedded.engine import stop_all
from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT, EMBED
from tests.loopback import whole

COMMANDS = [command.name or "" for command in app.registered_commands if not command.hidden]


@pytest.fixture
def lmstudio(start: Start, monkeypatch: pytest.MonkeyPatch) -> LMStudio:
    """Have an LM Studio with a real model behind it where every command looks."""
    server = LMStudio()
    start(server)
    monkeypatch.setenv("LM_STUDIO_BASE_URL", server.url)
    return server


def test_status(run: Run, lmstudio: LMStudio) -> None:
    lmstudio.loaded = {CHAT: CHAT}
    ended = run("status")
    assert ended.code == 0
    assert ended.lines[0].split() == ["SERVER", "KIND", "VERSION", "STATE", "LOADED"]
    assert ended.lines[1].split() == [lmstudio.url, "lmstudio", "available", CHAT]
    assert "http://127.0.0.1:9: could not be reached: Connection refused." in ended.lines
    found = {server["url"]: server for server in run("status", "--json").json}
    assert found[lmstudio.url]["loaded"] == [CHAT]
    nobody = found["http://127.0.0.1:9"]
    assert (nobody["kind"], nobody["state"]) == (None, "unavailable")


def test_status_when_nothing_runs(run: Run) -> None:
    ended = run("status")
    assert ended.code == 3
    assert "localmix doctor" in ended.lines[0]
    assert run("status", "--json").code == 3


def test_status_tells_of_an_imitation(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(GET__=whole(b"I am another")))
    assert "another program" in run("status", "-s", server.url).lines[-1]


def test_models_are_joined(run: Run, start: Start) -> None:
    one, two = start(stand_ins.ollama("tiny:latest")), start(stand_ins.lmstudio("tiny"))
    servers = ("-s", one.url, "-s", two.url)
    head, first, second = run("models", *servers).lines
    assert head.split() == ["NAME", "SIZE", "QUANT", "CONTEXT", "CAN", "LOADED", "WHERE"]
    assert first.split()[0] == "tiny:latest"
    assert first.split()[-1] == one.url.removeprefix("http://")
    assert second.startswith("= tiny ")
    assert "81fbd01b23a8" in run("models", "--digests", *servers).lines[1]
    (model,) = run("models", "--json", *servers).json
    assert [place["server"] for place in model["places"]] == [one.url, two.url]
    assert model["loaded"] is False


def test_no_models(run: Run, start: Start) -> None:
    empty = whole({"models": []})
    server = start(stand_ins.ollama(GET__api_tags=empty))
    assert run("models", "-s", server.url).lines == [
        "No server has a model. Get one: localmix pull NAME"
    ]
    assert run("running", "-s", server.url).lines == ["No model is loaded."]


def test_show(run: Run, lmstudio: LMStudio) -> None:
    facts = {line[:13].strip(): line[14:].strip() for line in run("show", CHAT).lines}
    assert facts["quantization"] == "Q8_0"
    assert facts["trained for"] == "2,048 tokens"
    assert facts["loaded"] == "no"
    assert facts["can"] == "chat, thinking, tools"
    assert "vectors" not in facts
    assert run("show", EMBED, "--json").json["purpose"] == "embedding"


def test_show_tells_of_an_instance(run: Run, lmstudio: LMStudio) -> None:
    lmstudio.loaded = {"my-tiny": CHAT}
    ended = run("show", CHAT)
    assert "loaded        yes, for 2,048 tokens" in ended.lines
    assert "also called   my-tiny" in ended.lines


def test_show_an_embedding_model_of_the_engine(
    run: Run, engine_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "vectors       96 numbers" in run("show", "localmix-tiny-embed").lines


def test_load_running_unload(run: Run, lmstudio: LMStudio) -> None:
    (said,) = run("load", CHAT, "--context", "1024").lines
    assert said.startswith(f"{CHAT} is loaded at {lmstudio.url}, for 1,024 tokens (")
    _, row = run("running").lines
    assert row.split() == [CHAT, "1,024", lmstudio.url.removeprefix("http://")]
    assert run("load", CHAT, "--json").json["loaded_context_length"] == 1024
    assert run("running", "--json").json[0]["name"] == CHAT
    assert run("unload", CHAT).lines == [f"{CHAT} was unloaded from {lmstudio.url}."]
    assert run("unload", CHAT).lines == [f"{CHAT} was not loaded."]
    assert run("unload", CHAT, "--json").json == []


def test_running_tells_memory_and_time(run: Run, start: Start) -> None:
    def entry(name: str, expires_at: str) -> dict[str, Any]:
        about = {"name": name, "digest": "81fbd01b23a85376", "context_length": 4096}
        return about | {"size": 4_000_000_000, "size_vram": 1_000_000_000, "expires_at": expires_at}

    loaded = [entry("a:latest", "2026-01-01T00:00:00Z"), entry("b:latest", "2300-01-01T00:00:00Z")]
    server = stand_ins.ollama("a:latest", "b:latest", "c:latest", "d:latest")
    soon = "2099-01-01T00:00:00.123456789+02:00"
    loaded += [entry("c:latest", soon), entry("d:latest", "soon")]
    server.routes["GET /api/ps"] = whole({"models": loaded})
    rows = run("running", "-s", start(server).url).lines[1:]
    assert rows[0].split()[:7] == ["a:latest", "4.0", "GB", "25", "%", "4,096", "0"]
    assert ["min" in row for row in rows] == [False, False, True, False]
    told = run("running", "--json", "-s", server.url).json
    assert told[0]["unload_at"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("written", "seconds"), [("forever", -1), ("90", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)]
)
def test_how_long_to_stay(run: Run, start: Start, written: str, seconds: float) -> None:
    server = start(stand_ins.ollama(POST__api_generate=whole({"done": True})))
    assert run("load", "tiny", "--keep", written, "-s", server.url).code == 0
    assert server.last("POST /api/generate").json["keep_alive"] == seconds


def test_copy_and_rm(run: Run, start: Start) -> None:
    done = whole(b"", content_type="text/plain")
    server = stand_ins.ollama(
        "tiny:latest", "second:latest", POST__api_copy=done, DELETE__api_delete=done
    )
    url = start(server).url
    assert run("copy", "tiny", "second", "--yes", "-s", url).lines == [
        f"second:latest is tiny at {url}."
    ]
    assert run("copy", "tiny", "second", "-y", "-s", url, "--json").json["name"] == "second:latest"
    unasked = run("rm", "second", "-s", url)
    assert (unasked.code, unasked.out) == (2, "")
    assert "Add --yes" in unasked.err
    assert server.count("DELETE /api/delete") == 0
    assert run("rm", "second", "--yes", "-s", url).lines == [
        f"second:latest (3.0 MB) was deleted from {url}."
    ]
    assert run("rm", "second", "-y", "--json", "-s", url).json["size_bytes"] == 3_034_903


def test_several_are_deleted_or_none(run: Run, start: Start) -> None:
    done = whole(b"", content_type="text/plain")
    server = start(stand_ins.ollama("one:latest", "two:latest", DELETE__api_delete=done))
    assert run("rm", "one", "none", "--yes", "-s", server.url).code == 4
    assert server.count("DELETE /api/delete") == 0
    assert len(run("rm", "one", "two", "--yes", "-s", server.url).lines) == 2


def test_unload_all(run: Run, lmstudio: LMStudio) -> None:
    assert run("unload", "--all").lines == ["No model is loaded."]
    lmstudio.loaded = {CHAT: CHAT, EMBED: EMBED}
    assert sorted(run("unload", "--all").lines) == [
        f"{CHAT} was unloaded from {lmstudio.url}.",
        f"{EMBED} was unloaded from {lmstudio.url}.",
    ]
    assert run("unload").code == run("unload", CHAT, "--all").code == 2


def test_names_of_habit(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    for habit, own in {"ls": "models", "list": "models", "ps": "running"}.items():
        assert run(habit, "-s", server.url).out == run(own, "-s", server.url).out
    assert run("stop", "tiny", "-s", server.url).lines == ["tiny was not loaded."]
    assert run("cp", "none", "second", "-s", server.url).code == 4
    (_, row) = run("models", "OTH", "-s", server.url).lines
    assert row.startswith("other:latest")
    assert "contains 'zzz'" in run("models", "zzz", "-s", server.url).out


def test_search(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama("tiny-qwen:latest", "other:latest"))
    first, *others = run("search", "qwen", "tiny", "-s", server.url).lines
    assert first == "tiny-qwen:latest is already here."
    assert "Ollama: https://ollama.com/search?q=qwen+tiny" in others
    assert "LM Studio: lms get 'qwen tiny'" in others
    assert run("search", "q", "--json", "-s", "127.0.0.1:9").json["here"] == []


def test_route(run: Run, start: Start) -> None:
    one, two = (start(stand_ins.ollama("tiny:latest")) for _ in range(2))
    servers = ("-s", one.url, "-s", two.url)
    place, reason, other = run("route", "tiny", *servers).lines
    assert place == f"tiny:latest at {one.url} (ollama)"
    assert reason.endswith("first in your order")
    assert other == f"then tiny:latest at {two.url} (ollama)"
    assert run("route", "--json", *servers).json["model"] == "tiny:latest"
    nobody = run("route", "--embedding", *servers)
    assert (nobody.code, "for embedding" in nobody.err) == (4, True)


def test_a_need_that_nobody_has(run: Run, lmstudio: LMStudio) -> None:
    assert run("route", CHAT, "--need", "vision").code == 5
    assert "Wrong needs[0]: Input should be 'tools', 'vision'" in run("route", "-n", "visoin").err
    assert run("route", CHAT, "--context", "4096").code == 5
    assert run("route", CHAT, "--need", "wings").code == 2


def test_embed(run: Run, at_terminal: Run, lmstudio: LMStudio) -> None:
    import json

    ended = run("embed", "a river", "a lamp")
    vectors = [json.loads(line) for line in ended.lines]
    assert [len(vector) for vector in vectors] == [96, 96]
    assert run("embed", "--model", EMBED, stdin="a river\n\na lamp\n").lines == [
        ended.lines[0],
        "null",
        ended.lines[1],
    ]
    assert run("embed", "a river", "--json").json["vectors"][0] == vectors[0]
    assert at_terminal("embed", "a river").out.startswith("a river: 96 numbers: ")


def test_embed_into_files(
    run: Run, lmstudio: LMStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    import numpy as np

    def written(name: str) -> Path:
        file = tmp_path / name
        assert run("embed", "-o", str(file), stdin="a river\n\na lamp\n").code == 0
        return file

    monkeypatch.setattr("localmix.cli.embed._AT_ONCE", 2)
    rows = [json.loads(line) for line in written("a.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == ["a river", "", "a lamp"]
    assert rows[1]["vector"] is None
    array = np.load(written("a.npy"))
    assert array.shape == (3, 96)
    assert np.isnan(array[1]).all()
    assert array[2] == pytest.approx(rows[2]["vector"])
    odd = run("embed", "x", "-o", str(tmp_path / "a.csv"))
    assert (odd.code, ".parquet" in odd.err) == (2, True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    missing = run("embed", "x", "-o", str(tmp_path / "a.parquet"))
    assert (missing.code, "pip install pyarrow" in missing.err) == (2, True)


def test_config(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing is set" in run("config").out
    monkeypatch.setenv("LM_API_TOKEN", "sk-lm-s3cret")
    monkeypatch.setenv("LOCALMIX_SERVERS", "http://me:s3cret@127.0.0.1:5, 127.0.0.1:6")
    (tmp_path / "localmix.toml").write_text(
        'aliases = {small = ["tiny", "other"]}\ntimeout = 5.0\n'
    )
    ended = run("config")
    assert "s3cret" not in ended.out + run("config", "--all").out + run("config", "--json").out
    rows = {line.split()[0]: line for line in ended.lines}
    assert rows["lm_api_token"].split() == ["lm_api_token", "***", "environment", "LM_API_TOKEN"]
    assert "http://127.0.0.1:5, http://127.0.0.1:6" in rows["servers"]
    assert "small: tiny, other" in rows["aliases"]
    assert rows["timeout"].endswith("localmix.toml")
    assert "max_retries" not in rows
    everything = run("config", "--json").json
    assert everything["max_retries"] == {"value": 2, "source": "default"}
    assert everything["digests"] == {"value": {}, "source": "default"}
    assert any(line.startswith("max_retries") for line in run("config", "--all").lines)


def test_config_trust(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALMIX_SERVERS", "http://127.0.0.1:9")
    assert run("config", "trust").code == 2
    file = tmp_path / "localmix.toml"
    file.write_text(
        'ollama_base_url = "http://me:s3cret@box"\nmodels_path = "m"\ntimeout = 3\n'
        'servers = ["http://other"]\nollama_api_key = "s3cret"\n'
    )
    assert "ollama_base_url" not in run("config").out
    assert f"{file} is not trusted" in caplog.text
    assert run("config", "trust").lines == [
        f"{file} is trusted until it changes.",
        "  ollama_base_url: http://box",
        "  models_path: m",
        "  servers: a stronger source overrides it",
        "  ollama_api_key: ***",
    ]
    assert "http://box" in run("config").out
    assert set(run("config", "trust", "--json").json) == {str(file)}
    assert run("config", "distrust").code == 2


def test_config_set_and_get(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (path,) = run("config", "path").lines
    file = Path(path)
    assert run("config", "set", "timeout", "60").lines == [f"timeout is 60.0 ({file})."]
    file.write_text("# mine\ntimeout = 5\n\n[aliases]\nsmall = 'tiny'\n")
    assert run("config", "set", "timeout", "60.5").code == 0
    assert run("config", "set", "servers", "http://127.0.0.1:5", "box=http://box:1").code == 0
    assert run("config", "set", "model", "qwen3:8b").code == 0
    assert file.read_text() == (
        '# mine\ntimeout = 60.5\nservers = ["http://127.0.0.1:5", "box=http://box:1"]\n'
        "model = \"qwen3:8b\"\n\n[aliases]\nsmall = 'tiny'\n"
    )
    assert file.stat().st_mode & 0o077 == 0
    assert run("config", "get", "timeout").lines == ["60.5"]
    assert run("config", "get", "servers", "--json").json == ["http://127.0.0.1:5", "http://box:1"]
    assert run("config", "set", "lm_api_token", "s3cret").code == 0
    assert run("config", "get", "lm_api_token").lines == ["***"]
    monkeypatch.setenv("LOCALMIX_TIMEOUT", "7")
    assert "environment LOCALMIX_TIMEOUT overrides it" in run("config", "set", "timeout", "8").out
    assert run("config", "set", "model").code == 0
    assert "model" not in file.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "timout", "5"), "Did you mean timeout?"),
        (("set", "timeout", "soon"), "Wrong timeout"),
        (("set", "aliases", "x"), "not JSON"),
        (("get",), "Which setting?"),
        (("get", "timout"), "Did you mean timeout?"),
    ],
)
def test_config_mistakes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("config", *words)
    assert (ended.code, said in ended.err) == (2, True), ended.err
    assert not Path(run("config", "path").lines[0]).exists()


def test_config_edit(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDITOR", "echo 'timeout = 9' >>")
    monkeypatch.delenv("VISUAL", raising=False)
    assert run("config", "edit").code == 0
    assert run("config", "get", "timeout").lines == ["9.0"]


# Errors


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "none"), 4, "No server holds the model 'none'"),
        (("load", CHAT, "--keep", "soon"), 2, "'soon' is not a duration"),
        (("rm", CHAT, "--yes"), 5, "My Models"),
        (("copy", CHAT, "second"), 5, f"lms load {CHAT} --identifier second"),
        (("chat", "--model", EMBED, "Hello"), 5, ""),
        (("models", "--server", "ftp://x"), 2, "not the address of a server"),
        (("models", "-s", "127.0.0.1:9"), 3, "No model server answered"),
        (("nonsense",), 2, "No such command"),
        (("load",), 2, "Missing argument"),
    ],
)
def test_a_mistake_is_a_sentence_and_a_code(
    run: Run, lmstudio: LMStudio, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = run(*words)
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not ended.out


def test_an_error_as_json(run: Run, lmstudio: LMStudio) -> None:
    import json

    ended = run("show", "none", "--json")
    error = json.loads(ended.err)["error"]
    assert (ended.code, ended.out) == (4, "")
    assert error["type"] == "ModelNotFoundError"
    assert error["hint"].startswith("Nearest names")
    nobody = json.loads(run("models", "-s", "127.0.0.1:9", "--json").err)["error"]
    assert nobody["attempts"][0]["server"] == "http://127.0.0.1:9"


def test_every_error_has_a_code_that_is_explained() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LocalMixError)
    ]
    assert {code_of(kind("x")) for kind in kinds} <= set(MEANINGS)
    assert code_of(errors.ModelChangedError("x")) == 4
    assert code_of(errors.DownloadError("x")) == code_of(errors.TimedOutError("x")) == 6
    assert code_of(errors.ProtocolError("x")) == 1


def test_the_codes_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {code} | {meaning} |" in text


# Help, completion, installation


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_fits(run: Run, command: str) -> None:
    ended = run(command, "--help")
    assert ended.code == 0
    assert f"  localmix {command}" in ended.out
    assert "--json" in ended.out
    assert max(map(len, ended.lines)) <= 80


def test_every_command_is_there(run: Run) -> None:
    expected = "status models show running pull search load unload copy rm chat run embed route"
    assert {*COMMANDS} == {*expected.split(), "doctor", "bench", "serve", "config"}
    assert run("--version").out == f"localmix {localmix.__version__}\n"
    assert run("-h").code == 0
    assert "--install-completion" in run("--help").out


@pytest.mark.parametrize("command", ["status", "models", "running"])
def test_tables_fit_a_terminal(at_terminal: Run, start: Start, command: str) -> None:
    name = "somebody/a-model-with-a-very-long-name-indeed:34b-instruct-q4_K_M"
    server = start(stand_ins.ollama(name, "tiny:latest", loaded=(name,)))
    ended = at_terminal(command, "-s", server.url)
    assert ended.code == 0
    assert max(map(len, ended.lines)) <= 80


def test_names_are_completed(lmstudio: LMStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete_model("local") == [CHAT]
    assert complete_model("") == [CHAT, EMBED]
    monkeypatch.delenv("LM_STUDIO_BASE_URL")
    assert complete_model("") == []


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for name in [name for name in sys.modules if name.startswith("localmix.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert 'pip install "localmix[cli]"' in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("module", ["localmix", "localmix.cli"])
def test_it_runs_as_a_module(module: str) -> None:
    import subprocess

    words = [sys.executable, "-m", module, "--version"]
    assert subprocess.check_output(words, text=True) == f"localmix {localmix.__version__}\n"


def test_ctrl_c_outside_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("localmix.cli.app.app", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130


def test_another_missing_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("localmix.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "localmix.cli.app", None)
    with pytest.raises(ModuleNotFoundError, match="localmix.cli.app"):
        cli.main()


def test_the_engine_ends_with_the_command(run: Run, engine_alone: None) -> None:
    """What the embedded engine loads stays for as long as the program runs."""
    stop_all()
    assert "is loaded at embedded:" in run("load", "localmix-tiny").out
    stop_all()
