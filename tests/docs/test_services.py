"""What `docs/proxy.md` says of running it as a service: a unit, a property list, a container."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "proxy.md").read_text()
TOKEN = "a-token-of-many-letters"


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def unit() -> ConfigParser:
    read = ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(block("ini"))
    return read


def property_list() -> dict[str, Any]:
    read: dict[str, Any] = plistlib.loads(block("xml").encode())
    return read


def container(instruction: str) -> str:
    """Give the last of the instructions of one kind."""
    lines = re.findall(rf"^{instruction} (.*)$", block("dockerfile"), re.MULTILINE)
    return str(lines[-1])


COMMANDS = {
    "systemd": shlex.split(unit()["Service"]["ExecStart"]),
    "launchd": property_list()["ProgramArguments"],
    "container": shlex.split(re.sub(r"[\[\],]", " ", container("ENTRYPOINT"))),
}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="it is systemd's own")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = tmp_path / ".local" / "bin" / "localmix"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    file = tmp_path / "localmix.service"
    file.write_text(block("ini"))
    about = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    said = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(file)],
        env=about,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_launchd_starts_it_again_only_after_a_failure() -> None:
    read = property_list()
    assert read["Label"] == "localmix"
    assert read["RunAtLoad"] is True
    assert read["KeepAlive"] == {"SuccessfulExit": False}


def test_what_the_container_installs_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.search(r'pip install [^"]*"(\w+)\[(\w+)\]"', block("dockerfile"))
    assert found
    assert found[1] == project["name"]
    assert found[2] in project["optional-dependencies"]
    # What is kept belongs to the user that the proxy runs as.
    folder = container("VOLUME")
    assert container("RUN") == f"mkdir -p {folder}"
    assert f":{folder} " in PAGE
    assert folder == f"/home/{container('USER')}/.config/localmix"


@pytest.mark.parametrize("manager", COMMANDS)
def test_the_command_serves_until_it_is_told_to_end(manager: str, tmp_path: Path) -> None:
    """It ends well within the time that systemd leaves it; a test listens on loopback alone."""
    program, *words = COMMANDS[manager]
    assert Path(program).name == "localmix"
    words = [word.replace("0.0.0.0", "127.0.0.1") for word in words if word != "--quiet"]
    about = {"HOME": str(tmp_path), "LOCALMIX_PROXY_TOKEN": TOKEN, "LOCALMIX_PROXY_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "localmix", *words, "--server", "http://127.0.0.1:9"],
        env={**os.environ, **about},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(int(unit()["Service"]["TimeoutStopSec"])) == 0
    finally:
        process.kill()
        process.communicate()
