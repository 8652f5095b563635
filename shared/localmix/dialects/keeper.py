"""What can be done with the models of a server beside asking them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from localmix.dialects.dialect import Endpoint, Target
from localmix.errors import Attempt, UnsupportedFeatureError
from localmix.types import LoadRequest, PullProgress, PullStatus
from localmix.wire.flows import Flow, Source


@dataclass(slots=True)
class PullMeter:
    """The parts of a pull, added up over every break.

    Attributes:
        attempts: The servers that were asked before.
        has_advanced: Whether bytes have come since the last break.
    """

    model: str
    server: str
    breaks: int = 0
    attempts: tuple[Attempt, ...] = ()
    has_advanced: bool = False
    _parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def step(
        self,
        status: PullStatus,
        said: str = "",
        *,
        part: str = "",
        completed: int = 0,
        total: int | None = None,
    ) -> PullProgress:
        """Write down a step; `part`, `completed` and `total` say how far one part is."""
        if total is not None:
            known, _ = self._parts.get(part, (0, 0))
            self.has_advanced = self.has_advanced or completed > known
            self._parts[part] = completed, total
        if status in ("finishing", "done"):
            # Quirk (ollama 0.33.0-rc2): the last word on a part may say less than all of it.
            self._parts = {name: (size, size) for name, (_, size) in self._parts.items()}
        return PullProgress(
            model=self.model,
            server=self.server,
            status=status,
            said=said,
            completed=sum(done for done, _ in self._parts.values()),
            total=sum(size for _, size in self._parts.values()) if self._parts else None,
            breaks=self.breaks,
            attempts=self.attempts,
        )

    def broke(self) -> None:
        """Note a break."""
        self.breaks, self.has_advanced = self.breaks + 1, False


class Keeper(Protocol):
    """What manages the models of servers of one kind.

    What a server cannot do raises an `UnsupportedFeatureError` that says how to do it by hand.
    """

    def load(self, target: Target, request: LoadRequest) -> Flow[None]:
        """Bring a model into memory as ordered; `target.model` is listed afresh."""
        ...

    def unload(self, target: Target) -> Flow[None]:
        """Take a model out of memory."""
        ...

    def delete(self, target: Target) -> Flow[None]:
        """Take a model off the disk."""
        ...

    def copy(self, target: Target, destination: str) -> Flow[None]:
        """Give a model a second name."""
        ...

    def pull(self, endpoint: Endpoint, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Fetch a model, emitting steps; what has come before is not fetched again.

        Raises:
            ModelNotFoundError: There is no model of this name to fetch.
            DownloadError: The server cannot fetch it.
        """
        ...


def refusal(server: str, kind: str, what: str, by_hand: str) -> UnsupportedFeatureError:
    """Say what a server cannot do for a client, and how a person does it."""
    return UnsupportedFeatureError(f"{server} ({kind}) cannot {what}.", server=server, hint=by_hand)
