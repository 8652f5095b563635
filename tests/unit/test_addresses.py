"""Addresses as users write them, and as they paste them."""

from __future__ import annotations

import pytest

from localmix.errors import ConfigError
from localmix.settings.addresses import is_loopback, ollama_host, read_url, split_name


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        ("1.2.3.4:5", "http://1.2.3.4:5"),
        (":1234", "http://127.0.0.1:1234"),
        ("http://h", "http://h"),
        ("https://h/p/", "https://h/p"),
        ("HTTP://H:8", "http://h:8"),
        ("http://localhost:1234/v1/", "http://localhost:1234"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:99", "http://[::1]:99"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://[::]:7", "http://[::1]:7"),
        (' "1.2.3.4" ', "http://1.2.3.4:11434"),
    ],
)
def test_addresses(written: str, url: str) -> None:
    assert read_url(written, default_port=11434) == (url, {})


@pytest.mark.parametrize(
    ("written", "url"),
    [  # Ollama's own rules: envconfig.Host and its tests, 0.33.0
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        ("example.com", "http://example.com:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("1.2.3.4:5", "http://1.2.3.4:5"),
        ("http://1.2.3.4", "http://1.2.3.4"),
        ("http://1.2.3.4:1234", "http://1.2.3.4:1234"),
        ("https://1.2.3.4", "https://1.2.3.4"),
        ("https://example.com/ollama", "https://example.com/ollama"),
        ("example.com:1234/ollama/", "http://example.com:1234/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:1337", "http://[::1]:1337"),
        ("::1", "http://[::1]:11434"),
        ("[::]", "http://[::1]:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("h:99999", "http://h:11434"),
        ("h:abc", "http://h:11434"),
        ("h:-1", "http://h:11434"),
        (" 1.2.3.4 ", "http://1.2.3.4:11434"),
        ('"1.2.3.4"', "http://1.2.3.4:11434"),
        ("'1.2.3.4:5'", "http://1.2.3.4:5"),
        ("ollama.com", "https://ollama.com"),
    ],
)
def test_ollamas_own_rules_for_its_host(written: str, url: str) -> None:
    assert ollama_host(written, 11434) == (url, {})


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:1", True),
        ("http://localhost:1", True),
        ("http://models.localhost", True),
        ("http://10.0.0.1", False),
        ("http://example.com", False),
    ],
)
def test_what_stays_on_this_machine(url: str, stays: bool) -> None:
    assert is_loopback(url) is stays


def test_user_and_password_become_a_header() -> None:
    url, headers = read_url("http://me:p%40ss@h:1")
    assert url == "http://h:1"
    assert headers == {"Authorization": "Basic bWU6cEBzcw=="}


@pytest.mark.parametrize(
    "written", ["ftp://h", "http://[::1", "h:99999", "h:x", "http://h?a=1", "http://h#a"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="not the address of a server"):
        read_url(written)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        read_url("http://me:secret@h:99999")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/chat",
        "/api/generate",
        "/api/tags",
        "/api/v0",
        "/api/v1",
        "/api/v1/chat",
        "/api/v1/models",
        "/v1",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/models/",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/ollama", "/a/v1beta", "/my-api"])
def test_an_endpoint_that_was_pasted_is_cut_down_to_its_server(prefix: str, path: str) -> None:
    assert read_url(f"https://h:8{prefix}{path}") == (f"https://h:8{prefix}", {})
    assert ollama_host(f"h:8{prefix}{path}", 1) == (f"http://h:8{prefix}", {})


@pytest.mark.parametrize("path", ["/api/v2", "/apis", "/v1/mine", "/chat/completions", "/v11"])
def test_other_paths_are_kept(path: str) -> None:
    assert read_url(f"http://h{path}") == (f"http://h{path}", {})


@pytest.mark.parametrize(
    ("written", "name", "rest"),
    [
        ("gpu=https://h:1", "gpu", "https://h:1"),
        (" gpu-1.a=h", "gpu-1.a", "h"),
        ("http://evil/=127.0.0.1", "", "http://evil/=127.0.0.1"),
        ("h?key=x", "", "h?key=x"),
    ],
)
def test_a_server_may_be_given_a_name(written: str, name: str, rest: str) -> None:
    assert split_name(written) == (name, rest)


@pytest.mark.parametrize(
    "written",
    [
        "http://me:s3cret@h:99999",
        "http://me:s3/cret@h:x",
        "me:s3cret@[",
        "http://h?api_key=s3cret",
        "http://h/v1?x=1&token=s3cret#a",
        "http://h#s3cret",
        "http://me:s3cret",
        "ftp://s3cret@h",
    ],
)
def test_no_secret_of_a_refused_address_is_shown(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_url(written)
    assert "cret" not in str(caught.value)
