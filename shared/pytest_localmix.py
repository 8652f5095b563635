"""Fixtures for tests of what talks to model servers; pytest loads this by itself.

`localmix_server` is a real tiny model on loopback, `localmix_recorder` plays what a real server
once said. localmix is imported by the first test that asks for one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localmix.pytest.cassettes import Cassette
    from localmix.pytest.server import TinyServer

_RECORD = "--localmix-record"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person record: `pytest --localmix-record http://127.0.0.1:11434`."""
    group = parser.getgroup("localmix")
    group.addoption(
        _RECORD,
        action="append",
        default=[],
        metavar="URL",
        help="record the cassettes of localmix_recorder anew, from this server",
    )


@pytest.fixture(scope="session")
def localmix_server(request: pytest.FixtureRequest) -> Iterator[TinyServer]:
    """Give a real model server on loopback, one for the session; see `TinyServer`.

    It speaks as Ollama and as LM Studio; as one of them alone where a test asks for that, with
    `@pytest.mark.parametrize("localmix_server", ["ollama", "lmstudio"], indirect=True)`. It needs
    `pip install localmix-tiny`, and no Ollama or LM Studio.
    """
    try:
        from localmix_tiny import path
    except ImportError:
        pytest.fail("localmix_server needs the tiny models: pip install localmix-tiny")
    from localmix.proxy import posing
    from localmix.pytest.server import serving

    poses = {"both": None, "ollama": posing.as_ollama, "lmstudio": posing.as_lmstudio}
    name = getattr(request, "param", "both")
    if name not in poses:
        pytest.fail(f"localmix_server is one of {', '.join(poses)}, not {name!r}")
    with serving(path(), poses[name]) as server:
        yield server


@pytest.fixture
def localmix_recorder(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """Play what servers said when the test was recorded, and connect to none.

    `localmix_recorder.servers` are the addresses to ask. The recording is a file of its own for
    each test, `cassettes/<module>/<test>.yaml` beside it; a request that differs from the recorded
    one fails the test, and so does one that is not made. It needs `localmix[pytest]`.
    """
    from localmix.pytest.cassettes import Cassette

    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    path = request.path.parent / "cassettes" / request.path.stem / f"{name}.yaml"
    urls = tuple(request.config.getoption(_RECORD))
    if urls:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        pytest.fail(f"{path} is not there: record it with pytest {_RECORD} URL")
    cassette = Cassette(path, {"recorded_for": request.node.name}, urls)
    with cassette.running():
        yield cassette
