"""What the server side of every dialect can do: bytes of a caller to our types, and back.

It is as pure as the client side: no socket, no loop, and the time is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from localmix.dialects.asking import Asked
from localmix.dialects.parts.passing import PassedDelta
from localmix.types import (
    ChatResult,
    Delta,
    EmbedRequest,
    GenerationRequest,
    ModelInfo,
)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Load:
    """A call that wants a model brought into memory.

    Attributes:
        keep_alive: Seconds for which it should stay; `None` leaves it to the server.
    """

    keep_alive: float | None = None


@dataclass(frozen=True, slots=True)
class Unload:
    """A call that wants a model taken out of memory."""


Wanted = GenerationRequest | EmbedRequest | Load | Unload


@dataclass(frozen=True, slots=True)
class Ask:
    """What one call asks for.

    Attributes:
        path: The path that was called.
        model: The model's name as the caller wrote it; answers carry it back unchanged.
        wanted: What is asked for.
        is_streamed: Whether the answer shall come step by step.
        said: The body of the call, for what only the writer of the answer wants to know.
        wishes: Options that a model may be unable to follow, and that nothing shall fail for.
    """

    path: str
    model: str
    wanted: Wanted
    is_streamed: bool = False
    said: Asked = field(default_factory=lambda: Asked({}), repr=False)
    wishes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Failure:
    """What a caller is told of an error: no address, no key, no prompt.

    Attributes:
        status: The HTTP status, before the first byte.
        message: What went wrong, in a sentence.
        missing: The model that nobody has, where that is the error.
        retry_after: Seconds after which it may go better.
        is_too_long: Whether the model has no room for what it was told.
    """

    status: int
    message: str
    missing: str = ""
    retry_after: float | None = None
    is_too_long: bool = False


class Writer(Protocol):
    """What writes one answer.

    Attributes:
        content_type: That of a stream; a whole answer is JSON.
    """

    content_type: str

    def beat(self) -> bytes:
        """Write a sign of life that says nothing."""
        ...

    def feed(self, delta: Delta) -> bytes:
        """Write one step; empty if there is nothing to tell of it yet."""
        ...

    def passed(self, delta: PassedDelta) -> bytes:
        """Give the bytes of a server that speaks this dialect itself.

        Signs of life may have come before them, and may come among them.
        """
        ...

    def close(self) -> list[bytes]:
        """Write the end of a stream, a piece for each thing that is said."""
        ...

    def broken(self, failure: Failure) -> bytes:
        """Write an error within a stream, which ends it."""
        ...

    def whole(self, result: ChatResult) -> bytes:
        """Write the answer at once."""
        ...


class ServerDialect(Protocol):
    """One wire format, as callers speak it."""

    def read(self, path: str, said: Asked) -> Ask:
        """Read a call; one of which a server of this dialect would make the same may be passed on.

        Raises:
            ConfigError: It says something that cannot be right.
            UnsupportedFeatureError: It asks for what cannot be done.
        """
        ...

    def writer(self, ask: Ask, now: Clock) -> Writer:
        """Make the writer of an answer."""
        ...

    def write_error(self, failure: Failure) -> bytes:
        """Write an error that comes before anything else."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as callers see it, however many servers have it.

    Attributes:
        name: What it is asked for by; the same in every listing.
        places: What its servers say of it, the first of them first.
        since: When it came, as far as that is known.
    """

    name: str
    places: Sequence[ModelInfo]
    since: datetime

    @property
    def first(self) -> ModelInfo:
        """What its first server says."""
        return self.places[0]
