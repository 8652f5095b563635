"""pyright and mypy read what a user writes, strictly, and find nothing to complain of."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.reference import PAGE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# As a user has them: installed, so what they are made of is not judged.
LIBRARIES = [str(ROOT / "shared"), str(ROOT)]
SCRIPT = Path(__file__).with_name("users_script.py").read_text()

# What an extra brings may be missing, such as Ray, whose datasets `localmix.ray` takes.
MISSING = "# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false"


def names() -> str:
    """Write a script that uses every name of the reference."""
    modules, uses = {"localmix"}, list[str]()
    for title, rows in re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", PAGE.read_text(), re.MULTILINE):
        subject = title.split("`")[1]
        words = re.findall(r"^\| `([\w.]+)` \|", rows, re.MULTILINE)
        assert words, title
        if title.startswith("Methods"):
            subject = f"localmix.{subject}"
        else:
            modules |= {f"{subject}.{word}".rpartition(".")[0] for word in words}
        uses += [f"print({subject}.{word})" for word in words]
    return "\n".join([MISSING, *(f"import {module}" for module in sorted(modules)), *uses])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "names.py").write_text(names())
    return tmp_path


def run(project: Path, *command: str) -> None:
    environment = os.environ | {"MYPYPATH": os.pathsep.join(LIBRARIES)}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(600)
def test_pyright_has_nothing_to_complain_of(project: Path) -> None:
    """`basedpyright` is pyright with its engine in the wheel; `strict` is pyright's own word."""
    settings = {
        "extraPaths": LIBRARIES,
        "typeCheckingMode": "strict",
        "reportUnusedExpression": False,
    }
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    run(project, "basedpyright", "--pythonpath", sys.executable)


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_mypy_has_nothing_to_complain_of(project: Path) -> None:
    cache = f"--cache-dir={ROOT / '.mypy_cache' / 'users'}"
    run(project, "mypy", "--strict", "--follow-imports=silent", cache, "script.py", "names.py")


@pytest.mark.timeout(600)
def test_they_complain_of_what_is_wrong(project: Path) -> None:
    """Else it would prove nothing that they are silent."""
    (project / "script.py").write_text(
        "from localmix import Client, ServerConfig\n"
        "Client(base_url='x')\n"
        "ServerConfig(url='h', api_key='x')\n"
        "Client().chat('hello', temprature=1)\n"
        "Client().load('a', context_length=5)\n"
    )
    settings = {"extraPaths": LIBRARIES, "include": ["script.py"]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    with pytest.raises(AssertionError) as caught:
        run(project, "basedpyright", "--pythonpath", sys.executable, "--level", "error")
    for line in range(2, 6):
        assert f"script.py:{line}:" in str(caught.value)
