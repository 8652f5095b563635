"""The fixtures for other people's tests, as other people use them: in a project of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import stand_ins
from tests.conftest import TINY_MODELS
from tests.loopback import LoopbackServer, whole

EXAMPLE = Path(__file__).parents[2] / "examples" / "testing"
SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of the example project."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project", symlinks=True))


def run(
    project: Path, *args: str, paths: tuple[Path, ...] = (SHARED, TINY_MODELS), **variables: str
) -> str:
    """Run pytest there with our plugin and no other; give what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_localmix", "-p", "no:cacheprovider", *args],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_example_passes(project: Path) -> None:
    assert "4 passed" in run(project)


def test_loading_the_plugin_does_not_load_localmix(project: Path) -> None:
    (project / "test_light.py").write_text(
        "import sys\ndef test():\n    assert 'pytest_localmix' in sys.modules\n"
        "    assert 'localmix' not in sys.modules\n"
    )
    assert "1 passed" in run(project, "test_light.py")


def test_what_is_missing_is_said(project: Path) -> None:
    said = run(project, "test_support.py", paths=(SHARED,))
    assert "pip install localmix-tiny" in said
    shutil.rmtree(project / "cassettes")
    said = run(project, "test_recorded.py")
    assert "record it with pytest --localmix-record URL" in said


def test_another_request_than_the_recorded_one_fails(project: Path) -> None:
    file = project / "test_recorded.py"
    file.write_text(file.read_text().replace("capital of France", "capital of Spain"))
    assert "Can't overwrite existing cassette" in run(project, "test_recorded.py")


def test_a_request_that_is_not_made_fails(project: Path) -> None:
    (project / "test_recorded.py").write_text(
        "def test_it_asks_as_it_did(localmix_recorder):\n    assert localmix_recorder.servers\n"
    )
    assert "not played: ['POST /api/chat']" in run(project, "test_recorded.py")


class TestRecording:
    @pytest.fixture
    def server(self, start: Callable[[LoopbackServer], LoopbackServer]) -> LoopbackServer:
        message = {"role": "assistant", "content": "It is Paris."}
        reply = whole(stand_ins.OLLAMA_DONE | {"message": message})
        return start(stand_ins.ollama(POST__api_chat=reply))

    def test_a_server_is_recorded_and_played(self, project: Path, server: LoopbackServer) -> None:
        shutil.rmtree(project / "cassettes")
        assert "1 passed" in run(project, "test_recorded.py", "--localmix-record", server.url)
        server.stop()
        assert "1 passed" in run(project, "test_recorded.py")
        (file,) = (project / "cassettes").rglob("*.yaml")
        assert server.url not in file.read_text()

    def test_nothing_is_recorded_in_ci(self, project: Path, server: LoopbackServer) -> None:
        said = run(project, "test_recorded.py", "--localmix-record", server.url, CI="true")
        assert "CI must not record" in said
        assert not server.requests
