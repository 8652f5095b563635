"""Settings in files: which there are, what of them is ours, and what is wrong with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localmix.errors import ConfigError
from localmix.settings import Settings


def users_file(home: Path) -> Path:
    file = home / ".config" / "localmix" / "localmix.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def test_files_come_after_the_environment_and_the_users_own_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = users_file(home)
    mine.write_text('model = "mine"\nmax_retries = 7\ntimeout = 9\n')
    table = '[tool.localmix]\nmodel = "project"\nprefer = "ollama"\nmax_failures = 8\n'
    Path("pyproject.toml").write_text(table)
    Path("localmix.toml").write_text('model = "near"\nprefer = "lmstudio"\n')
    monkeypatch.setenv("LOCALMIX_TIMEOUT", "3")

    settings = Settings.load(connect_timeout=1)

    assert settings.model == "mine"
    assert settings.sources["model"] == str(mine)
    assert settings.prefer == ("lmstudio",)
    assert settings.sources["prefer"] == str(Path.cwd() / "localmix.toml")
    assert settings.max_failures == 8
    assert settings.sources["max_failures"] == str(Path.cwd() / "pyproject.toml")
    assert settings.max_retries == 7
    assert settings.sources["max_retries"] == str(mine)
    assert (settings.timeout, settings.sources["timeout"]) == (3, "environment LOCALMIX_TIMEOUT")
    assert settings.sources["connect_timeout"] == "argument"
    assert settings.sources["between_timeout"] == "default"


def test_servers_in_a_file(home: Path) -> None:
    users_file(home).write_text(
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
        ("\n# modle\nmodle = 1", r"localmix.toml, line 3: modle is not a setting. Did .* model\?"),
        ("timeout = 'soon'", "localmix.toml, line 1: wrong timeout: .*number"),
        ('[[servers]]\nurl = "h"\nwieght = 1', "line 3: wrong servers: wieght .* mean weight"),
        ('[[servers]]\nurl = "h"\nweight = 0', "line 3: wrong servers: Wrong weight: .*greater"),
        ("servers = [5]", "line 1: wrong servers: A server is an address or a table, not int"),
        ('servers = [{url = "h", headers = "x"}]', "wrong servers: Wrong headers"),
        ('servers = ["ftp://h"]', "line 1: wrong servers: 'ftp://h' is not the address"),
        ("[aliases]\na = 5", "line 2: wrong aliases.a"),
        ("[aliases]\na = ['b', 5]", r"line 2: wrong aliases\.a\[1\]"),
        ('ollama_base_url = "ftp://h"', "line 1: wrong ollama_base_url: 'ftp://h' is not"),
        ("a = 1\nb = = 2", r"localmix.toml cannot be read: .*line 2"),
        ("a = " + "[" * 5000, "localmix.toml cannot be read"),
        (b"\n# caf\xe9\nmodel = 'a'", "localmix.toml, line 2: it is not UTF-8"),
        ('model = "a"'.encode("utf-16"), "line 1: it is not UTF-8"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_where(
    home: Path, text: str | bytes, sentence: str
) -> None:
    users_file(home).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=sentence):
        Settings.load()


def test_a_byte_order_mark_is_no_error(home: Path) -> None:
    users_file(home).write_text('\ufeffmodel = "mine"')
    Path("localmix.toml").write_text("\ufefftimeout = 7")
    Path("pyproject.toml").write_text("\ufeff[tool.localmix]\nmax_retries = 9")
    settings = Settings.load()
    assert (settings.model, settings.timeout, settings.max_retries) == ("mine", 7, 9)


@pytest.mark.parametrize(
    "text",
    [
        b"[project]\nname = {{ name }}\n",
        b"# caf\xe9\n[project]\nname = 'localmix-plugin'\n",
        b"[tool.localmix]\nname = {{ name }}\n",
        "[tool.localmix]\nmodel = 'a'".encode("utf-16"),
        b"tool = 5 # localmix",
        b"[project]\ndependencies = ['localmix']\n",
        b"a = " + b"[" * 5000 + b"# localmix",
        b"\x00",
    ],
)
def test_a_project_that_is_not_ours_is_none_of_our_business(home: Path, text: bytes) -> None:
    Path("pyproject.toml").write_bytes(text)
    assert Settings.load().model is None


def test_our_table_in_a_project_is_ours(home: Path) -> None:
    Path("pyproject.toml").write_text("[project]\nmodle = 1\n\n[tool.localmix]\nmodle = 1\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml, line 5: modle is not a setting"):
        Settings.load()
    Path("pyproject.toml").write_text("[tool]\nlocalmix = 5\n")
    with pytest.raises(ConfigError, match="tool.localmix is not a table"):
        Settings.load()


@pytest.mark.parametrize("name", ["localmix.toml", "pyproject.toml"])
def test_what_is_no_file_is_not_there(home: Path, name: str) -> None:
    Path(name).mkdir()
    assert Settings.load().model is None
    Path(name).rmdir()
    os.mkfifo(name)
    assert Settings.load().model is None
    Path(name).unlink()
    Path(name).symlink_to(name)
    assert Settings.load().model is None


def _load_as_nobody(home: Path, folder: Path, variables: dict[str, str]) -> str:
    """Read the settings in a process of a user without a name, as containers have it."""
    code = (
        "import os, sys; from localmix import Client; Client('h'); os.chdir(sys.argv[1]);"
        "(len(sys.argv) > 2 and os.rmdir(sys.argv[1])); os.getuid() or os.setuid(54321);"
        "print(Client(), Client().settings.model)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(folder), *(["gone"] if folder.name == "gone" else [])],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}, {"HOME": "{home}"}])
def test_nobodys_home_and_files_that_nobody_may_read(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """No HOME and no name, an odd HOME, or that of another user."""
    folder, home = tmp_path / "work", tmp_path / "home"
    for place in (folder, home / ".config" / "localmix", folder / ".config" / "localmix"):
        place.mkdir(parents=True)
        (place / "localmix.toml").write_text('model = "another\'s"')
        (place / "localmix.toml").chmod(0o000)
    home.chmod(0o700)
    for parent in (folder, *tmp_path.parents[:2], tmp_path):
        parent.chmod(0o755)
    given = {name: value.format(home=home) for name, value in variables.items()}
    if os.getuid() == 0:
        assert "11434" in _load_as_nobody(home, folder, given)


@pytest.mark.slow
def test_a_working_folder_that_was_deleted(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    assert "11434" in _load_as_nobody(tmp_path, gone, {"HOME": str(tmp_path)})


def test_a_folder_of_a_home_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="LOCAL_MODELS_PATH: wrong models_path: the home folder"):
        monkeypatch.setenv("LOCAL_MODELS_PATH", "~no-such-user-here/models")
        Settings.load()
