"""Looking at all servers again and again, where the user wants that."""

from __future__ import annotations

import os

from localmix.discovery import Directory
from localmix.routing.fleet import Fleet
from localmix.wire.flows import Flow, spawn, wait


class Monitor:
    """Whether somebody looks at the servers again and again; it keeps no client alive.

    It ends with the driver that it runs in, and has to be begun anew in a forked child.
    """

    def __init__(self) -> None:
        self._process = 0

    def begin(self, fleet: Fleet) -> Flow[None]:
        """Begin to look, unless somebody does."""
        pause = fleet.settings.monitor_every
        if pause and self._process != os.getpid():
            yield from spawn(self._look(fleet.directory, pause))

    def _look(self, directory: Directory, pause: float) -> Flow[None]:
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        try:
            while True:
                yield from wait(pause)
                yield from directory.refresh()
        finally:
            self._process = 0
