"""What tests of the proxy share: a server behind it, and what foreign clients leave open."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from tests import stand_ins
from tests.loopback import LoopbackServer
from tests.proxy.served import Proxy, proxy


@pytest.fixture
def behind(start: Callable[[LoopbackServer], LoopbackServer]) -> LoopbackServer:
    """Give the one server; a file of tests may have another one."""
    return start(stand_ins.ollama())


@pytest.fixture
def front(behind: LoopbackServer) -> Iterator[Proxy]:
    """Give a proxy in front of it."""
    with proxy([behind.url]) as running:
        yield running


@pytest.fixture(scope="module")
def _set_aside() -> Iterator[None]:
    """Set aside what is alive before a test: looking at a million objects takes a second."""
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture
def unclosed_clients(_set_aside: None) -> Iterator[None]:
    """Collect what clients leave open that cannot be closed, before another test is blamed."""
    yield
    gc.collect()
    gc.freeze()
