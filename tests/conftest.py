"""What every test shares: a clean environment, loopback only, and both colours."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from localmix import discovery
from localmix.discovery import directory
from localmix.embedded.engine import stop_all
from localmix.servers import MEMORY
from tests.either import Either, MakeEither
from tests.loopback import LoopbackServer, serving

TINY_MODELS = Path(__file__).parents[1] / "examples" / "tiny-model"
_NAMES = ("LOCALMIX_", "LOCAL_", "OLLAMA_", "LM_", "LMSTUDIO_", "USE_", "HTTP_PROXY", "HTTPS_PROXY")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person record again: `make record KIND=ollama URL=http://127.0.0.1:11434`."""
    parser.addoption("--url", action="append", help="record from this server")


def pytest_collection_finish() -> None:
    """Have the garbage collector look at what tests make, not at ten thousand tests again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _engines_end_with_the_session() -> Iterator[None]:
    yield
    stop_all()  # so that the coverage of their processes is counted


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home in which nothing is configured."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    import os

    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.chdir(empty_home)  # settings are looked for in this folder and those above
    for name in os.environ:
        if name.upper().startswith(_NAMES):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Let no test know what another learned of the servers at its ports."""
    MEMORY.forget()
    discovery._directories.clear()


@pytest.fixture(autouse=True)
def _a_slow_machine_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for the first in the order: on a busy machine a probe may take its time."""
    monkeypatch.setattr(directory, "GRACE", 2.0)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test connects to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"a test that needs no sockets connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def _is_loopback(host: str) -> bool:
    return host in ("::1", "localhost") or host.startswith("127.")


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Run a behaviour once in each colour."""
    return str(request.param)


@pytest.fixture
def either(colour: str) -> Iterator[MakeEither]:
    """Make clients of the colour; they are closed when the test ends."""
    made: list[Either] = []

    class Made(Either):
        def __init__(self, servers: Any = None, **settings: Any) -> None:
            super().__init__(colour, servers, **settings)
            made.append(self)

    yield Made
    for client in made:
        client.end()


@pytest.fixture
def start() -> Iterator[Callable[[LoopbackServer], LoopbackServer]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(serving(server))


@pytest.fixture
def engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing but the embedded engine with the tiny models to be found."""
    leave_only_the_engine(monkeypatch)


def leave_only_the_engine(patch: pytest.MonkeyPatch) -> None:
    """Do so for as long as a patch holds."""
    patch.setenv("LOCAL_MODELS_PATH", str(TINY_MODELS))
    # What listens on this machine must not decide a test.
    patch.setattr("localmix.settings.OLLAMA_PORT", 9)
    patch.setattr("localmix.settings.LMSTUDIO_PORT", 9)
