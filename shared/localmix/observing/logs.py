"""The observer that everybody has: it writes to the logger `localmix.requests`.

One line for each request (INFO; WARNING after a fail-over), each step of it (DEBUG); no prompts, no
answers, no secrets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from localmix.observing.events import (
    Accepted,
    Began,
    Ended,
    Event,
    Failed,
    Observer,
    Skipped,
    Spoke,
    Tried,
)
from localmix.types import ChatResult, EmbedResult

_log = logging.getLogger("localmix.requests")


def listening(level: int = logging.INFO) -> tuple[Observer, ...]:
    """Give what writes the log, if it writes anything of this level: a warning of a fail-over."""
    return (write,) if _log.isEnabledFor(level) else ()


def write(event: Event) -> None:
    """Write an event down, if its level is enabled."""
    match event:
        case Ended(result=result) if result and result.route and result.route.attempts:
            _ended(logging.WARNING, event)
        case Ended():
            _ended(logging.INFO, event)
        case _ if _log.isEnabledFor(logging.DEBUG):
            _log.debug("#%d %s", event.number, _step(event))


def _step(event: Began | Tried | Failed | Skipped | Accepted | Spoke) -> str:
    match event:
        case Began(request=request):
            return f"{type(request).__name__} for {request.model or 'any model'}"
        case Tried(server=server):
            return f"asks {server.url} for {event.model} ({event.reason})"
        case Failed(server=server):
            return f"{server.url} failed after {event.seconds:.3f} s: {event.error}"
        case Skipped():
            return f"skips {event.server}: {event.reason}"
        case Accepted(route=route):
            return f"is answered by {route.server.url} with {route.model}"
        case Spoke():
            return f"received the first piece after {event.seconds:.3f} s"


def _ended(level: int, event: Ended) -> None:
    if _log.isEnabledFor(level):
        error = f" ({type(event.error).__name__})" if event.error else ""
        what = [f"{event.outcome}{error}", *_about(event.result), f"{event.seconds:.3f} s"]
        _log.log(level, "#%d %s", event.number, ", ".join(what))


def _about(result: ChatResult | EmbedResult | None) -> Iterator[str]:
    if result and (route := result.route):
        yield f"{route.model} at {route.server.url} ({route.reason})"
        for attempt in route.attempts:
            yield f"after {attempt.server} failed ({type(attempt.error).__name__})"
    if result and (usage := result.usage):
        yield f"{usage.input_tokens} tokens read, {usage.output_tokens} written"
