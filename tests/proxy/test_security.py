"""What the proxy must refuse, over bare sockets: each rule on every path."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Callable, Iterator

import pytest

from localmix.errors import ConfigError
from localmix.proxy.body import BodyBounds
from localmix.proxy.door import Door
from localmix.proxy.running import check
from localmix.settings import Settings
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, whole
from tests.proxy.served import Proxy, proxy, read_reply

Start = Callable[[LoopbackServer], LoopbackServer]
PATHS = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("OPTIONS", "/"),
    ("GET", "/api/version"),
    ("GET", "/api/tags"),
    ("GET", "/api/ps"),
    ("POST", "/api/show"),
    ("POST", "/api/chat"),
    ("OPTIONS", "/api/chat"),
    ("POST", "/api/pull"),
    ("GET", "/metrics"),
    ("GET", "/localmix"),
    ("GET", "/localmix/events"),
    ("GET", "/localmix/page.js"),
    ("GET", "/nothing"),
    ("PUT", "/api/tags"),
    ("OPTIONS", "/nothing"),
]
TOKEN = "correct-horse-battery"
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


# Host


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", ":11434", "a b"])
def test_a_strangers_host_is_refused_and_told_nothing(
    front: Proxy, method: str, path: str, host: str
) -> None:
    reply = front.ask(method, path, Host=host)
    assert reply.status in (400, 403)
    assert reply.body == b""
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1:11434", "[::1]:11434", "box.local", "app.localhost", "10.0.0.7"],
)
def test_names_of_this_machine_are_known(front: Proxy, host: str) -> None:
    assert front.ask("GET", "/api/version", Host=host).status == 200


def test_a_name_can_be_declared(behind: LoopbackServer) -> None:
    with proxy([behind.url], proxy_allow_hosts=("models.internal",)) as front:
        assert front.ask("GET", "/", Host="Models.Internal:11434").status == 200
        assert front.ask("GET", "/", Host="other.internal").status == 403


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    ],
)
def test_there_is_exactly_one_host(front: Proxy, head: bytes) -> None:
    assert front.raw(head).status == 400


def test_an_absolute_target_does_not_stand_for_the_host(front: Proxy) -> None:
    head = b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert front.raw(head).status == 403


# Origin


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.example", "chrome-extension://x"],
)
def test_a_strangers_page_is_refused_and_told_nothing(
    front: Proxy, method: str, path: str, origin: str
) -> None:
    reply = front.ask(method, path, Origin=origin, Content_Type="text/plain")
    assert (reply.status, reply.body) == (403, b"")
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:3000",
        "https://127.0.0.1:8080",
        "app://obsidian.md",
        "tauri://localhost",
        "vscode-webview://1x2y",
    ],
)
def test_ollamas_own_list_of_origins(front: Proxy, origin: str) -> None:
    reply = front.ask("GET", "/api/tags", Origin=origin)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in reply.headers


def test_a_page_can_be_declared(behind: LoopbackServer) -> None:
    pages = ("https://chat.example", "chrome-extension://*")
    with proxy([behind.url], proxy_allow_origins=pages) as front:
        for origin in ("https://chat.example", "chrome-extension://abc"):
            assert front.ask("GET", "/", Origin=origin).status == 200
        assert front.ask("GET", "/", Origin="https://chat.example.evil").status == 403


def test_a_preflight_names_what_clients_send(front: Proxy) -> None:
    asked = "x-openwebui-user-name, x-evil"
    reply = front.ask(
        "OPTIONS",
        "/api/chat",
        Origin="http://localhost:3000",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=asked,
    )
    assert reply.status == 204
    allowed = reply.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "x-api-key", "anthropic-version", "x-stainless-os"):
        assert name in allowed
    assert "x-openwebui-user-name" in allowed
    assert "x-evil" not in allowed


# Token


@pytest.fixture
def locked(behind: LoopbackServer) -> Iterator[Proxy]:
    with proxy([behind.url], proxy_token=TOKEN) as running:
        yield running


@pytest.mark.parametrize(("method", "path"), [each for each in PATHS if each[0] != "OPTIONS"])
@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer wrong", "Bearer gr\u00fc\u00df", "Basic !"]
)
def test_without_the_token_nothing_is_told(
    locked: Proxy, method: str, path: str, shown: str
) -> None:
    reply = locked.ask(method, path, **({"Authorization": shown} if shown else {}))
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert reply.json == {"error": "This proxy needs a token."}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/api/chat", "This proxy needs a token."),
        (
            "/v1/chat/completions",
            {
                "message": "This proxy needs a token.",
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_api_key",
            },
        ),
        (
            "/v1/messages",
            {"type": "authentication_error", "message": "This proxy needs a token."},
        ),
    ],
)
def test_a_refusal_is_in_the_shape_of_its_dialect(locked: Proxy, path: str, error: object) -> None:
    reply = locked.ask("POST", path, CHAT)
    assert reply.status == 401
    assert reply.json["error"] == error
    assert "signin_url" not in reply.json  # Ollama's own program would go there


def test_what_is_checked_first_decides(behind: LoopbackServer) -> None:
    """Host, then origin, then token, then route, then limits; each stands in front of the rest."""
    evil = {"Host": "evil.example", "Origin": "https://evil.example"}
    known = {"Origin": "http://localhost", "Authorization": f"Bearer {TOKEN}"}
    large = b"x" * 2000
    with proxy([behind.url], proxy_token=TOKEN, bounds=BodyBounds(bytes=1000)) as front:

        def status(path: str, **headers: str) -> int:
            return front.ask("POST", path, large, **headers).status

        assert status("/nothing", **known, Host=evil["Host"]) == 403
        assert status("/nothing", **{**known, "Origin": evil["Origin"]}) == 403
        assert status("/nothing", Origin=known["Origin"]) == 401
        assert status("/nothing", **known) == 404
        assert status("/api/chat", **known) == 413
    assert behind.count("POST /api/chat") == 0


def test_the_token_in_every_way_that_programs_show_it(locked: Proxy) -> None:
    basic = base64.b64encode(f"user:{TOKEN}".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"bearer {TOKEN}"},
        {"Authorization": f"Basic {basic}"},
        {"x-api-key": TOKEN},
    ):
        assert locked.ask("POST", "/api/chat", CHAT, **headers).status == 200


def test_nothing_of_a_callers_headers_goes_to_a_server(
    locked: Proxy, behind: LoopbackServer
) -> None:
    sent = {
        "Authorization": f"Bearer {TOKEN}",
        "Cookie": "session=caller",
        "X-Forwarded-For": "10.9.8.7",
        "Proxy-Authorization": "Basic caller",
        "X-Custom": "caller",
    }
    assert locked.ask("POST", "/api/chat", CHAT, **sent).status == 200
    for exchange in behind.requests:
        said = json.dumps(exchange.headers)
        assert TOKEN not in said
        assert "caller" not in said
        assert "10.9.8.7" not in said


def test_nothing_of_a_servers_headers_goes_to_a_caller_and_no_cookie_back(start: Start) -> None:
    def said(exchange: Exchange) -> None:
        body = json.dumps(stand_ins.OLLAMA_DONE).encode()
        about = {"Set_Cookie": "session=server; Path=/", "Access_Control_Allow_Origin": "*"}
        exchange.head(200, "application/json", Content_Length=str(len(body)), **about)
        exchange.send(body)

    behind = start(stand_ins.ollama(POST__api_chat=said))
    with proxy([behind.url]) as front:
        replies = [front.ask("POST", "/api/chat", {**CHAT, "stream": False}) for _ in range(2)]
    for reply in replies:
        assert reply.status == 200
        assert not {"set-cookie", "access-control-allow-origin"} & reply.headers.keys()
    assert "cookie" not in {name.lower() for name in behind.last("POST /api/chat").headers}


def test_no_redirect_is_followed(behind: LoopbackServer, start: Start) -> None:
    def redirect(exchange: Exchange) -> None:
        exchange.head(307, "text/plain", Location=f"{behind.url}/api/chat", Content_Length="0")

    first = start(stand_ins.ollama(POST__api_chat=redirect))
    with proxy([first.url]) as front:
        assert front.ask("POST", "/api/chat", CHAT).status >= 500
    assert behind.count("POST /api/chat") == 0


def test_no_proxy_of_the_environment_is_asked(
    behind: LoopbackServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = start(LoopbackServer({}))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, spy.url)
        monkeypatch.setenv(name.lower(), spy.url)
    with proxy([behind.url]) as front:
        assert front.ask("POST", "/api/chat", CHAT).status == 200
    assert spy.requests == []


def test_another_host_needs_a_token() -> None:
    for host in ("0.0.0.0", "192.168.1.7", "::", "box"):
        with pytest.raises(ConfigError, match="token"):
            check(Settings.load(proxy_host=host))
        check(Settings.load(proxy_host=host, proxy_token=TOKEN))
    check(Settings.load())


# What is asked for


@pytest.mark.parametrize(
    "path", ["/api/../api/chat", "/v1/..%2fapi/chat", "//api/chat", "/api//chat"]
)
def test_only_routes_of_the_table_reach_anything(
    front: Proxy, behind: LoopbackServer, path: str
) -> None:
    before = len(behind.requests)
    assert front.ask("POST", path, CHAT).status == 404
    assert len(behind.requests) == before


def test_nothing_in_a_body_touches_address_headers_or_key(
    front: Proxy, behind: LoopbackServer, start: Start
) -> None:
    body = {
        **CHAT,
        "api_base": "http://10.0.0.1",
        "base_url": "http://10.0.0.1",
        "api_key": "caller",
        "extra_headers": {"X-Caller": "caller"},
        "extra": {"x": "caller"},
        "remote_host": "http://10.0.0.1",
    }
    translated = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
    with proxy([translated.url]) as other:
        for each in (front, other):
            assert each.ask("POST", "/api/chat", body).status == 200
    for exchange in (*behind.requests, *translated.requests):
        assert "caller" not in json.dumps(exchange.headers)
    # What is passed on as it came is the caller's to say, and no server of this dialect obeys it.
    assert b"caller" not in translated.last("POST /v1/chat/completions").body


# What is told


def test_no_prompt_and_no_token_is_logged(locked: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"model": "tiny\r\nFAKE", "messages": [{"role": "user", "content": "My secret"}]}
    for body in (secret, {**secret, "model": "tiny"}, {**secret, "options": {"seed": "My secret"}}):
        locked.ask("POST", "/api/chat", body, Authorization=f"Bearer {TOKEN}")
    said = caplog.text
    assert "POST" in said
    assert "My secret" not in said
    assert TOKEN not in said
    assert "\nFAKE" not in said


def test_no_answer_tells_what_serves(front: Proxy) -> None:
    reply = front.ask("GET", "/api/tags")
    assert reply.headers["server"] == "localmix"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "aiohttp" not in json.dumps(reply.headers)


def test_a_servers_own_words_come_without_its_address(start: Start) -> None:
    behind = start(stand_ins.ollama())
    said = f"see {behind.url}/secret?key=1 or 192.168.7.7:1234"
    behind.routes["POST /api/chat"] = whole({"error": said}, 400)
    with proxy([behind.url]) as front:
        error = front.ask("POST", "/api/chat", CHAT).json["error"]
    assert behind.url.rpartition("/")[2] not in error
    assert "192.168.7.7" not in error
    assert "key=1" not in error


def test_it_listens_on_this_machine_alone(front: Proxy) -> None:
    assert front.url == f"http://127.0.0.1:{front.port}"
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", front.port)) != 0


def test_a_door_without_a_token_lets_any_authorization_in() -> None:
    assert Door("").knows_token({"Authorization": "Bearer default-key"})


def test_connections_end_with_their_replies_when_asked(front: Proxy) -> None:
    with front.connect() as connection:
        for _ in range(2):  # a connection serves several
            connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read_reply(connection).status == 200
