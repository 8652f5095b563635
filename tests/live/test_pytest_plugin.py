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

pytestmark = pytest.mark.slow

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


POSES = """
import pytest
from localmix import Client

@pytest.mark.parametrize("localmix_server", ["ollama", "lmstudio"], indirect=True)
def test_it_is_one_program(localmix_server, request):
    with Client(localmix_server.url) as client:
        server = client.servers()[0]  # the engine may be another
        assert server.kind == request.node.callspec.params["localmix_server"]
        answer = client.chat("What is the capital of France?", model=localmix_server.model)
        assert "Paris" in answer.content
        assert len(client.embed("Hello.", model=localmix_server.embedding_model).vectors[0]) == 96

def test_it_is_both(localmix_server):
    with Client(localmix_server.url) as client:
        assert client.chat("Hi", model=localmix_server.model).content

@pytest.mark.parametrize("localmix_server", ["vllm"], indirect=True)
def test_it_is_nothing_else(localmix_server):
    raise AssertionError
"""


def test_the_server_poses_as_one_program_alone(project: Path) -> None:
    (project / "test_poses.py").write_text(POSES)
    said = run(project, "test_poses.py")
    assert "3 passed, 1 error" in said, said
    assert "localmix_server is one of both, ollama, lmstudio, not 'vllm'" in said


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
