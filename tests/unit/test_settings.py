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
from localmix.settings.addresses import is_loopback, ollama_host, read_url
from localmix.settings.vendors import lmstudio_port


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be at home in an empty folder, and work in another."""
    folder = tmp_path / "home"
    (tmp_path / "work").mkdir()
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(tmp_path / "work")
    return folder


def test_files_come_after_the_environment_and_the_nearest_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = home / ".config" / "localmix" / "localmix.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text('model = "mine"\nmax_retries = 7\nprefer = ["ollama"]\ntimeout = 9\n')
    Path("pyproject.toml").write_text('[tool.localmix]\nmodel = "project"\nprefer = "lmstudio"\n')
    Path("localmix.toml").write_text('model = "near"\n')
    monkeypatch.setenv("LOCALMIX_TIMEOUT", "3")

    settings = Settings.load(connect_timeout=1)

    assert settings.model == "near"
    assert settings.sources["model"] == str(Path.cwd() / "localmix.toml")
    assert settings.prefer == ("lmstudio",)
    assert settings.sources["prefer"] == "pyproject.toml"
    assert settings.max_retries == 7
    assert settings.sources["max_retries"] == str(mine)
    assert (settings.timeout, settings.sources["timeout"]) == (3, "environment LOCALMIX_TIMEOUT")
    assert settings.sources["connect_timeout"] == "argument"
    assert settings.sources["between_timeout"] == "default"


def test_servers_in_a_file(home: Path) -> None:
    Path("localmix.toml").write_text(
        """
        [[servers]]
        url = "gpu-box:11434"
        name = "gpu"
        token = "s3cret"
        order = 1
        weight = 2.0
        limit = 4
        [servers.headers]
        X-Team = "a"

        [[servers]]
        url = "127.0.0.1:1234"

        [aliases]
        small = ["qwen3:0.6b", "gemma3:270m"]
        """
    )
    settings = Settings.load()
    gpu, mine = settings.servers
    assert (gpu.url, gpu.label, gpu.order, gpu.weight, gpu.limit) == (
        "http://gpu-box:11434",
        "gpu",
        1,
        2.0,
        4,
    )
    assert gpu.authorization(None) == {"X-Team": "a", "Authorization": "Bearer s3cret"}
    assert (mine.label, mine.limit) == ("127.0.0.1:1234", None)
    assert settings.aliases == {"small": ("qwen3:0.6b", "gemma3:270m")}
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("modle = 1", "modle"),
        ('servers = [{url = "h", wieght = 1}]', "wieght"),
        ("model = [", "cannot be read"),
        ('servers = [{url = "h", weight = 0}]', "weight"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(home: Path, text: str, sentence: str) -> None:
    Path("localmix.toml").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        Settings.load()


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
