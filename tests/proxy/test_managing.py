"""Models managed by Ollama's calls: pulled, copied, created and deleted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ollama
import pytest

from localmix.errors import ConfigError
from localmix.proxy.aliases import Aliases
from localmix.proxy.door import Door
from tests import stand_ins
from tests.lmstudio.server import CHAT, LMStudio
from tests.loopback import Exchange, LoopbackServer, ndjson, whole
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
USER = [{"role": "user", "content": "Hi"}]
CHAT_PATH = "POST /api/chat"
# Ollama's client cannot be closed, and leaves its sockets to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("unclosed_clients"),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    ),
]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "new" / "models.json"


def names(front: Proxy) -> set[str]:
    return {each["name"] for each in front.ask("GET", "/api/tags").json["models"]}


def created(front: Proxy, **more: Any) -> list[str]:
    body = {"model": "poet", "from": "tiny", **more}
    return [
        line.get("status") or line["error"] for line in front.ask("POST", "/api/create", body).lines
    ]


def test_a_copy_is_a_second_name(start: Start, kept: Path) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url], proxy_models_file=kept) as front:
        client = ollama.Client(front.url)
        assert client.copy("tiny", "gpt-4o").status == "success"
        assert "gpt-4o:latest" in names(front)
        assert client.chat("gpt-4o", USER).message.content == "Hi."
        assert client.show("gpt-4o").details
        ids = [each["id"] for each in front.ask("GET", "/v1/models").json["data"]]
        assert "gpt-4o:latest" in ids
        said = front.ask("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": USER})
        assert said.json["model"] == "gpt-4o"
    assert behind.last(CHAT_PATH).json["model"] == "tiny:latest"
    assert behind.count("POST /api/copy") == 0


def test_what_is_created_has_defaults(start: Start, kept: Path) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url], proxy_models_file=kept) as front:
        steps = created(front, system="Rhyme.", parameters={"temperature": 0.1, "stop": ["END"]})
        assert steps == ["success"]
        front.ask("POST", "/api/chat", {"model": "poet", "messages": USER})
        told = behind.last(CHAT_PATH).json
        assert told["messages"] == [{"role": "system", "content": "Rhyme."}, *USER]
        assert (told["options"]["temperature"], told["options"]["stop"]) == (0.1, ["END"])
        own = [{"role": "system", "content": "Prose."}, *USER]
        body = {"model": "poet", "messages": own, "options": {"temperature": 0.9}}
        front.ask("POST", "/api/chat", body)
        told = behind.last(CHAT_PATH).json
        assert told["messages"] == own
        assert told["options"]["temperature"] == 0.9
        shown = front.ask("POST", "/api/show", {"model": "poet"}).json
        assert shown["system"] == "Rhyme."
        assert "temperature" in shown["parameters"]


def test_the_defaults_count_in_every_dialect(start: Start, kept: Path) -> None:
    behind = start(stand_ins.openai("tiny"))
    with proxy([behind.url], proxy_models_file=kept) as front:
        created(front, system="Rhyme.")
        for path, body in (
            ("/v1/chat/completions", {"messages": USER}),
            ("/v1/messages", {"messages": USER, "max_tokens": 9}),
            ("/v1/responses", {"input": "Hi"}),
        ):
            assert front.ask("POST", path, {"model": "poet", **body}).status == 200
            told = behind.last("POST /v1/chat/completions").json
            assert (told["model"], told["messages"][0]["content"]) == ("tiny", "Rhyme.")


def test_what_is_kept_is_there_again_and_is_deleted(start: Start, kept: Path) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url], proxy_models_file=kept) as front:
        created(front, system="Rhyme.")
        body = {"model": "bard", "from": "poet", "parameters": {"seed": 1}}
        assert front.ask("POST", "/api/create", body).status == 200
    assert [each["name"] for each in json.loads(kept.read_text())["models"]] == ["poet", "bard"]
    assert Aliases(kept).get("bard:latest") is not None
    with proxy([behind.url], proxy_models_file=kept) as front:
        assert {"poet:latest", "bard:latest"} <= names(front)
        assert front.ask("DELETE", "/api/delete", {"name": "poet"}).status == 200
        assert "poet:latest" not in names(front)
        front.ask("POST", "/api/chat", {"model": "bard", "messages": USER})
        assert behind.last(CHAT_PATH).json["messages"][0]["content"] == "Rhyme."
        assert front.ask("DELETE", "/api/delete", {"model": "poet"}).status == 404
    assert behind.count("DELETE /api/delete") == 0


def test_a_real_model_is_deleted_by_its_exact_name(start: Start, kept: Path) -> None:
    behind = start(stand_ins.ollama(DELETE__api_delete=whole(b"")))
    with proxy([behind.url], proxy_models_file=kept) as front:
        assert front.ask("DELETE", "/api/delete", {"model": "tin"}).status == 404
        assert behind.count("DELETE /api/delete") == 0
        assert front.ask("DELETE", "/api/delete", {"model": "tiny"}).status == 200
    assert behind.last("DELETE /api/delete").json == {"model": "tiny:latest"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("copy", {"source": "nobody", "destination": "x"}, 404),
        ("copy", {"source": "tiny", "destination": "embed"}, 400),
        ("create", {"model": "x", "from": "nobody"}, 404),
        ("create", {"model": "x", "from": "tiny", "files": {"a.gguf": "sha256:0"}}, 400),
        ("create", {"model": "x", "from": "tiny", "remote_host": "http://10.0.0.1"}, 400),
        ("create", {"model": "x", "from": "tiny", "parameters": {"temperature": "hot"}}, 400),
        ("create", {"model": "x", "from": "tiny", "parameters": {"temperature": -1}}, 400),
        ("pull", {"model": "x", "insecure": True}, 400),
        ("pull", {"model": "evil.example/library/x"}, 400),
        ("pull", {"model": "10.0.0.1:5000/x"}, 400),
        ("pull", {"model": "gpt-oss:120b-cloud"}, 403),
    ],
)
def test_what_is_refused(start: Start, kept: Path, path: str, body: Any, status: int) -> None:
    behind = start(stand_ins.ollama("tiny:latest", "embed:latest"))
    with proxy([behind.url], proxy_models_file=kept) as front:
        reply = front.ask("POST", f"/api/{path}", body)
    assert reply.status == status
    assert reply.json["error"]
    assert not kept.exists()
    assert behind.count("POST /api/pull") == 0


def test_a_template_is_kept_and_said_to_be_unused(start: Start, kept: Path) -> None:
    with proxy([start(stand_ins.ollama()).url], proxy_models_file=kept) as front:
        first, last = created(front, template="{{ .Prompt }}")
        assert "not used" in first
        assert last == "success"
        assert front.ask("POST", "/api/show", {"model": "poet"}).json["template"] == "{{ .Prompt }}"


def test_a_pull_step_by_step(start: Start, kept: Path) -> None:
    behind = stand_ins.ollama()
    entries = [{"name": "tiny:latest"}]

    def tags(exchange: Exchange) -> None:
        whole({"models": entries})(exchange)

    def pull(exchange: Exchange) -> None:
        entries.append({"name": "new:latest"})
        part = {"status": "pulling a", "digest": "sha256:a", "total": 10}
        ndjson(
            {"status": "pulling manifest"},
            part | {"completed": 5},
            part | {"completed": 10},
            {"status": "success"},
        )(exchange)

    behind.routes |= {"GET /api/tags": tags, "POST /api/pull": pull}
    with proxy([start(behind).url], proxy_models_file=kept) as front:
        reply = front.ask("POST", "/api/pull", {"model": "new"})
        assert reply.headers["content-type"] == "application/x-ndjson"
        first, *parts, last = reply.lines
        assert (first["status"], last) == ("pulling manifest", {"status": "success"})
        assert [part["completed"] for part in parts] == [5, 10]
        assert {part["total"] for part in parts} == {10}
        assert all(part["digest"].startswith("sha256:") for part in parts)
        assert all(len(piece.splitlines()) == 1 for piece in reply.pieces)
        assert "new:latest" in names(front)
        again = front.ask("POST", "/api/pull", {"model": "new", "stream": False})
        assert again.json == {"status": "success"}
    assert behind.count("POST /api/pull") == 1
    assert not kept.exists()


def test_a_pull_that_fails(start: Start, kept: Path) -> None:
    says = ndjson(
        {"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}
    )
    behind = start(stand_ins.ollama(POST__api_pull=says))
    with proxy([behind.url], proxy_models_file=kept, max_retries=0) as front:
        first, last = front.ask("POST", "/api/pull", {"model": "new"}).lines
        assert first == {"status": "pulling manifest"}
        assert last == {"error": "model 'new' not found"}
        assert front.ask("POST", "/api/pull", {"model": "new", "stream": False}).status == 404


def test_what_lm_studio_fetched_is_there_by_the_name_that_was_asked_for(
    start: Start, kept: Path
) -> None:
    behind = stand_ins.lmstudio("tiny")
    here = whole({"status": "already_downloaded"})
    listing = behind.routes["GET /api/v1/models"]
    arrived = stand_ins.lmstudio("tiny", "maker/new-model-gguf").routes["GET /api/v1/models"]

    def download(exchange: Exchange) -> None:
        behind.routes["GET /api/v1/models"] = arrived
        here(exchange)

    behind.routes |= {"POST /api/v1/models/download": download, "GET /api/v1/models": listing}
    with proxy([start(behind).url], proxy_models_file=kept) as front:
        assert front.ask("POST", "/api/pull", {"model": "novel"}).lines[-1]["status"] == "success"
        assert "novel:latest" in names(front)
        body = {"model": "novel", "messages": USER, "stream": False}
        front.ask("POST", "/api/chat", body)
    assert behind.last("POST /v1/chat/completions").json["model"] == "maker/new-model-gguf"


def test_read_only_changes_nothing(start: Start, kept: Path) -> None:
    behind = start(LMStudio(loaded={CHAT: CHAT}))
    with proxy([behind.url], proxy_models_file=kept, proxy_read_only=True) as front:
        copied = {"source": CHAT, "destination": "x"}
        assert front.ask("POST", "/api/copy", copied).status == 403
        assert front.ask("POST", "/api/create", {"model": "x", "from": CHAT}).status == 403
        assert front.ask("POST", "/api/pull", {"model": "x"}).status == 403
        assert front.ask("DELETE", "/api/delete", {"model": CHAT}).status == 403
    assert not kept.exists()


@pytest.mark.slow
def test_a_model_is_unloaded_when_it_is_idle(start: Start, kept: Path) -> None:
    order: list[str] = []
    speaks, may_end = threading.Event(), threading.Event()

    def answer(exchange: Exchange) -> None:
        speaks.set()
        may_end.wait(0.5)
        order.append("answered")
        ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)(exchange)

    def unload(exchange: Exchange) -> None:
        order.append("unloaded")
        whole({"done": True, "done_reason": "unload"})(exchange)

    behind = stand_ins.ollama(
        loaded=("tiny:latest",), POST__api_chat=answer, POST__api_generate=unload
    )
    with proxy([start(behind).url], proxy_models_file=kept) as front:
        front.ask("POST", "/api/copy", {"source": "tiny", "destination": "poet"})
        body = {"model": "poet", "messages": USER}
        asking = threading.Thread(target=front.ask, args=("POST", "/api/chat", body))
        asking.start()
        assert speaks.wait(20)
        gone = front.ask("POST", "/api/generate", {"model": "tiny:latest", "keep_alive": 0})
        asking.join(20)
    assert gone.json["done_reason"] == "unload"
    assert order == ["answered", "unloaded"]


@pytest.mark.parametrize(
    ("token", "address", "may"),
    [
        ("", "127.0.0.1", True),
        ("", "::1", True),
        ("", "", True),
        ("", "192.168.1.7", False),
        ("secret", "192.168.1.7", True),
    ],
)
def test_who_may_manage(token: str, address: str, *, may: bool) -> None:
    assert Door(token).lets_manage(address) is may


def test_a_file_that_is_not_ours_is_named(kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text('{"models": 7}')
    with pytest.raises(ConfigError, match=r"models\.json is not as"):
        Aliases(kept)


@pytest.mark.usefixtures("engine_alone")
def test_how_long_a_model_stays_is_a_wish() -> None:
    """The embedded engine cannot unload a model after a time."""
    with proxy() as one:
        body = {"model": "localmix-tiny", "keep_alive": 300, "stream": False}
        reply = one.ask("POST", "/api/generate", body)
        assert reply.status == 200
        assert reply.json["done_reason"] == "load"
