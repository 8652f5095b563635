"""What managing models brings: a model with all its places, and the steps of a pull."""

from __future__ import annotations

from dataclasses import dataclass

from localmix.errors import Attempt
from localmix.types.servers import ModelInfo
from localmix.types.showing import Short, Tabular, size
from localmix.types.words import PullStatus


@dataclass(frozen=True, slots=True, repr=False)
class Model(Tabular):
    """A model, however many servers have it.

    Attributes:
        name: A name that every client understands; the first place's.
        places: What each server says of it, in the user's order. Two models are joined only if
            their names certainly mean the same weights.
    """

    name: str
    places: tuple[ModelInfo, ...]

    @property
    def loaded(self) -> bool:
        """Whether it is in memory at some server."""
        return any(place.loaded for place in self.places)

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        first = self.places[0]
        return {
            "model": self.name,
            "for": first.purpose,
            "loaded": self.loaded,
            "size": size(first.size_bytes),
            "servers": ", ".join(place.server for place in self.places),
        }


@dataclass(frozen=True, slots=True, repr=False)
class PullProgress(Short):
    """How far a pull is.

    Attributes:
        model: Name of the model, as the server was asked for it.
        server: Base URL of the server that fetches it.
        status: `preparing`, `downloading`, `paused`, `finishing` (checks and writes), `done`.
        said: What the server itself calls the step.
        completed: Bytes that are there, of all parts that were named so far.
        total: Bytes of these parts; it grows where a server names one part after the other.
            `None` before a size is known.
        breaks: How often the pull has broken off and gone on.
        attempts: The servers that were asked before, and why they do not fetch it.
    """

    model: str
    server: str
    status: PullStatus
    said: str = ""
    completed: int = 0
    total: int | None = None
    breaks: int = 0
    attempts: tuple[Attempt, ...] = ()
