"""Settings: arguments over environment over defaults, and addresses as users write them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from localmix.errors import ConfigError
from localmix.settings import ServerConfig, Settings
from localmix.settings.vendors import lmstudio_port


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


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("LOCALMIX_MODEL", "qwen3", "model", "qwen3"),
        ("LOCALMIX_ALIASES", '{"small": "qwen3:0.6b"}', "aliases", {"small": ("qwen3:0.6b",)}),
        ("LOCALMIX_PREFER", "lmstudio", "prefer", ("lmstudio",)),
        ("LOCAL_PROVIDER_PREFERENCE", "LM-Studio, ollama", "prefer", ("lmstudio", "ollama")),
        ("LOCAL_PROVIDER_PREFERENCE", "auto", "prefer", ()),
        ("LOCALMIX_MODELS_PATH", "/a", "models_path", (Path("/a"),)),
        ("LOCALMIX_TIMEOUT", "30", "timeout", 30.0),
        ("LOCALMIX_MAX_RETRIES", "0", "max_retries", 0),
        ("LOCALMIX_MONITOR_EVERY", "5", "monitor_every", 5.0),
        ("OLLAMA_BASE_URL", "http://a", "ollama_base_url", "http://a"),
        ("OLLAMA_ENDPOINT", "http://a", "ollama_base_url", "http://a"),
        ("OLLAMA_MODEL", "qwen3", "ollama_model", "qwen3"),
        ("OLLAMA_API_KEY", "k", "ollama_api_key", SecretStr("k")),
        ("LM_STUDIO_BASE_URL", "http://a", "lm_studio_base_url", "http://a"),
        ("LMSTUDIO_ENDPOINT", "http://a", "lm_studio_base_url", "http://a"),
        ("LM_STUDIO_MODEL", "qwen3", "lm_studio_model", "qwen3"),
        ("LM_API_TOKEN", "k", "lm_api_token", SecretStr("k")),
        ("LMSTUDIO_API_TOKEN", "k", "lm_api_token", SecretStr("k")),
        ("LM_STUDIO_API_KEY", "k", "lm_api_token", SecretStr("k")),
        ("LM_API_KEY", "k", "lm_api_token", SecretStr("k")),
        ("USE_OLLAMA", "false", "use_ollama", False),
        ("USE_LM_STUDIO", "0", "use_lm_studio", False),
    ],
)
def test_each_variable_is_read_and_named_as_the_source(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: object
) -> None:
    assert Settings.load().sources[field] == "default"
    monkeypatch.setenv(variable, value)
    settings = Settings.load()
    assert getattr(settings, field) == expected
    assert settings.sources[field] == f"environment {variable}"


def test_a_wrong_preference_is_refused() -> None:
    with pytest.raises(ConfigError, match="Wrong prefer"):
        Settings.load(prefer="vllm")
    with pytest.raises(ConfigError, match="Wrong prefer"):
        Settings.load(prefer=5)
    with pytest.raises(ConfigError, match="Wrong aliases"):
        Settings.load(aliases="small")
    with pytest.raises(ConfigError, match="Wrong models_path"):
        Settings.load(models_path=5)


def test_a_kind_that_is_switched_off_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_OLLAMA", "false")
    monkeypatch.setenv("LMSTUDIO_ENDPOINT", "box:1234")
    assert [place.url for place in Settings.load().candidates()] == ["http://box:1234"]


@pytest.mark.parametrize(
    "variable",
    ["USE_OLLAMA", "LOCALMIX_TIMEOUT", "LOCALMIX_SERVERS", "LOCALMIX_ALIASES", "OLLAMA_HOST"],
)
@pytest.mark.parametrize("nothing", ["", "  ", "\n"])
def test_an_empty_variable_is_not_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, nothing: str
) -> None:
    monkeypatch.setenv(variable, nothing)
    assert set(Settings.load().sources.values()) == {"default"}


def test_an_empty_variable_does_not_hide_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "")
    monkeypatch.setenv("LM_STUDIO_API_KEY", "t")
    settings = Settings.load()
    assert settings.lm_api_token == SecretStr("t")
    assert settings.sources["lm_api_token"] == "environment LM_STUDIO_API_KEY"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("LOCALMIX_TIMEOUT", "soon", "LOCALMIX_TIMEOUT: wrong timeout: .*number"),
        ("USE_OLLAMA", "perhaps", "USE_OLLAMA: wrong use_ollama"),
        ("LOCALMIX_ALIASES", "small", "LOCALMIX_ALIASES: wrong aliases: it is not JSON"),
        ("LOCALMIX_DIGESTS", "[1]", "LOCALMIX_DIGESTS: wrong digests"),
        ("LOCALMIX_SERVERS", "ftp://h", "LOCALMIX_SERVERS: wrong servers: 'ftp://h'"),
        ("LMSTUDIO_ENDPOINT", "http://[", r"LMSTUDIO_ENDPOINT: wrong lm_studio_base_url"),
    ],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=sentence):
        Settings.load()


def test_an_unknown_variable_is_warned_about_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("localmix.settings.sources._told", set())
    monkeypatch.setenv("LOCALMIX_TIMOUT", "3")
    monkeypatch.setenv("LOCALMIX_TOKEN_GPU", "t")
    for _ in range(2):
        Settings.load()
    assert [record.getMessage() for record in caplog.records] == [
        "The environment variable LOCALMIX_TIMOUT is not known. Did you mean LOCALMIX_TIMEOUT?"
    ]


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ('{"port": 4321}', 4321),
        ('{"port": 0}', None),
        ('{"port": "4321"}', None),
        ('{"no": 1}', None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("where", ["new", "old", "moved"])
def test_the_port_that_lm_studio_was_last_started_on(
    tmp_path: Path, config: str | None, port: int | None, where: str
) -> None:
    folder = {
        "new": tmp_path / ".lmstudio",
        "old": tmp_path / ".cache" / "lm-studio",
        "moved": tmp_path / "elsewhere",
    }[where]
    file = folder / ".internal" / "http-server-config.json"
    file.parent.mkdir(parents=True)
    if config is not None:
        file.write_text(config)
    if where == "moved":
        (tmp_path / ".lmstudio-home-pointer").write_text(f"{folder}\n")
    assert lmstudio_port(tmp_path) == port


def test_lm_studios_own_port_is_tried_before_the_usual_one(home: Path) -> None:
    file = home / ".lmstudio" / ".internal" / "http-server-config.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"port": 4321}')
    assert [place.url for place in Settings.load().candidates()][2:] == [
        "http://127.0.0.1:4321",
        "http://[::1]:4321",
        "http://127.0.0.1:1234",
        "http://[::1]:1234",
    ]


def test_the_usual_models_follow_the_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODEL", "a")
    monkeypatch.setenv("LM_STUDIO_MODEL", "b")
    assert Settings.load().usual_models == ["ollama/a", "lmstudio/b"]
    assert Settings.load(prefer="lmstudio").usual_models == ["lmstudio/b", "ollama/a"]


@pytest.mark.parametrize("name", ["proxy_models_file", "proxy_log_requests"])
def test_a_file_may_begin_with_the_home(name: str, empty_home: Path) -> None:
    settings = Settings.load(**{name: "~/kept.json"})
    assert getattr(settings, name) == empty_home / "kept.json"
    assert getattr(Settings(**{name: None}), name) is None
    with pytest.raises(ConfigError, match=name):
        Settings.load(**{name: 7})
