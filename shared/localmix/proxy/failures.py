"""What callers are told of an error: its status, and a sentence without addresses or prompts."""

from __future__ import annotations

import re

from localmix.dialects.serving import Failure
from localmix.errors import (
    AuthenticationError,
    BadVectorError,
    ConfigError,
    ConnectError,
    ContextLengthError,
    LocalMixError,
    ModelChangedError,
    ModelCrashedError,
    ModelNotFoundError,
    NoServerError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    StreamInterruptedError,
    TimedOutError,
)

# Seconds after which a server may be there, or have less to do, where it does not say.
_RETRY_AFTER = 5.0
_TOO_MANY = 429
# The first class that fits decides. A server that wants another token is not the caller's fault:
# 401 would let the caller ask its user for a new one.
_STATUSES: tuple[tuple[type[LocalMixError], int], ...] = (
    (ConfigError, 400),
    (ModelNotFoundError, 404),
    (ModelChangedError, 409),
    (NoServerError, 503),
    (TimedOutError, 504),
    (ConnectError, 502),
    (StreamInterruptedError, 502),
    (AuthenticationError, 502),
    (ContextLengthError, 400),
    (RequestRejectedError, 400),
    (OverloadedError, 503),
    (ModelCrashedError, 500),
    (ProtocolError, 502),
)
# Addresses of servers, with whatever stands in them.
_ADDRESS = re.compile(
    r"(https?://|embedded:)[^\s,;'\"()]*[^\s,;'\"().:]|\[?[\da-f.:]+\]?:\d{2,5}\b"
)
_SAID_BY_US: dict[type[LocalMixError], str] = {
    AuthenticationError: "A model server needs a token, or a different one, from this proxy.",
    BadVectorError: "The model returns no vector for one of the texts.",
    NoServerError: "No model server answers.",
}


class RefusedError(LocalMixError):
    """The proxy itself refuses.

    Attributes:
        status: The HTTP status.
        retry_after: Seconds after which it may go better.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, hint="")
        self.status = status
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.status, self.message)


def failure_of(error: LocalMixError, model: str = "") -> Failure:
    """Say what a caller is told of an error in a request for a model."""
    if isinstance(error, RefusedError):
        return Failure(error.status, error.message, retry_after=error.retry_after)
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, OverloadedError) and error.status == _TOO_MANY:
        status = _TOO_MANY
    missing = model if isinstance(error, ModelNotFoundError) else ""
    is_too_long = isinstance(error, ContextLengthError)
    return Failure(status, _sentence(error), missing, _retry_after(error), is_too_long)


def _sentence(error: LocalMixError) -> str:
    own = next((said for kind, said in _SAID_BY_US.items() if isinstance(error, kind)), "")
    return own or _ADDRESS.sub("the server", error.message)


def _retry_after(error: LocalMixError) -> float | None:
    if isinstance(error, OverloadedError):
        return error.retry_after or _RETRY_AFTER
    return _RETRY_AFTER if isinstance(error, NoServerError) else None
