"""Both kinds of server, and everything that LlamaIndex tells of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from tests.llamaindex.scripted import KINDS, Turn, scripted
from tests.loopback import LoopbackServer


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Run a behaviour on both kinds of server."""
    return str(request.param)


@pytest.fixture
def script(kind: str, start: Any) -> Callable[..., LoopbackServer]:
    """Start a server of the kind that says these turns."""

    def begin(*turns: Turn) -> LoopbackServer:
        server: LoopbackServer = start(scripted(kind, *turns))
        return server

    return begin


@pytest.fixture(autouse=True)
def _no_loop_is_left() -> None:
    """Let core run loops of its own: where none was ever set, it makes one and leaves it open."""
    asyncio.set_event_loop(None)


class Heard(BaseEventHandler):
    """Collect the events of LlamaIndex's instrumentation."""

    events: list[Any] = Field(default_factory=list)

    def handle(self, event: BaseEvent, **_: Any) -> None:
        self.events.append(event)

    def names(self) -> list[str]:
        """Name the events without those of single chunks."""
        names = [type(event).__name__ for event in self.events]
        return [name for name in names if "InProgress" not in name]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listen to the instrumentation while a test runs."""
    handler = Heard()
    root = get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)
