"""Our errors as LangChain's too.

Each class here is one of `localmix.errors` and one of LangChain's `ModelError` family at once, so
that `except` clauses of either world catch it, and retry middleware knows what may pass. Nobody
needs their names; they stand in a module of their own so that the errors can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
    OutputParserException,
)
from langchain_core.exceptions import ModelNotFoundError as LcModelNotFoundError

from localmix import errors
from localmix.errors import LocalMixError


@dataclass(frozen=True)
class Answered:
    """What the server said, where a tracer looks for an HTTP library's response."""

    status_code: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, str]:
        """Give the body."""
        return {"error": self.text}


class _Answering(errors.ServerError):
    @property
    def response(self) -> Answered:
        """The server's answer."""
        return Answered(self.status, self.message)


class OtherError(LocalMixError, ModelError):
    """An error that has no closer kin in LangChain."""


class ConfigError(errors.ConfigError, ModelInvalidRequestError):
    """See `localmix.errors.ConfigError`."""


class NoServerError(errors.NoServerError, ModelConnectionError):
    """See `localmix.errors.NoServerError`."""


class ModelNotFoundError(errors.ModelNotFoundError, LcModelNotFoundError):
    """See `localmix.errors.ModelNotFoundError`."""


class ModelChangedError(errors.ModelChangedError, LcModelNotFoundError):
    """See `localmix.errors.ModelChangedError`."""


class ConnectError(errors.ConnectError, ModelConnectionError):
    """See `localmix.errors.ConnectError`."""


class TimedOutError(errors.TimedOutError, ModelTimeoutError):
    """See `localmix.errors.TimedOutError`."""


class StreamInterruptedError(errors.StreamInterruptedError, ModelConnectionError):
    """See `localmix.errors.StreamInterruptedError`."""


class RequestRejectedError(_Answering, errors.RequestRejectedError, ModelInvalidRequestError):
    """See `localmix.errors.RequestRejectedError`."""


class UnsupportedFeatureError(_Answering, errors.UnsupportedFeatureError, ModelInvalidRequestError):
    """See `localmix.errors.UnsupportedFeatureError`."""


class ContextLengthError(_Answering, errors.ContextLengthError, ContextOverflowError):
    """See `localmix.errors.ContextLengthError`."""


class AuthenticationError(_Answering, errors.AuthenticationError, ModelAuthenticationError):
    """See `localmix.errors.AuthenticationError`."""


class ForbiddenError(_Answering, errors.AuthenticationError, ModelPermissionDeniedError):
    """The token is known and not enough (HTTP 403)."""


class OverloadedError(_Answering, errors.OverloadedError, ModelAPIError):
    """See `localmix.errors.OverloadedError`."""


class RateLimitedError(_Answering, errors.OverloadedError, ModelRateLimitError):
    """The server counts requests, and these were too many (HTTP 429)."""


class ModelCrashedError(_Answering, errors.ModelCrashedError, ModelAPIError):
    """See `localmix.errors.ModelCrashedError`."""


class DownloadError(_Answering, errors.DownloadError, ModelAPIError):
    """See `localmix.errors.DownloadError`."""


class ProtocolError(errors.ProtocolError, ModelError):
    """See `localmix.errors.ProtocolError`."""


class BadVectorError(errors.BadVectorError, ModelError):
    """See `localmix.errors.BadVectorError`."""


class UnusableAnswerError(errors.UnusableAnswerError, OutputParserException):
    """See `localmix.errors.UnusableAnswerError`."""

    def __init__(self, message: str, *, answer: str = "", **about: Any) -> None:
        super().__init__(message, answer=answer, **about)
        self.llm_output = answer


# The first that fits counts: what is closest stands before what is general.
_TWINS: tuple[tuple[type[LocalMixError], type[LocalMixError]], ...] = (
    (errors.ConfigError, ConfigError),
    (errors.NoServerError, NoServerError),
    (errors.ModelNotFoundError, ModelNotFoundError),
    (errors.ModelChangedError, ModelChangedError),
    (errors.ConnectError, ConnectError),
    (errors.TimedOutError, TimedOutError),
    (errors.StreamInterruptedError, StreamInterruptedError),
    (errors.UnsupportedFeatureError, UnsupportedFeatureError),
    (errors.ContextLengthError, ContextLengthError),
    (errors.AuthenticationError, AuthenticationError),
    (errors.RequestRejectedError, RequestRejectedError),
    (errors.OverloadedError, OverloadedError),
    (errors.ModelCrashedError, ModelCrashedError),
    (errors.DownloadError, DownloadError),
    (errors.BadVectorError, BadVectorError),
    (errors.ProtocolError, ProtocolError),
    (errors.UnusableAnswerError, UnusableAnswerError),
    (LocalMixError, OtherError),
)
_BY_STATUS: dict[int, type[LocalMixError]] = {
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
}


@contextmanager
def model_errors() -> Iterator[None]:
    """Raise our errors as LangChain's too."""
    try:
        yield
    except LocalMixError as error:
        if isinstance(error, ModelError):
            raise
        raise model_error(error) from error.__cause__


def model_error(error: LocalMixError) -> LocalMixError:
    """Say an error of ours once more, as one of LangChain's too."""
    kind = next(twin for own, twin in _TWINS if isinstance(error, own))
    closer = _BY_STATUS.get(getattr(error, "status", 0), kind)
    if issubclass(closer, type(error)):
        kind = closer
    twin = kind(error.message)
    twin.__dict__.update(error.__dict__)
    twin.attempts = tuple(
        replace(attempt, error=twin) if attempt.error is error else attempt
        for attempt in error.attempts
    )
    return twin.with_traceback(error.__traceback__)
