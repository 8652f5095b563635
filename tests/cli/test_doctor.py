"""`localmix doctor`: each trouble is recognised, and the command that repairs it is named."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from localmix.cli import doctor
from localmix.cli.diagnosis import Facts, Finding, diagnose
from localmix.settings import Settings
from localmix.types import ModelInfo, Server
from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.cli.sandbox import Sandbox, free_port, set_engine, set_usual
from tests.conftest import TINY_MODELS
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT as CHAT_MODEL
from tests.loopback import Exchange, LoopbackServer, ndjson, whole

HERE = Server("http://127.0.0.1:9", "ollama", "0.33.0", name="127.0.0.1:9")
CHAT = ModelInfo("qwen3:8b", HERE.url, "ollama", context_length=40_960)
EMBED = ModelInfo("nomic-embed-text:latest", HERE.url, "ollama", "embedding")


@pytest.fixture(autouse=True)
def _only_what_the_test_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_usual(monkeypatch)
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9,))
    monkeypatch.setattr(doctor, "LMSTUDIO_APP_PORTS", (9,))
    monkeypatch.setattr(doctor, "own_addresses", list)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.chdir(tmp_path)


def port_of(server: LoopbackServer) -> int:
    return int(server.url.rpartition(":")[2])


def troubles(**facts: Any) -> list[Finding]:
    given = {"settings": Settings.load(), "servers": (HERE,), "models": (CHAT,), **facts}
    return [finding for finding in diagnose(Facts(**given)) if finding.level != "good"]


def test_all_is_well(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(loaded=("tiny:latest",)))
    ended = run("doctor", "-s", server.url)
    assert ended.code == 0
    assert ended.lines == [
        f"ok: ollama 0.32.15 answers at {server.url}.",
        "ok: 2 models, 1 of them loaded.",
    ]
    assert run("doctor", "--json", "-s", server.url).json[0]["level"] == "good"


def test_nothing_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("doctor")
    assert ended.code == 1
    assert ended.lines[0] == (
        "TROUBLE: No model server is running; looked at http://127.0.0.1:9, http://[::1]:9."
    )
    assert "install Ollama" in ended.lines[1]
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert run("doctor").lines[1].strip() == "ollama serve"
    monkeypatch.setattr("shutil.which", lambda name: name if name == "lms" else None)
    assert run("doctor").lines[1].strip() == "lms server start"


def test_a_wrong_port(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port_of(server)))
    repair = f"    localmix config set ollama_base_url {server.url}"
    ended = run("doctor")
    assert f"TROUBLE: ollama answers at {server.url}, where localmix does not look." in ended.lines
    assert ended.lines[1] == repair
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:19")
    ended = run("doctor")
    assert "http://127.0.0.1:19 is named in your settings" in ended.lines[0]
    assert f"ollama answers at {server.url}." in ended.lines[0]
    assert ended.lines[1] == f"    export OLLAMA_HOST={server.url}"


def test_a_named_server_is_off(run: Run) -> None:
    ended = run("doctor", "-s", "127.0.0.1:19")
    assert ended.lines[0].startswith("TROUBLE: http://127.0.0.1:19 is named in your settings")
    assert "install Ollama" in ended.lines[1]
    assert len(ended.lines) == 2


def test_lmstudios_server_is_switched_off(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start(LoopbackServer({"GET /lmstudio-greeting": whole({"lmstudio": True})}))
    monkeypatch.setattr(doctor, "LMSTUDIO_APP_PORTS", (9, port_of(app)))
    ended = run("doctor")
    assert ended.lines[0] == "TROUBLE: LM Studio is running, but its server is off."
    assert ended.lines[1] == "    lms server start"


def test_bound_to_another_host(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port))
        monkeypatch.setattr(doctor, "own_addresses", lambda: ["127.0.0.2"])
        ended = run("doctor")
    assert ended.lines[0].startswith(f"TROUBLE: A server listens at 127.0.0.2:{port}, but not on")
    assert ended.lines[1] == f"    localmix config set servers http://127.0.0.2:{port}"


def test_a_host_that_listens_for_itself_alone() -> None:
    settings = Settings.load(servers=["http://box:11434"])
    silent = Server("http://box:11434", problem="could not be reached: Connection refused.")
    (trouble,) = troubles(settings=settings, servers=(silent,), models=())
    assert trouble.what.endswith("on box:")
    assert trouble.repair == "OLLAMA_HOST=0.0.0.0:11434 ollama serve"
    settings = Settings.load(lm_studio_base_url="http://box:4321")
    silent = Server("http://box:4321", problem="could not be reached: Connection refused.")
    (trouble,) = troubles(settings=settings, servers=(silent,), models=())
    assert trouble.repair == "lms server start --bind 0.0.0.0 --port 4321"


def test_a_token_is_missing(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(LMStudio(token="sk-lm-abcdefgh:12345678901234567890"))
    monkeypatch.setenv("LM_STUDIO_BASE_URL", server.url)
    ended = run("doctor")
    assert ended.code == 1
    assert ended.lines[0].startswith(f"TROUBLE: {server.url} needs a token, or a different one")
    assert ended.lines[1] == "    export LM_API_TOKEN=YOUR_TOKEN"


def test_no_model(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(GET__api_tags=whole({"models": []})))
    assert run("doctor", "-s", server.url).lines[1:] == [
        "TROUBLE: No server has a model.",
        "    localmix pull ollama/qwen3:4b",
    ]
    other = Server("http://a", "openai")
    assert "manual" in troubles(servers=(other,), models=())[0].repair


def test_embedding_models_alone() -> None:
    (trouble,) = troubles(models=(EMBED,))
    assert "only embedding models" in trouble.what
    assert trouble.repair == "localmix pull ollama/qwen3:4b"


@pytest.mark.parametrize("variable", ["LOCALMIX_MODEL", "OLLAMA_MODEL"])
@pytest.mark.parametrize("name", ["embed", "gone:8b"])
def test_a_model_of_the_settings_cannot_chat(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    server = start(stand_ins.ollama("tiny:latest", "embed:latest"))
    monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
    monkeypatch.setenv(variable, name)
    ended = run("doctor")
    assert ended.code == 1
    trouble = next(line for line in ended.lines if line.startswith("TROUBLE"))
    assert f"{name} (environment {variable})" in trouble
    assert ended.lines[-1] == f"    export {variable}=tiny:latest"


@pytest.mark.parametrize("name", ["ollama/tiny", "Tiny", "tiny:latest", "mine"])
def test_settings_that_work_are_no_trouble(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("OLLAMA_BASE_URL", start(stand_ins.ollama()).url)
    monkeypatch.setenv("LOCALMIX_MODEL", name)
    monkeypatch.setenv("LOCALMIX_ALIASES", '{"mine": "tiny"}')
    assert run("doctor").code == 0


def test_a_context_that_is_too_small(run: Run, start: Start) -> None:
    import dataclasses

    loaded = dataclasses.replace(CHAT, loaded=True, loaded_context_length=4096)
    (advice,) = troubles(models=(loaded, EMBED))
    assert advice.level == "advice"
    assert "a context window of 4,096 of 40,960 tokens" in advice.what
    assert advice.repair == "localmix load 127.0.0.1:9/qwen3:8b --num-ctx 16384"
    enough = dataclasses.replace(loaded, loaded_context_length=8192)
    small = dataclasses.replace(loaded, context_length=4096)
    assert troubles(models=(enough,)) == troubles(models=(small,)) == []


def test_proxy_variables(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    ended = run("doctor", "-s", server.url)
    assert ended.code == 0
    assert ended.lines[-2].startswith("advice: http_proxy is set, also for this machine")
    assert ended.lines[-1] == (
        "    export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1"
    )
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert run("doctor", "-s", server.url).lines[-1].startswith("ok:")


# Every command repairs


@pytest.fixture
def sandbox(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    return Sandbox(run, start, monkeypatch)


@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "openai"])
@pytest.mark.parametrize("named", [True, False])
def test_a_server_where_nobody_looks(
    run: Run,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    named: bool,
    sandbox: Sandbox,
) -> None:
    """What works already stays, whether it was named or found."""
    server, works = start(getattr(stand_ins, kind)()), start(stand_ins.ollama())
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port_of(server)))
    if named:
        monkeypatch.setenv("LOCALMIX_SERVERS", f"127.0.0.1:19, mine={works.url}")
    (command,) = sandbox.until_silent()
    urls = [each["url"] for each in run("status", "--json").json if each["kind"]]
    assert server.url in urls
    assert (works.url in urls) is named
    assert command.startswith("export LOCALMIX_SERVERS" if named else "localmix config set ")


@pytest.mark.parametrize("source", ["variable", "file", "hint"])
def test_a_token_for_one_server(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, source: str, sandbox: Sandbox
) -> None:
    token = "sk-lm-abcdefgh:12345678901234567890"
    server, other = start(LMStudio(token=token)), start(stand_ins.ollama())
    sandbox.token = token
    if source == "variable":
        monkeypatch.setenv("LOCALMIX_SERVERS", f"gpu-box={server.url}, {other.url}")
    elif source == "file":
        run("config", "set", "servers", f"gpu-box={server.url}", other.url)
    else:
        run("config", "set", "lm_studio_base_url", server.url)
    assert sandbox.until_silent() == [
        {
            "variable": "export LOCALMIX_TOKEN_GPU_BOX=YOUR_TOKEN",
            "file": """localmix config set tokens '{"gpu-box": "YOUR_TOKEN"}'""",
            "hint": "localmix config set lm_api_token YOUR_TOKEN",
        }[source]
    ]


def test_a_model_that_is_gone(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("OLLAMA_BASE_URL", start(stand_ins.ollama()).url)
    run("config", "set", "model", "tinny")
    assert sandbox.until_silent() == ["localmix config set model tiny:latest"]


def test_a_window_that_is_too_small(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    server = start(LMStudio(loaded={CHAT_MODEL: CHAT_MODEL}))
    monkeypatch.setenv("LM_STUDIO_BASE_URL", server.url)
    assert run("load", CHAT_MODEL, "--context", "512").code == 0
    (command,) = sandbox.until_silent()
    assert command.endswith("--num-ctx 2048")


def test_two_models_of_one_name(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    one, two = stand_ins.ollama("tiny:latest"), stand_ins.ollama("tiny:latest")
    entry = {"name": "tiny:latest", "model": "tiny:latest", "digest": "ab" * 32}
    one.routes["GET /api/tags"] = whole({"models": [entry]})
    two.routes["GET /api/tags"] = whole({"models": [entry | {"digest": "cd" * 32}]})
    monkeypatch.setenv("LOCALMIX_SERVERS", f"{start(one).url}, {start(two).url}")
    (command,) = sandbox.until_silent()
    assert command.startswith("localmix config set digests")


def test_a_proxy_variable(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("OLLAMA_BASE_URL", start(stand_ins.ollama()).url)
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(sandbox.until_silent()) == 1


def test_a_token_for_a_server_of_the_command_line(start: Start, sandbox: Sandbox) -> None:
    sandbox.token = "sk-lm-abcdefgh:12345678901234567890"
    server = start(LMStudio(token=sandbox.token))
    (first, *_) = sandbox.run("doctor", "--json", "-s", server.url).json
    assert first["repair"].startswith("export LOCALMIX_TOKEN_")
    sandbox.apply(first["repair"])
    assert sandbox.run("doctor", "-s", server.url).code == 0


def test_another_server_than_that_of_the_command_line(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port_of(server)))
    commands = sandbox.until_silent("-s", "127.0.0.1:19")
    assert commands == [f"export LOCALMIX_SERVERS={server.url}"]


@pytest.mark.parametrize("program", ["ollama", "lms"])
@pytest.mark.parametrize("named", [True, False])
def test_a_server_that_does_not_run(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, program: str, named: bool
) -> None:
    set_usual(monkeypatch, *(free_port(), 9) if program == "ollama" else (9, free_port()))
    monkeypatch.setattr("shutil.which", lambda name: name if name == program else None)
    other = free_port()
    if named:
        monkeypatch.setenv("LOCALMIX_SERVERS", f"http://127.0.0.1:{other}")
    plain, at = {
        "ollama": ("ollama serve", f"OLLAMA_HOST=127.0.0.1:{other} ollama serve"),
        "lms": ("lms server start", f"lms server start --port {other}"),
    }[program]
    assert sandbox.until_silent() == [at if named else plain]


def test_lmstudios_server_is_switched_on(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    set_usual(monkeypatch, 9, free_port())
    app = start(LoopbackServer({"GET /lmstudio-greeting": whole({"lmstudio": True})}))
    monkeypatch.setattr(doctor, "LMSTUDIO_APP_PORTS", (port_of(app),))
    assert sandbox.until_silent() == ["lms server start"]


def test_another_program_is_at_the_port_of_ollama(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    port = free_port()
    start(LoopbackServer({"GET /": whole(b"Grafana")}, url=f"http://127.0.0.1:{port}"))
    set_usual(monkeypatch, port)
    (command,) = sandbox.until_silent()
    assert command.endswith(f"OLLAMA_HOST=127.0.0.1:{port + 1} ollama serve")


def hint_at(home: Path, port: int) -> None:
    """Write what LM Studio leaves on the disk of the port of its server."""
    file = home / ".lmstudio" / ".internal" / "http-server-config.json"
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"port": {port}}}')


@pytest.mark.parametrize("there", ["nobody", "a stranger", "ollama"])
@pytest.mark.parametrize("answer", ["at its usual port", "nowhere, lms", "nowhere"])
def test_a_stale_hint(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sandbox: Sandbox,
    there: str,
    answer: str,
) -> None:
    strangers = {"a stranger": LoopbackServer({"GET /": whole(b"Grafana")})}
    strangers["ollama"] = stand_ins.ollama()
    port = port_of(start(strangers[there])) if there in strangers else free_port()
    hint_at(tmp_path / "home", port)
    monkeypatch.setenv("OLLAMA_BASE_URL", start(stand_ins.ollama()).url)
    set_usual(monkeypatch, 9, free_port())
    if answer == "at its usual port":
        set_usual(monkeypatch, 9, port_of(start(sandbox.lmstudio)))
    if answer == "nowhere, lms":
        monkeypatch.setattr("shutil.which", lambda name: name if name == "lms" else None)
    commands = sandbox.until_silent()
    if answer == "at its usual port":
        assert commands == [f"localmix config set lm_studio_base_url {sandbox.lmstudio.url}"]
    elif there == "nobody":
        assert commands == []  # LM Studio may be off, and start there again
    else:
        assert commands[0].startswith("lms server" if "lms" in answer else "localmix config set")


def test_a_hint_that_is_right(
    run: Run, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint_at(tmp_path / "home", port_of(start(LMStudio())))
    assert run("doctor").code == 0


def test_a_model_is_fetched_where_there_is_none(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    server = stand_ins.ollama(GET__api_tags=whole({"models": []}))

    def fetch(exchange: Exchange) -> None:
        server.routes["GET /api/tags"] = stand_ins.ollama("qwen3:4b").routes["GET /api/tags"]
        ndjson({"status": "success"})(exchange)

    server.routes["POST /api/pull"] = fetch
    monkeypatch.setenv("OLLAMA_BASE_URL", start(server).url)
    assert sandbox.until_silent() == ["localmix pull ollama/qwen3:4b"]


def test_a_window_that_only_lms_can_widen(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    sandbox.lmstudio = LMStudio(
        generation="0.3", loaded={CHAT_MODEL: CHAT_MODEL}, windows={CHAT_MODEL: 512}
    )
    monkeypatch.setenv("LM_STUDIO_BASE_URL", start(sandbox.lmstudio).url)
    assert sandbox.until_silent() == [
        f"lms unload {CHAT_MODEL} && lms load {CHAT_MODEL} --context-length 2048"
    ]


@pytest.mark.skipif(sys.platform == "darwin", reason="it has one loopback address")
@pytest.mark.parametrize("kind", ["ollama", "lmstudio"])
def test_a_server_for_this_machine_alone(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, kind: str
) -> None:
    server = start(getattr(sandbox, kind))
    set_usual(monkeypatch, *(port_of(server), 9) if kind == "ollama" else (9, port_of(server)))
    monkeypatch.setattr(doctor, "own_addresses", lambda: ["127.0.0.2"])
    server.listen_also_at("127.0.0.2")
    (command,) = sandbox.until_silent()
    assert "127.0.0.1" in command


@pytest.mark.skipif(sys.platform == "darwin", reason="it has one loopback address")
def test_a_server_with_a_token_is_not_exposed(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "sk-lm-abcdefgh:12345678901234567890"
    server = start(LMStudio(token=token))
    server.listen_also_at("127.0.0.2")
    monkeypatch.setattr(doctor, "own_addresses", lambda: ["127.0.0.2"])
    monkeypatch.setenv("LM_STUDIO_BASE_URL", server.url)
    monkeypatch.setenv("LM_API_TOKEN", token)
    assert run("doctor").code == 0
    assert "Whoever" not in run("doctor").out


def test_other_exceptions_from_a_proxy_stay(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("OLLAMA_BASE_URL", start(stand_ins.ollama()).url)
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "intranet")
    (command,) = sandbox.until_silent()
    assert "no_proxy=intranet,localhost,127.0.0.1,::1" in command


def test_a_model_that_does_not_fit_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    model = (TINY_MODELS / "localmix-tiny.gguf").read_bytes()
    (tmp_path / "small.gguf").write_bytes(model)
    (tmp_path / "large.gguf").write_bytes(model + bytes(1))
    monkeypatch.setenv("LOCAL_MODELS_PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_memory", lambda: len(model))
    assert sandbox.until_silent() == [f"rm {tmp_path / 'large.gguf'}"]


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_engine_is_offered_where_there_is_no_server(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, is_installed: bool
) -> None:
    set_engine(monkeypatch, is_installed=is_installed)
    _, offer = sandbox.run("doctor", "--json").json
    assert offer["repair"].startswith("localmix config" if is_installed else "pip install")
    sandbox.apply(offer["repair"])
    assert sandbox.until_silent() == []


def test_the_engine_is_installed(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setenv("LOCAL_MODELS_PATH", str(TINY_MODELS))
    set_engine(monkeypatch, is_installed=False)
    assert sandbox.until_silent() == ['pip install "localmix[embedded]"']


def test_another_program_is_at_the_port(run: Run, start: Start) -> None:
    server = start(LoopbackServer({"GET /": whole(b"Grafana")}))
    ended = run("doctor", "-s", server.url)
    assert f"A program that is not a model server is at {server.url}" in ended.lines[0]
    assert "ollama serve" in ended.lines[1]


def test_a_model_larger_than_the_memory() -> None:
    import dataclasses

    large = dataclasses.replace(CHAT, size_bytes=40_000_000_000)
    (advice,) = troubles(models=(large,), memory=16_000_000_000)
    assert "takes 40.0 GB, and this machine has 16.0 GB" in advice.what
    assert troubles(models=(large,), memory=64_000_000_000) == []


def test_a_server_that_everybody_can_use() -> None:
    (advice,) = troubles(exposed=(Server("http://10.0.0.5:8080", "openai"),))
    assert "Anyone who can reach http://10.0.0.5:8080 can use the server there" in advice.what
    assert "--host 127.0.0.1" in advice.repair


def test_the_engine_is_not_installed(
    run: Run, engine_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_engine(monkeypatch, is_installed=False)
    ended = run("doctor")
    assert "engine is not installed." in ended.lines[0]
    assert ended.lines[1] == '    pip install "localmix[embedded]"'


def test_the_engine_stands_in_for_no_server_that_was_named(run: Run, engine_alone: None) -> None:
    trouble, repair, *_ = run("doctor", "-s", "127.0.0.1:19").lines
    assert trouble.startswith("TROUBLE: http://127.0.0.1:19 is named in your settings")
    assert "install Ollama" in repair
    assert run("status", "-s", "127.0.0.1:19").code == 3


def test_own_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(
        socket, "gethostbyname_ex", lambda name: (name, [], ["127.0.1.1", "10.0.0.5"])
    )
    assert "10.0.0.5" in doctor.own_addresses()

    def unknown(name: str) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "gethostbyname_ex", unknown)
    monkeypatch.setattr(doctor, "_NOBODYS", "127.0.0.2")
    assert doctor.own_addresses() == []
