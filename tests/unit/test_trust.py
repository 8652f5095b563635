"""What a file of the working folder may say, and where a token may go."""

from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from localmix.errors import ConfigError
from localmix.settings import ServerConfig, Settings
from localmix.settings.files import folder_files
from localmix.settings.trust import trust

ELSEWHERE = "http://elsewhere.example:11434"
HERE = "http://127.0.0.1:11500"
DANGEROUS = {
    "servers": [
        f'["{ELSEWHERE}"]',
        f'"{HERE},{ELSEWHERE}"',
        f'[{{url = "{HERE}", token = "t"}}]',
        f'[{{url = "{HERE}", headers = {{a = "b"}}}}]',
        f'["http://u:p@{HERE[7:]}"]',
        '["http://evil.example/=127.0.0.1"]',
        '["a=evil.example"]',
        '["http://127.0.0.1@evil.example"]',
        '["http://evil.example%00.localhost"]',
        '["http://127.0.0.1.evil.example"]',
        "[{}]",
    ],
    "ollama_base_url": [f'"{ELSEWHERE}"', '"elsewhere"', '"http://u:p@127.0.0.1"'],
    "ollama_host": ['"ollama.com"', '"10.0.0.1"'],
    "lm_studio_base_url": [f'"{ELSEWHERE}"'],
    "models_path": ['"weights"', '["/weights"]'],
    "ollama_api_key": ['"t"'],
    "lm_api_token": ['"t"'],
    "tokens": ['{gpu = "t"}'],
    "model": ['"gpt-oss:120b-cloud"', '"ollama/kimi:Cloud"'],
    "aliases": ['{small = ["tiny", "gpt-oss:120b-cloud"]}', '{small = "a:cloud"}'],
    "ollama_model": ['"a-cloud"'],
    "lm_studio_model": ['"a-cloud"'],
    "proxy_host": ['"0.0.0.0"'],
    "proxy_token": ['"t"'],
    "proxy_allow_origins": ['["https://evil.example"]', '"*"'],
    "proxy_allow_hosts": ['["evil.example"]'],
    "proxy_allow_cloud": ["true"],
    "cache": ["true", '"answers.sqlite"'],
}
HARMLESS = [
    'model = "tiny"',
    'aliases = {small = "tiny"}',
    f'servers = ["gpu={HERE}", "localhost:1"]',
    f'servers = [{{url = "{HERE}", name = "gpu", order = 1}}]',
    'ollama_base_url = "localhost:1"',
    'ollama_host = "0.0.0.0"',
    'lm_studio_base_url = "http://[::1]:4"',
    "timeout = 3",
    "use_ollama = false",
    "proxy_port = 11435",
    "proxy_read_only = true",
    'digests = {tiny = "0123456789abcdef"}',
]


@pytest.fixture(autouse=True)
def _nothing_was_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localmix.settings.trust._told", set())
    monkeypatch.setattr("localmix.settings._told", set())


