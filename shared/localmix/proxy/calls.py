"""One call of the proxy's API and what came of it: a line in the log, a figure, a record.

The gate begins a call; what happens to the requests that are made of it is heard as an observer of
the client, which runs in the call's own context.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from localmix.errors import LocalMixError
from localmix.observing import Ended, Event, Failed, Outcome, Spoke, Tried

CallOutcome = Literal["answered", "failed", "left", "refused"]
Listener = Callable[["Call"], None]
# The endpoint of whatever is not in the table, and an error that is none of ours.
OTHER = "other"
_REFUSED, _FAILED = 400, 500
_log = logging.getLogger("localmix.proxy")


@dataclass(slots=True)
class Call:
    """What is known of a call.

    Attributes:
        path: As the caller wrote it.
        endpoint: Its path in the table of endpoints.
        asked: The model that the caller names.
        server: The server that was asked last; empty where none was.
        model: The name by which it knows the model.
        first_token: Seconds until the first piece of a streamed answer was there.
        input_tokens: Tokens that servers have read for it.
        output_tokens: Tokens that servers have written for it.
        failovers: Servers that were left for another one, and the kind of error of each.
        status: The status of the answer; 0 where the caller has left before it.
        seconds: How long all of it took.
        question: The body of the request.
        pieces: What was sent to the caller in a stream; `None` where nobody wants to know.
        answer: The body of an answer that was sent at once.
    """

    method: str
    path: str
    endpoint: str = OTHER
    asked: str = ""
    server: str = ""
    model: str = ""
    first_token: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    failovers: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0
    seconds: float = 0.0
    question: bytes = field(default=b"", repr=False)
    pieces: list[bytes] | None = field(default=None, repr=False)
    answer: bytes = field(default=b"", repr=False)
    _began: float = field(default_factory=time.monotonic, repr=False)
    _ended: Outcome | None = field(default=None, repr=False)
    _failed: dict[int, tuple[str, str]] = field(default_factory=dict, repr=False)

    @property
    def outcome(self) -> CallOutcome:
        """How it ended: a stream that broke has the status of one that was answered."""
        if not self.status:
            return "left"
        if self.status >= _REFUSED:
            return "failed" if self.status >= _FAILED else "refused"
        return self._ended or "answered"

    def hear(self, event: Event) -> None:
        """Take what happens to a request that is made of this call."""
        match event:
            case Tried():
                self.server, self.model = event.server.url, event.model
                left = self._failed.pop(event.number, None)
                if left and left[0] != self.server:
                    self.failovers.append(left)
            case Failed():
                is_ours = isinstance(event.error, LocalMixError)
                reason = type(event.error).__name__ if is_ours else OTHER
                self._failed[event.number] = event.server.url, reason
            case Spoke():
                self.first_token = time.monotonic() - self._began
            case Ended():
                self._ended = event.outcome
                if usage := event.result and event.result.usage:
                    self.input_tokens += usage.input_tokens
                    self.output_tokens += usage.output_tokens

    def answered(self, status: int, body: object) -> None:
        """Note what the caller is sent; a stream has no body."""
        self.status = status
        if self.pieces is not None and isinstance(body, bytes):
            self.answer = body

    def close(self) -> None:
        """Stop the clock."""
        self.seconds = time.monotonic() - self._began


_current: ContextVar[Call | None] = ContextVar("call", default=None)


class Calls:
    """Where calls begin and end, and who is told.

    Args:
        listeners: Called with each call when it is over.
        keeps_words: Whether calls keep what was said in them.
    """

    def __init__(self, *listeners: Listener, keeps_words: bool = False) -> None:
        self._listeners = listeners
        self._keeps_words = keeps_words

    @contextmanager
    def begin(self, method: str, path: str) -> Iterator[Call]:
        """Follow a call to the end of the block, however it ends."""
        call = Call(method, path, pieces=[] if self._keeps_words else None)
        token = _current.set(call)
        try:
            yield call
        finally:
            _current.reset(token)
            call.close()
            for listener in self._listeners:
                listener(call)


def hear(event: Event) -> None:
    """Observe the client: tell the call that a request is made of."""
    if call := _current.get():
        call.hear(event)


def sent(piece: bytes) -> None:
    """Note a piece of a stream that goes to the caller."""
    call = _current.get()
    if call and call.pieces is not None:
        call.pieces.append(piece)


def write_line(call: Call) -> None:
    """Write one line to the log: no prompt, no answer, no secret."""
    if _log.isEnabledFor(logging.INFO):
        what = call.method, call.path, call.asked, call.status or "-"
        _log.info("%s %r %r %s %s", *what, ", ".join(_about(call)))


def _about(call: Call) -> Iterator[str]:
    yield call.outcome
    if call.server:
        yield f"{call.model!r} at {call.server}"
    if call.input_tokens or call.output_tokens:
        yield f"{call.input_tokens} tokens read, {call.output_tokens} written"
    if call.first_token is not None:
        yield f"first piece after {call.first_token:.3f} s"
    yield f"{call.seconds:.3f} s"
