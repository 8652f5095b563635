"""Where requests may go: to the servers that the user named, and to this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import AnyUrl

from localmix import Image
from localmix.errors import ConfigError, LocalMixError, ProtocolError
from localmix.settings.addresses import is_loopback
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import Exchange, LoopbackServer, Reply, whole


def redirect_to(server: LoopbackServer, status: int) -> Reply:
    def reply(exchange: Exchange) -> None:
        location = server.url + exchange.path
        exchange.head(status, "text/plain", Location=location, Content_Length="0")

    return reply


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("purpose", ["chat", "stream", "embed"])
def test_a_redirect_is_not_followed(
    either: MakeEither, start: Any, status: int, purpose: str
) -> None:
    elsewhere = start(stand_ins.ollama())
    to = redirect_to(elsewhere, status)
    server = start(stand_ins.ollama(POST__api_chat=to, POST__api_embed=to))
    with pytest.raises(ProtocolError):
        getattr(either(server.url), purpose)("hello")
    assert elsewhere.requests == []


def test_a_probe_is_not_led_elsewhere(either: MakeEither, start: Any) -> None:
    elsewhere = start(stand_ins.ollama())
    paths = ("/api/version", "/v1/models", "/lmstudio-greeting", "/")
    to = redirect_to(elsewhere, 302)
    server = start(LoopbackServer({f"GET {path}": to for path in paths}))
    (shown,) = either(server.url).servers()
    assert shown.kind is None
    assert elsewhere.requests == []


def test_proxies_of_the_environment_are_not_asked(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = start(LoopbackServer()), start(stand_ins.ollama())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    client = either(server.url)
    assert client.chat("hello").content == "Hi."
    assert client.stream("hello")
    assert proxy.requests == []


def test_a_proxy_of_an_unknown_kind_does_no_harm(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks9://nowhere")
    assert either(start(stand_ins.ollama()).url).chat("hello").content == "Hi."


def test_netrc_is_not_read(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = start(stand_ins.ollama())
    either(server.url).chat("hello")
    assert not any("authorization" in each.headers for each in server.requests)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write down every host that is looked up or connected to; let none of them be reached."""
    hosts: list[str] = []

    def refuse(self: socket.socket, address: Any) -> None:
        hosts.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    def look_up(host: Any, *about: Any, **more: Any) -> Any:
        hosts.append(host.decode() if isinstance(host, bytes) else host)
        return find(host, *about, **more) if is_loopback(f"http://{hosts[-1]}") else fail()

    def fail() -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    find: Callable[..., Any] = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return hosts


def test_without_a_word_of_the_user_only_this_machine_is_asked(
    either: MakeEither, reached: list[str]
) -> None:
    with pytest.raises(LocalMixError):
        either().chat("hello", model="tiny")
    assert reached
    assert {"127.0.0.1", "::1"} >= set(reached)


def test_a_host_that_was_named_is_asked(either: MakeEither, reached: list[str]) -> None:
    with pytest.raises(LocalMixError):
        either("http://models.example:11434").chat("hello", model="tiny")
    assert set(reached) == {"models.example"}


def test_a_servers_answer_leads_nowhere_else(either: MakeEither, start: Any) -> None:
    """Addresses in what a server says of its models are words, and nothing is fetched from them."""
    elsewhere = start(stand_ins.ollama())
    server = start(stand_ins.ollama())
    entry = {"name": "tiny:latest", "remote_host": elsewhere.url, "url": elsewhere.url}
    server.routes["GET /api/tags"] = whole({"models": [entry]})
    either(server.url).chat("hello", model="tiny")
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.png", "https://example.com/x.png"],
)
def test_an_image_is_neither_a_file_nor_an_address(
    url: str, reached: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr("builtins.open", lambda *about, **more: opened.append(about))
    with pytest.raises(ConfigError, match="must be bytes or a base64 data: URI"):
        Image.from_url(url)
    assert reached == opened == []


@pytest.mark.parametrize("url", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.png"])
def test_both_adapters_refuse_such_images(url: str, reached: list[str]) -> None:
    from langchain_core.messages import HumanMessage
    from llama_index.core.llms import ChatMessage, ImageBlock

    from langchain_localmix import ChatLocalMix
    from llamaindex_localmix import LocalMix

    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(ConfigError):
        ChatLocalMix(servers="127.0.0.1:9").invoke([HumanMessage([part])])
    is_path = url.startswith("/")
    image = ImageBlock(path=Path(url)) if is_path else ImageBlock(url=AnyUrl(url))
    with pytest.raises(ConfigError):
        LocalMix(servers="127.0.0.1:9").chat([ChatMessage(role="user", blocks=[image])])
    assert reached == []