@pytest.mark.parametrize("name", ["localmix.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in DANGEROUS.items() for value in values]
)
def test_what_could_do_harm_counts_only_when_it_is_trusted(
    caplog: pytest.LogCaptureFixture, name: str, key: str, value: str
) -> None:
    table = "" if name == "localmix.toml" else "[tool.localmix]\n"
    Path(name).write_text(f"{table}{key} = {value}\nmax_retries = 7\n")
    for _ in range(2):
        settings = Settings.load()
        assert settings.sources[key] == "default"
        assert settings.max_retries == 7
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert f"{Path.cwd() / name} is not trusted, so {key} in it is ignored" in caplog.text


@pytest.mark.parametrize("line", HARMLESS)
def test_what_does_no_harm_counts_at_once(caplog: pytest.LogCaptureFixture, line: str) -> None:
    Path("localmix.toml").write_text(line)
    key = line.partition(" ")[0]
    assert Settings.load().sources[key] == str(Path.cwd() / "localmix.toml")
    assert not caplog.records


@pytest.mark.parametrize("name", ["localmix.toml", "pyproject.toml"])
def test_trust_ends_when_the_file_says_something_else(name: str) -> None:
    table = "" if name == "localmix.toml" else "[tool.localmix]\n"
    Path(name).write_text(f'{table}ollama_base_url = "{ELSEWHERE}"\n')
    (file,) = folder_files()
    trust(file)
    assert Settings.load().ollama_base_url == ELSEWHERE
    Path(name).write_text(f'{table}ollama_base_url = "{ELSEWHERE}.evil.example"\n')
    assert Settings.load().ollama_base_url is None


def test_trust_is_for_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("localmix.toml").write_text(f'ollama_base_url = "{ELSEWHERE}"\n')
    trust(next(folder_files()))
    (tmp_path / "other").mkdir()
    Path("localmix.toml").rename(tmp_path / "other" / "localmix.toml")
    monkeypatch.chdir(tmp_path / "other")
    assert Settings.load().ollama_base_url is None


@pytest.mark.parametrize("said", [b"[]", b"{", b"\xff", b"[" * 9999])
def test_a_broken_list_of_trusted_files_trusts_nobody(home: Path, said: bytes) -> None:
    store = home / ".config" / "localmix" / "trusted.json"
    store.parent.mkdir(parents=True)
    store.write_bytes(said)
    Path("localmix.toml").write_text(f'ollama_base_url = "{ELSEWHERE}"\n')
    assert Settings.load().ollama_base_url is None
    trust(next(folder_files()))
    assert Settings.load().ollama_base_url == ELSEWHERE


def test_trust_that_cannot_be_remembered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("localmix.toml").write_text(f'ollama_base_url = "{ELSEWHERE}"\n')
    (home / ".config").write_text("no folder")
    with pytest.raises(ConfigError, match=r"trusted.json cannot be written"):
        trust(next(folder_files()))
    monkeypatch.setenv("HOME", "relative")
    with pytest.raises(ConfigError, match="no home folder"):
        trust(next(folder_files()))


def write(where: str, home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Say one thing in one of the sources."""
    variables = {"ollama_base_url": "OLLAMA_BASE_URL", "ollama_api_key": "OLLAMA_API_KEY"}
    variables |= {"lm_studio_base_url": "LM_STUDIO_BASE_URL", "lm_api_token": "LM_API_TOKEN"}
    if where == "environment":
        monkeypatch.setenv(variables[name], value)
        return
    file = Path("localmix.toml") if where == "folder" else home / ".config/localmix/localmix.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + f'{name} = "{value}"\n')


ORDER = ["folder", "user", "environment"]


@pytest.mark.parametrize("address_in", ORDER)
@pytest.mark.parametrize("token_in", ORDER)
@pytest.mark.parametrize(
    ("address", "token"),
    [("ollama_base_url", "ollama_api_key"), ("lm_studio_base_url", "lm_api_token")],
)
def test_a_token_goes_where_its_own_source_or_a_stronger_one_names_the_server(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
    token: str,
    address_in: str,
    token_in: str,
) -> None:
    write(address_in, home, monkeypatch, address, ELSEWHERE)
    write(token_in, home, monkeypatch, token, "s3cret-token")
    for file in folder_files():
        trust(file)
    place = next(each for each in Settings.load().candidates() if each.url == ELSEWHERE)
    may = ORDER.index(address_in) >= ORDER.index(token_in)
    assert place.authorization(None) == ({"Authorization": "Bearer s3cret-token"} if may else {})
    assert (f"is not sent to {ELSEWHERE}" in caplog.text) is not may
    assert "s3cret" not in caplog.text


def test_an_argument_is_the_strongest_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "t")
    place = Settings.load(ollama_base_url=ELSEWHERE).candidates()[0]
    assert place.token == SecretStr("t")


@pytest.mark.parametrize(
    ("file", "variable", "value", "place"),
    [
        ('ollama_base_url = "localhost:5"', "OLLAMA_HOST", "box", "http://box:11434"),
        ('ollama_host = "localhost:5"', "OLLAMA_BASE_URL", "http://box", "http://box"),
    ],
)
def test_a_stronger_source_wins_under_another_name(
    monkeypatch: pytest.MonkeyPatch, file: str, variable: str, value: str, place: str
) -> None:
    Path("localmix.toml").write_text(file)
    monkeypatch.setenv(variable, value)
    assert Settings.load().candidates()[0].url == place


def test_the_users_usual_model_wins_over_the_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("localmix.toml").write_text('model = "theirs"')
    monkeypatch.setenv("OLLAMA_MODEL", "mine")
    settings = Settings.load()
    assert (settings.model, settings.usual_models) == (None, ["ollama/mine"])
    assert Settings.load(model="now").model == "now"


@pytest.mark.parametrize(
    ("servers", "variables", "tokens"),
    [
        ("https://h:1", {"LOCALMIX_TOKEN": "a"}, ["a"]),
        ("https://h:1", {"LOCALMIX_TOKEN_H_1": "a"}, ["a"]),
        ("gpu-box=https://h:1", {"LOCALMIX_TOKEN_GPU_BOX": "a"}, ["a"]),
        ("gpu=h:1, h:2", {"LOCALMIX_TOKEN_GPU": "a", "LOCALMIX_TOKEN_H_2": "b"}, ["a", "b"]),
        ("gpu=h:1, h:2", {"LOCALMIX_TOKEN": "a"}, [None, None]),
        ("gpu=h:1", {"LOCALMIX_TOKEN_CPU": "a"}, [None]),
        ("gpu=h:1", {"LOCALMIX_TOKEN_GPU": " "}, [None]),
    ],
)
def test_a_server_in_a_variable_has_its_token_in_another(
    monkeypatch: pytest.MonkeyPatch, servers: str, variables: dict[str, str], tokens: list[Any]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOCALMIX_SERVERS", servers)
    given = [each.token for each in Settings.load().candidates()]
    assert [token and token.get_secret_value() for token in given] == tokens
    assert [each.token for each in Settings.load(servers=servers).candidates()] == given  # the flag


def test_tokens_in_the_users_file(home: Path) -> None:
    file = home / ".config/localmix/localmix.toml"
    file.parent.mkdir(parents=True)
    file.write_text('servers = ["gpu=http://h:1"]\ntokens = {gpu = "t0ken-in-file"}\n')
    settings = Settings.load()
    assert settings.candidates()[0].token == SecretStr("t0ken-in-file")
    shown = [repr(settings), str(settings.model_dump()), settings.model_dump_json()]
    assert "t0ken" not in "".join(shown) + repr(pickle.dumps(settings))
    assert copy.deepcopy(settings).candidates()[0].token == SecretStr("t0ken-in-file")


def test_a_token_that_is_meant_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_SERVERS", "http://h:1,https://h:1")
    assert len(Settings.load().candidates()) == 2
    monkeypatch.setenv("LOCALMIX_TOKEN_H_1", "t")
    with pytest.raises(ConfigError, match="two servers could be meant by the token 'H_1'"):
        Settings.load()


@pytest.mark.parametrize("setting", ["ollama_base_url", "lm_studio_base_url", "ollama_host"])
def test_a_password_in_an_address_is_shown_nowhere(setting: str) -> None:
    settings = Settings.load(**{setting: "http://me:s3cret@h:1"})
    shown = repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    assert "s3cret" not in shown
    assert not any(word in repr(pickle.dumps(settings)) for word in ("s3cret", "czNjcmV0"))
    place = next(each for each in settings.candidates() if each.url == "http://h:1")
    assert place.authorization(None) == {"Authorization": "Basic bWU6czNjcmV0"}
    assert copy.deepcopy(settings).candidates() == settings.candidates()
    assert ServerConfig(url="http://me:s3cret@h:1").headers == place.headers


@pytest.mark.parametrize(
    "headers", [{"X-Key": "s3cret\nX-Other: 1"}, {"X-Key": "s3cr\u00e9t"}, {"X s3cret": "a"}]
)
def test_a_header_that_cannot_be_sent_is_told_without_its_value(headers: dict[str, str]) -> None:
    with pytest.raises(
        ConfigError, match="a header cannot have|not a valid name for a header"
    ) as caught:
        Settings.load(servers=[{"url": "h", "headers": headers}])
    assert "s3cr" not in str(caught.value) + repr(caught.value)
    about = ServerConfig(url="h", headers={"X-Key": "s3cret\n"})
    assert about.headers == {"X-Key": "s3cret"}
    assert "s3cret" not in str(about.model_dump()) + about.model_dump_json() + repr(about)
