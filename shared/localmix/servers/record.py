"""All that is remembered of one server."""

from __future__ import annotations

import threading
from collections import defaultdict

from localmix.servers.breaker import Health
from localmix.servers.slots import Slots
from localmix.servers.speeds import Rates
from localmix.wire.gate import Gate


class Vitals:
    """What is remembered of one server.

    Attributes:
        turn: Its place in the rotation among equals, in answers per unit of weight.
        answered_at: When each model last answered, and so was loaded.
        purposes: What models proved to be for, where the listing had it otherwise.
        late_thoughts: Models that have left a thought in the content, where only its end told.
        missed: Why it could not be used when it was last missed; empty since it was there again.
        windows: The context window that was last asked for, for each model, in tokens; 0 for none.
    """

    def __init__(self) -> None:
        self.health = Health()
        self.rates: defaultdict[str, Rates] = defaultdict(Rates)
        self.answered_at: dict[str, float] = {}
        self.late_thoughts: set[str] = set()
        self.windows: dict[str, int] = {}
        self.purposes: dict[str, str] = {}
        self.turn = 0.0
        self.missed = ""
        self.forget_requests()

    def forget_requests(self) -> None:
        """Begin without requests under way; whoever holds a slot still holds the old one."""
        self.slots = Slots()
        self._lock = threading.Lock()
        self._loading: dict[str, Gate] = {}

    def was_reached(self) -> None:
        """Note that it has shown what it is."""
        self.health.was_reached()
        self.missed = ""

    def begin_loading(self, model: str) -> Gate | None:
        """Take it on to load a model; or give the gate that opens when another has done so."""
        with self._lock:
            gate = self._loading.get(model)
            if gate is None:
                self._loading[model] = Gate()
            return gate

    def end_loading(self, model: str) -> None:
        """Let those through who waited for the model."""
        with self._lock:
            gate = self._loading.pop(model, None)
        if gate:  # a child that was forked meanwhile has forgotten it
            gate.open()
