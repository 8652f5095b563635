"""Hold an embedding object to one model: vectors of two models must not meet in one index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localmix.errors import ProtocolError
from localmix.types import EmbedResult


@dataclass(frozen=True, slots=True)
class Pin:
    """The model that answered first, and how long its vectors are.

    Attributes:
        asked: What was asked for then; the pin holds as long as that is the same.
        model: The model's name, pinned to its kind of server.
        length: Length of its vectors.
    """

    asked: Any
    model: str
    length: int

    @classmethod
    def of(cls, asked: Any, result: EmbedResult) -> Pin | None:
        """Pin to what answered; `None` where nothing was embedded."""
        if not result.vectors or result.route is None:
            return None
        name = f"{result.route.server.kind}/{result.route.model}"
        return cls(asked, name, len(result.vectors[0]))

    def check(self, result: EmbedResult) -> None:
        """Compare a later answer.

        Raises:
            ProtocolError: Its vectors have another length.
        """
        if not result.vectors or len(result.vectors[0]) == self.length:
            return
        raise ProtocolError(
            f"{self.model} returned vectors of length {len(result.vectors[0])};"
            f" earlier ones had {self.length}.",
            server=result.route.server.url if result.route else "",
            hint="The model behind this name has changed: rebuild the index.",
        )
