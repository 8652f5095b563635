"""The servers that some settings name, and everything that is known of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localmix.discovery import Directory, directory_of
from localmix.embedded.engine import Engine
from localmix.observing import Observer, Watch
from localmix.observing.enabling import with_telemetry
from localmix.routing.selection import Selection
from localmix.servers import MEMORY, Memory, Vitals
from localmix.settings import Settings
from localmix.types import EmbedRequest, GenerationRequest


@dataclass(frozen=True, slots=True)
class _Parts:
    settings: Settings
    engine: Engine
    directory: Directory
    selection: Selection
    observers: tuple[Observer, ...]


class Fleet:
    """What clients, and all that they ask, stand on.

    Reading the settings looks at files, which may block: it is done by `prepare`, or with the first
    need of them.

    Args:
        given: All settings, or those that a caller gave; the rest comes from the other sources.
        observers: Who is told what happens to requests.
        memory: What is remembered of servers.
        clock: The time in seconds, from any moment on.
    """

    def __init__(
        self,
        given: Settings | Mapping[str, Any],
        observers: Iterable[Observer] = (),
        memory: Memory = MEMORY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.observers = tuple(observers)
        self.memory = memory
        self.clock = clock
        self._given = given
        self._parts: _Parts | None = None

    @property
    def is_prepared(self) -> bool:
        """Whether the settings have been read."""
        return self._parts is not None

    def prepare(self) -> _Parts:
        """Read the settings, unless that was done.

        Raises:
            ConfigError: A setting cannot be right.
        """
        if self._parts is None:  # two threads may both do it: the same comes of it
            given = self._given
            settings = given if isinstance(given, Settings) else Settings.load(**given)
            engine = Engine(settings.models_path, settings.embedded_context_length)
            directory = directory_of(settings, engine, self.memory, self.clock)
            selection = Selection(settings, directory, self.memory, self.clock)
            observers = with_telemetry(self.observers, settings)
            self._parts = _Parts(settings, engine, directory, selection, observers)
        return self._parts

    @property
    def settings(self) -> Settings:
        """The settings, each from its strongest source."""
        return self.prepare().settings

    @property
    def engine(self) -> Engine:
        """The embedded engine."""
        return self.prepare().engine

    @property
    def directory(self) -> Directory:
        """What is known of the candidates."""
        return self.prepare().directory

    @property
    def selection(self) -> Selection:
        """The choice of places for a request."""
        return self.prepare().selection

    def watch(
        self, request: GenerationRequest | EmbedRequest, *, is_streamed: bool = False
    ) -> Watch:
        """Give what tells the observers of a request."""
        return Watch(self.prepare().observers, self.clock, request, is_streamed=is_streamed)

    def vitals(self, url: str) -> Vitals:
        """Give what is remembered of the server at an address."""
        return self.memory.vitals(url)
