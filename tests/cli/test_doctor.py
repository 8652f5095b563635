"""`localmix doctor`: each trouble is recognised, and the command that repairs it is named."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from localmix.cli import doctor
from localmix.cli.diagnosis import Facts, Finding, diagnose
from localmix.settings import Settings
from localmix.types import ModelInfo, Server
from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.lmstudio import LMStudio
from tests.loopback import LoopbackServer, whole

HERE = Server("http://127.0.0.1:9", "ollama", "0.33.0", name="127.0.0.1:9")
CHAT = ModelInfo("qwen3:8b", HERE.url, "ollama", context_length=40_960)
EMBED = ModelInfo("nomic-embed-text:latest", HERE.url, "ollama", "embedding")


@pytest.fixture(autouse=True)
def _only_what_the_test_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localmix.cli.diagnosis.OLLAMA_PORT", 9)
    monkeypatch.setattr("localmix.cli.diagnosis.LMSTUDIO_PORT", 9)
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9,))
    monkeypatch.setattr(doctor, "LMSTUDIO_APP_PORTS", (9,))
    monkeypatch.setattr(doctor, "own_addresses", list)
    monkeypatch.setattr("shutil.which", lambda name: None)


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
    assert ended.lines[0] == "TROUBLE: No model server runs."
    assert "install Ollama" in ended.lines[1]
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert run("doctor").lines[1].strip() == "ollama serve or lms server start"


def test_a_wrong_port(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port_of(server)))
    repair = f"    export LOCALMIX_SERVERS={server.url}"
    ended = run("doctor")
    assert f"TROUBLE: ollama answers at {server.url}, where nobody looks." in ended.lines
    assert ended.lines[1] == repair
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:19")
    ended = run("doctor")
    assert "http://127.0.0.1:19 is named in your settings" in ended.lines[0]
    assert f"ollama answers at {server.url}." in ended.lines[0]
    assert ended.lines[1] == repair


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
    assert ended.lines[0] == "TROUBLE: LM Studio runs, but its server is off."
    assert ended.lines[1] == "    lms server start"


def test_bound_to_another_host(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(doctor, "USUAL_PORTS", (9, port))
        monkeypatch.setattr(doctor, "own_addresses", lambda: ["127.0.0.2"])
        ended = run("doctor")
    assert ended.lines[0].startswith(f"TROUBLE: A server listens at 127.0.0.2:{port}, but not on")
    assert ended.lines[1] == f"    export LOCALMIX_SERVERS=http://127.0.0.2:{port}"


def test_a_host_that_listens_for_itself_alone() -> None:
    settings = Settings.load(servers=["http://box:11434"])
    silent = Server("http://box:11434", problem="could not be reached: Connection refused.")
    (trouble,) = troubles(settings=settings, servers=(silent,), models=())
    assert "on box: OLLAMA_HOST=0.0.0.0 ollama serve" in trouble.repair
    assert "lms server start --bind 0.0.0.0" in trouble.repair


def test_a_token_is_missing(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(LMStudio(token="sk-lm-abcdefgh:12345678901234567890"))
    monkeypatch.setenv("LM_STUDIO_BASE_URL", server.url)
    ended = run("doctor")
    assert ended.code == 1
    assert ended.lines[:2] == [
        f"TROUBLE: {server.url} wants a token.",
        "    Set LM_API_TOKEN.",
    ]


def test_no_model(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(GET__api_tags=whole({"models": []})))
    assert run("doctor", "-s", server.url).lines[1:] == [
        "TROUBLE: The servers have no model.",
        "    localmix pull ollama/qwen3:4b",
    ]
    other = Server("http://a", "openai")
    assert "manual" in troubles(servers=(other,), models=())[0].repair


def test_embedding_models_alone() -> None:
    (trouble,) = troubles(models=(EMBED,))
    assert "only embedding models" in trouble.what
    assert trouble.repair == "localmix pull ollama/qwen3:4b"


@pytest.mark.parametrize("variable", ["LOCALMIX_MODEL", "OLLAMA_MODEL"])
def test_an_embedding_model_is_asked_to_chat(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "nomic-embed-text")
    (trouble,) = troubles(models=(CHAT, EMBED))
    assert "name nomic-embed-text for chats, but it is an embedding model" in trouble.what
    assert trouble.repair == "export LOCALMIX_MODEL=qwen3:8b"


def test_the_usual_model_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_MODEL", "qwen4:8b")
    (trouble,) = troubles()
    assert trouble.repair == "localmix pull qwen4:8b, or export LOCALMIX_MODEL=qwen3:8b"
    monkeypatch.setenv("LOCALMIX_ALIASES", '{"qwen4:8b": "qwen3:8b"}')
    assert troubles() == []
    monkeypatch.setenv("LOCALMIX_MODEL", "qwen3:8b")
    assert troubles() == []


def test_a_context_that_is_too_small(run: Run, start: Start) -> None:
    import dataclasses

    loaded = dataclasses.replace(CHAT, loaded=True, loaded_context_length=4096)
    (advice,) = troubles(models=(loaded, EMBED))
    assert advice.level == "advice"
    assert "loaded for 4,096 tokens of 40,960" in advice.what
    assert advice.repair == "localmix load qwen3:8b --context 16384"
    enough = dataclasses.replace(loaded, loaded_context_length=8192)
    small = dataclasses.replace(loaded, context_length=4096)
    assert troubles(models=(enough,)) == troubles(models=(small,)) == []


def test_proxy_variables(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    ended = run("doctor", "-s", server.url)
    assert ended.code == 0
    assert ended.lines[-2].startswith("advice: http_proxy is set, also for this machine")
    assert ended.lines[-1] == "    export NO_PROXY=localhost,127.0.0.1,::1"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert run("doctor", "-s", server.url).lines[-1].startswith("ok:")


def test_the_engine_is_not_installed(
    run: Run, engine_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.embedded.engine.Engine.is_installed", lambda self: False)
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
    assert doctor.own_addresses() == ["10.0.0.5"]

    def unknown(name: str) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "gethostbyname_ex", unknown)
    assert doctor.own_addresses() == []
