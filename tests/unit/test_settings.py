"""Settings: arguments over environment over defaults, and addresses as users write them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from localmix.addresses import read_url
from localmix.errors import ConfigError
from localmix.settings import ServerConfig, Settings


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


def test_without_anything_the_default_places_are_tried() -> None:
    assert [place.url for place in Settings.load().candidates()] == [
        "http://127.0.0.1:11434",
        "http://[::1]:11434",
        "http://127.0.0.1:1234",
        "http://[::1]:1234",
    ]


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "box:99999")  # Ollama takes its default for a bad port
    monkeypatch.setenv("LM_STUDIO_BASE_URL", "http://box:1234/v1")
    monkeypatch.setenv("LOCAL_MODELS_PATH", "/a:/b")
    monkeypatch.setenv("LOCALMIX_CONNECT_TIMEOUT", "0.5")
    settings = Settings.load()

    assert [place.url for place in settings.candidates()] == ["http://box:11434", "http://box:1234"]
    assert settings.models_path == (Path("/a"), Path("/b"))
    assert settings.connect_timeout == 0.5


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_SERVERS", "a:1, b:2")
    monkeypatch.setenv("LOCALMIX_CONNECT_TIMEOUT", "0.5")

    assert [place.url for place in Settings.load().candidates()] == ["http://a:1", "http://b:2"]
    settings = Settings.load(servers="c:3", connect_timeout=7.0, models_path=Path("/m"))
    assert [place.url for place in settings.candidates()] == ["http://c:3"]
    assert settings.connect_timeout == 7.0
    assert settings.models_path == (Path("/m"),)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"connect_timeout": "soon"}, "Wrong connect_timeout: .*number"),
        ({"conect_timeout": 1}, "conect_timeout is not an argument.*Did you mean connect_timeout?"),
        ({"servers": 5}, "Wrong servers"),
        ({"servers": ["ftp://h"]}, "'ftp://h' is not the address"),
    ],
)
def test_wrong_settings_say_what_is_wrong(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Settings.load(**arguments)


def test_a_token_is_shown_nowhere_and_pickled_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "s3cret-a")
    server = ServerConfig(url="h:1", token=SecretStr("s3cret-b"), headers={"X-Key": "s3cret-c"})
    settings = Settings.load(servers=[server, "http://u:s3cret-d@h:2"])

    assert "s3cret" not in repr(settings)
    assert b"s3cret" not in pickle.dumps(settings)
    assert pickle.loads(pickle.dumps(settings)).servers[0].token is None
    assert copy.deepcopy(settings).servers[0].token == SecretStr("s3cret-b")
    assert b"czNjcmV0" not in pickle.dumps(settings)  # nor in Basic's base64


def test_a_token_goes_only_where_it_was_meant_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "lm")
    monkeypatch.setenv("OLLAMA_API_KEY", "cloud")
    ollama, _, lmstudio, _ = Settings.load().candidates()

    # OLLAMA_API_KEY belongs to ollama.com unless OLLAMA_HOST says where it goes.
    assert ollama.authorization("ollama") == {}
    assert lmstudio.authorization(None) == {}
    assert lmstudio.authorization("ollama") == {}
    assert lmstudio.authorization("lmstudio") == {"Authorization": "Bearer lm"}

    monkeypatch.setenv("OLLAMA_HOST", "https://box")
    named = Settings.load().candidates()[0]
    assert named.authorization(None) == {"Authorization": "Bearer cloud"}
