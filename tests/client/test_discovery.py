"""A server is what it proves to be, and what it is not is said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from localmix.discovery import directory
from localmix.errors import ModelNotFoundError, NoServerError
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.loopback import LoopbackServer, hang_up, serving, stay_silent, whole

HTML = whole(b"<html>", content_type="text/html")


def test_every_kind_proves_itself(either: MakeEither, start: Any) -> None:
    urls = [start(make()).url for make in (stand_ins.ollama, stand_ins.lmstudio, stand_ins.openai)]
    servers = either(urls).servers()

    assert [server.kind for server in servers] == ["ollama", "lmstudio", "openai"]
    assert [server.url for server in servers] == urls
    assert servers[0].version == "0.32.15"
    assert not any(server.problem for server in servers)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "problem"),
    [
        (LoopbackServer({}), "HTTP 404 text/plain"),
        (LoopbackServer({"GET /v1/models": HTML}), "HTTP 200 text/html"),
        (LoopbackServer({"GET /v1/models": whole({"models": []})}), "not as a model server"),
        (LoopbackServer({"GET /v1/models": whole({"error": "no key"}, 401)}), "needs a token"),
        (LoopbackServer({"GET /v1/models": hang_up}), "closed the connection"),
        (LoopbackServer({"GET /v1/models": stay_silent}), "did not say anything"),
        (LoopbackServer({"GET /api/version": whole({"version": "1.0"})}), "HTTP 404"),
    ],
)
def test_what_is_no_model_server_is_named_and_skipped(
    either: MakeEither, start: Any, server: LoopbackServer, problem: str
) -> None:
    server, good = start(LoopbackServer(dict(server.routes))), start(stand_ins.ollama())
    client = either([server.url, good.url], probe_timeout=0.5)

    bad, found = client.servers()

    assert bad.kind is None
    assert problem in bad.problem
    assert found.kind == "ollama"
    assert client.chat("hello").content == "Hi."


def test_nothing_there_at_all(either: MakeEither) -> None:
    with pytest.raises(NoServerError) as caught:
        either("127.0.0.1:9").chat("hello")

    assert [attempt.server for attempt in caught.value.attempts] == ["http://127.0.0.1:9"]
    assert "Connection refused" in str(caught.value)
    assert "ollama serve" in str(caught.value)
    with pytest.raises(NoServerError):
        either("127.0.0.1:9").models_by_server()


def test_models_of_all_servers(either: MakeEither, start: Any) -> None:
    first = start(stand_ins.ollama("a:latest", "embed:latest", loaded=("a:latest",)))
    second = start(stand_ins.lmstudio("b"))
    models = either([first.url, second.url]).models_by_server()

    assert [model.name for model in models] == ["a:latest", "embed:latest", "b"]
    assert [model.loaded for model in models] == [True, False, False]
    assert [model.purpose for model in models] == ["chat", "embedding", "chat"]


def test_what_is_known_is_not_asked_again_for_a_while(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url)
    for _ in range(3):
        client.chat("hello")
    assert server.count("GET /api/tags") == 1

    client = either(server.url, refresh_after=0.0)
    for _ in range(3):
        client.chat("hello")
    assert server.count("GET /api/tags") == 1 + 3


def test_an_unknown_model_makes_the_servers_be_asked_again(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", -1.0)
    server = start(stand_ins.ollama("old:latest"))
    client = either(server.url)
    client.chat("hello", model="old")
    server.routes |= stand_ins.ollama("old:latest", "new:latest").routes

    assert client.chat("hello", model="new").content == "Hi."


def test_an_unknown_model_names_the_nearest(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("qwen3:8b", "llama3.2:latest"))

    with pytest.raises(ModelNotFoundError, match="Nearest names: qwen3:8b") as caught:
        either(server.url).chat("hello", model="quen3:8b")
    assert caught.value.available[0] == "qwen3:8b"


def test_a_token_goes_to_its_own_server_alone(either: MakeEither, start: Any) -> None:
    with_token, without = start(stand_ins.openai("a")), start(stand_ins.ollama("b"))
    client = either([ServerConfig(url=with_token.url, token=SecretStr("s3cret")), without.url])
    client.chat("hello", model="a")
    client.chat("hello", model="b")

    assert {each.headers["authorization"] for each in with_token.requests} == {"Bearer s3cret"}
    assert not any("authorization" in each.headers for each in without.requests)


def test_lmstudios_token_waits_until_the_server_has_proved_itself(
    either: MakeEither, start: Any
) -> None:
    """On the default port anything may listen."""
    token = SecretStr("s3cret")
    genuine, other = start(stand_ins.lmstudio("a")), start(stand_ins.openai("b"))
    client = either(
        [ServerConfig(url=url.url, token=token, only_kind="lmstudio") for url in (genuine, other)]
    )
    client.chat("hello", model="b")

    assert "authorization" not in genuine.last("GET /lmstudio-greeting").headers
    assert genuine.last("GET /api/v1/models").headers["authorization"] == "Bearer s3cret"
    assert not any("authorization" in each.headers for each in other.requests)


def test_a_redirect_is_not_followed(either: MakeEither, start: Any) -> None:
    other = start(stand_ins.openai())

    def redirect(exchange: Any) -> None:
        exchange.head(302, "text/plain", Location=f"{other.url}/v1/models", Content_Length="0")

    server = start(LoopbackServer({"GET /v1/models": redirect}))
    (found,) = either(server.url).servers()

    assert "HTTP 302" in found.problem
    assert other.requests == []


def test_proxy_variables_are_not_used(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = start(stand_ins.ollama())
    assert either(server.url).chat("hello").content == "Hi."


@pytest.mark.timeout(30)
def test_a_black_hole_does_not_stall_the_others(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "GRACE", 0.2)
    hole = start(LoopbackServer(dict.fromkeys(_PROBED, stay_silent)))
    good = start(stand_ins.ollama())
    client = either([hole.url, good.url], probe_timeout=60.0)
    assert client.chat("hello").content == "Hi."
    hole.stop()


_PROBED = ("GET /lmstudio-greeting", "GET /api/version", "GET /v1/models")


def test_the_default_ports_are_found(either: MakeEither, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(stand_ins.ollama()) as server:
        port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr("localmix.settings.OLLAMA_PORT", port)
        monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", 9)
        servers = either().servers()

    assert (servers[0].url, servers[0].kind) == (server.url, "ollama")


def test_one_server_on_both_loopbacks_is_one_server(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localmix.discovery import Found
    from localmix.discovery.directory import _without_twins
    from localmix.types import Server
    from tests.unit.streams import target

    endpoint = target("ollama").endpoint
    four, six = (
        Found(Server(f"http://{host}:11434", "ollama"), endpoint) for host in ("127.0.0.1", "[::1]")
    )
    assert _without_twins([four, six]) == (four,)
    assert _without_twins([six]) == (six,)


@pytest.mark.parametrize("prefer", ["lmstudio", ("lmstudio", "ollama")])
def test_a_preferred_kind_comes_first(either: MakeEither, start: Any, prefer: Any) -> None:
    ollama, lmstudio = start(stand_ins.ollama()), start(stand_ins.lmstudio())
    client = either([ollama.url, lmstudio.url], prefer=prefer)
    route = client.chat("hello", model="tiny").route
    assert route is not None
    assert route.server.kind == "lmstudio"


def test_a_program_that_imitates_ollama_is_used_and_named(either: MakeEither, start: Any) -> None:
    proxy = start(stand_ins.ollama(GET__=whole({"name": "a proxy"})))
    said = start(
        stand_ins.ollama(GET__api_version=whole({"version": "0.6.4", "backend": "someone"}))
    )
    imitation = "It speaks Ollama's API, but is another program."
    client = either([proxy.url, said.url, start(stand_ins.ollama()).url])
    assert [server.note for server in client.servers()] == [imitation, imitation, ""]
    assert route_of(client.chat("hello")).server.note == imitation


def test_lm_studio_does_not_count_as_ollama_on_its_port(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(stand_ins.lmstudio())
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    (found,) = either().servers()
    assert found.kind == "lmstudio"


def test_a_server_that_becomes_another_kind_is_noticed(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", -1.0)
    server = start(stand_ins.ollama())
    client = either(server.url)
    assert route_of(client.chat("hello", model="tiny")).server.kind == "ollama"
    server.routes = stand_ins.lmstudio().routes
    assert route_of(client.chat("hello", model="tiny")).server.kind == "lmstudio"
    assert route_of(client.stream("hello", model="tiny")[-1]).server.kind == "lmstudio"


def test_a_model_that_has_moved_is_found_again(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", -1.0)
    one, other = start(stand_ins.ollama("a:latest")), start(stand_ins.ollama("b:latest"))
    client = either([one.url, other.url])
    client.chat("hello", model="a")
    one.routes["POST /api/chat"] = whole({"error": "model 'a' not found"}, 404)
    other.routes["GET /api/tags"] = stand_ins.ollama("a:latest").routes["GET /api/tags"]
    result = client.chat("hello", model="a")
    assert route_of(result).server.url == other.url
    assert [attempt.server for attempt in route_of(result).attempts] == [one.url]
    assert client.servers()[0].state == "available"  # what lacks a model is not ill


def test_clients_share_what_they_know(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    either(server.url).chat("hello")
    either(server.url).chat("hello")
    assert server.count("GET /api/tags") == 1
    either(server.url, probe_timeout=0.9).chat("hello")  # other settings, another view
    assert server.count("GET /api/tags") == 2


def test_what_is_a_little_old_serves_while_it_is_asked_again(
    either: MakeEither, start: Any
) -> None:
    import time

    server = start(stand_ins.ollama())
    client = either(server.url, refresh_after=0.2, probe_timeout=5.0)
    client.chat("hello", model="tiny")
    server.routes |= dict.fromkeys(_PROBED, stay_silent)
    time.sleep(0.3)
    assert client.chat("hello", model="tiny").content == "Hi."


@pytest.mark.slow
def test_a_server_that_is_too_busy_to_answer_a_probe_is_not_forgotten_at_once(
    either: MakeEither, start: Any
) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, refresh_after=0.0, probe_timeout=0.2)
    client.chat("hello", model="tiny")
    server.routes |= dict.fromkeys(_PROBED, stay_silent)
    assert client.chat("hello", model="tiny").content == "Hi."
    client.servers()
    assert "did not say anything" in client.servers()[0].problem


def test_a_server_that_comes_later_is_found(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", -1.0)
    server = start(stand_ins.ollama())
    routes, server.routes = server.routes, {}
    client = either(server.url)
    with pytest.raises(NoServerError):
        client.chat("hello")
    server.routes = routes
    assert client.chat("hello").content == "Hi."


def test_each_server_is_named_in_the_list_and_by_pins(either: MakeEither, start: Any) -> None:
    one, other = start(stand_ins.ollama()), start(stand_ins.ollama())
    client = either([{"url": one.url, "name": "box"}, other.url])
    assert [server.name for server in client.servers()] == ["box", other.url[7:]]
    assert route_of(client.chat("hello", model="box/tiny")).server.url == one.url
    assert route_of(client.chat("hello", model=f"{other.url[7:]}/tiny")).server.url == other.url
