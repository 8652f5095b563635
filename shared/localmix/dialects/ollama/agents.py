"""The APIs of agents that Ollama has beside its own, and when a call may be passed on to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from localmix.dialects.anthropic.decoder import MessagesDecoder
from localmix.dialects.dialect import Target
from localmix.dialects.parts.framed import FramedDecoder
from localmix.dialects.parts.passing import (
    EventFrames,
    Look,
    Relay,
    Verbatim,
    named_events,
    said_of,
)
from localmix.dialects.responses.decoder import ResponsesDecoder
from localmix.types import Delta, GenerationRequest
from localmix.wire.lines import Event

# Of a body, with the JSON in it; elsewhere a letter of three bytes is a token, and so it fits too.
_BYTES_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class _Spoken:
    """An API that is not the server's own.

    Attributes:
        since: The first release that has it.
        look: How events look that need not be read.
    """

    since: tuple[int, ...]
    decoder: Callable[[str], FramedDecoder[Event, Delta]]
    look: Look


_SPOKEN = {
    "/v1/responses": _Spoken(
        (0, 13, 3),
        ResponsesDecoder,
        named_events(rb"response\.(?!completed|incomplete|failed)[a-z_.]+"),
    ),
    "/v1/messages": _Spoken(
        (0, 14, 0), MessagesDecoder, named_events(b"content_block_(?:start|delta|stop)|ping")
    ),
}


def spoken(target: Target, request: GenerationRequest, *, stream: bool) -> Verbatim | None:
    """Give what can be passed on to an API of agents without losing anything by it.

    These cannot be told a window, and cut a prompt that is too long without a word. So the model
    must be loaded with the window that the server itself chose, and the prompt must fit in it.
    """
    said = said_of(request)
    if said is None or said.is_streamed != stream or said.path not in _SPOKEN:
        return None
    is_there = _release(target.version) >= _SPOKEN[said.path].since
    room = target.model.loaded_context_length or 0
    fits = target.window is None and len(said.body) < room * _BYTES_PER_TOKEN
    return said if is_there and fits else None


def relay(target: Target, said: Verbatim) -> Relay:
    """Make what passes the answer on."""
    look = _SPOKEN[said.path].look
    return Relay(target.url, EventFrames(), decoder(target, said), look)


def decoder(target: Target, said: Verbatim) -> FramedDecoder[Event, Delta]:
    """Make what reads the answer."""
    return _SPOKEN[said.path].decoder(target.url)


def _release(version: str) -> tuple[int, ...]:
    """Read a version; one that is not told, or of a build of somebody's own, is the first."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", version)
    return tuple(map(int, found.groups())) if found else ()
