"""The life of a request, in events.

`Began`, then for each server `Tried` and perhaps `Failed`, then `Skipped` for each server that
comes first and was not asked, `Accepted`, `Spoke` where an answer is streamed, and always `Ended`.
A turn that takes two requests to a model, and a long list of texts, are several requests.

Their `repr` shows no prompts and no answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from localmix.types import (
    ChatResult,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Route,
    Server,
)

Outcome = Literal["answered", "failed", "left"]


@dataclass(frozen=True, slots=True)
class Began:
    """A request has been made.

    Attributes:
        number: What all events of one request have in common; unique in the process.
        request: What is asked for, with the prompt.
        is_streamed: Whether the answer is wanted as it is written.
    """

    number: int
    request: GenerationRequest | EmbedRequest = field(repr=False)
    is_streamed: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """A server is asked.

    Attributes:
        model: The name that it knows the model by.
        reason: Why this server and this model, in a few words.
        waited: How long the request waited for a slot there, in seconds.
    """

    number: int
    server: Server
    model: str
    reason: str
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """A server failed to answer; another may be tried.

    Attributes:
        seconds: How long it took.
    """

    number: int
    server: Server
    model: str
    error: Exception
    seconds: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """A server that comes first in the user's order was not asked.

    Attributes:
        server: Its base URL.
        reason: Why not, in a few words.
    """

    number: int
    server: str
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A server has answered or begun to; no other will be tried.

    Attributes:
        route: Which one, with the attempts before it.
    """

    number: int
    route: Route


@dataclass(frozen=True, slots=True)
class Spoke:
    """The first piece of a streamed answer has arrived.

    Attributes:
        seconds: The time since the request began.
    """

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A request is over.

    Attributes:
        outcome: Whether it was answered, has failed, or was left before its end.
        seconds: The time since the request began.
        result: The answer with its route, usage and timings, as far as it had come.
        error: What the caller is told, if it has failed.
    """

    number: int
    outcome: Outcome
    seconds: float
    result: ChatResult | EmbedResult | None = field(default=None, repr=False)
    error: Exception | None = None


Event: TypeAlias = Began | Tried | Failed | Skipped | Accepted | Spoke | Ended
Observer: TypeAlias = Callable[[Event], None]
