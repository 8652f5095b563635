"""Aliases that several proxies share by their file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from localmix.errors import ConfigError
from localmix.proxy.aliases import Alias, Aliases
from tests import stand_ins
from tests.loopback import LoopbackServer
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
MANY = 40
# Waits until the other one is there too, so that their changes really come in turn.
KEEPER = """
import asyncio, sys
from pathlib import Path
from localmix.proxy.aliases import Alias, Aliases

async def main(path, name, many):
    aliases = Aliases(path)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(many):
        await aliases.put(Alias(name=f"{name}{number}", source="tiny"))
        if number % 4 == 3:
            await aliases.remove(f"{name}{number}")

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


def keeper(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(path), name, str(MANY)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    names = ("left", "right")
    with keeper(path, names[0]) as left, keeper(path, names[1]) as right:
        for process in (left, right):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in (left, right):
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [left.wait(timeout=120), right.wait(timeout=120)] == [0, 0]
    kept = [number for number in range(MANY) if number % 4 != 3]
    expected = {f"{name}{number}" for name in names for number in kept}
    assert {alias.name for alias in Aliases(path)} == expected


def test_what_one_proxy_changes_the_other_one_knows(start: Start, tmp_path: Path) -> None:
    behind = start(stand_ins.ollama())
    path = tmp_path / "models.json"
    user = [{"role": "user", "content": "Hi"}]
    with (
        proxy([behind.url], proxy_models_file=path) as one,
        proxy([behind.url], proxy_models_file=path) as other,
    ):
        assert one.ask("POST", "/api/copy", {"source": "tiny", "destination": "a"}).status == 200
        assert other.ask("POST", "/api/chat", {"model": "a", "messages": user}).status == 200
        assert other.ask("POST", "/api/copy", {"source": "a", "destination": "b"}).status == 200
        assert other.ask("DELETE", "/api/delete", {"name": "a"}).status == 200
        listed = {each["name"] for each in one.ask("GET", "/api/tags").json["models"]}
        assert "b:latest" in listed
        assert "a:latest" not in listed
        assert one.ask("POST", "/api/chat", {"model": "a", "messages": user}).status == 404


async def test_what_somebody_broke_counts_for_nothing_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    aliases = Aliases(path)
    await aliases.put(Alias(name="poet", source="tiny"))
    assert aliases.source("poet") == "tiny"
    path.write_text('{"models": [')
    assert aliases.source("poet") == "tiny"
    with pytest.raises(ConfigError, match="is not as localmix"):
        await aliases.put(Alias(name="bard", source="tiny"))
    assert path.read_text() == '{"models": ['


async def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    aliases = Aliases(tmp_path / "folder" / "models.json")
    (tmp_path / "folder").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        await aliases.put(Alias(name="poet", source="tiny"))
    assert list(aliases) == []
