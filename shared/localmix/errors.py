"""What can go wrong, first by whose fault it is.

* `LocalMixError`
    * `ConfigError`: yours, before anything was sent (also a `ValueError`)
    * `DiscoveryError`: no server can serve the request
        * `NoServerError`: no server answered
        * `ModelNotFoundError`: servers answered, none holds the model
        * `ModelChangedError`: a model has another digest than the one that was pinned
    * `TransportError`: the connection to the server
        * `ConnectError`: it could not be reached (also a `ConnectionError`)
        * `TimedOutError`: it stayed silent for too long (also a `TimeoutError`)
        * `StreamInterruptedError`: its answer broke off
    * `ServerError`: the server said no
        * `RequestRejectedError`: the request is at fault, and would be elsewhere
            * `UnsupportedFeatureError`: this server or model cannot do what was asked
            * `ContextLengthError`: the request does not fit the context window
            * `AuthenticationError`: the server needs a token, or a different one
        * `OverloadedError`: it has too much to do
        * `ModelCrashedError`: the model failed to load or died
        * `DownloadError`: the server could not fetch a model
    * `ProtocolError`: bytes that do not follow the server's own rules
        * `BadVectorError`: a model returns no vector for a text
    * `UnusableAnswerError`: the model answered, but not in the form asked for (also a `ValueError`)
        * `TurnLimitError`: the model still calls tools after the turns that a run may take

Each error says in one sentence what happened and in a second what to try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from localmix.types import ChatResult, RunResult


@dataclass(frozen=True, slots=True)
class Attempt:
    """A server that was tried, and what went wrong there."""

    server: str
    error: LocalMixError


class LocalMixError(Exception):
    """Base class of every error that localmix raises.

    Attributes:
        message: What happened, in one sentence.
        hint: What to try, in one sentence; may be empty. Each class has one of its own.
        server: Base URL of the server concerned; empty if there was none.
        attempts: Every server tried for this request, in order, after a fail-over.
        partial: What had been received of an answer that broke off; otherwise `None`.
    """

    usual_hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        server: str = "",
        attempts: tuple[Attempt, ...] = (),
        partial: ChatResult | None = None,
    ) -> None:
        message = message if message.endswith((".", "!", "?")) else f"{message}."
        super().__init__(message)
        self.message = message
        self.hint = self.usual_hint if hint is None else hint
        self.server = server
        self.attempts = attempts
        self.partial = partial

    def __str__(self) -> str:
        lines = [f"{self.message} {self.hint}".strip()]
        others = [attempt for attempt in self.attempts if attempt.error is not self]
        lines += [f"  {attempt.server}: {attempt.error.message}" for attempt in others]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are rebuilt from `args` alone, which would lose the keyword arguments.
        return _rebuild, (type(self), self.message), self.__dict__

    def tried(self, attempts: tuple[Attempt, ...]) -> Self:
        """Return this error, carrying every attempt that led to it."""
        self.attempts = attempts
        return self


def _rebuild(kind: type[LocalMixError], message: str) -> LocalMixError:
    return kind(message)


class ConfigError(LocalMixError, ValueError):
    """An argument, a setting or an environment variable is wrong."""


class DiscoveryError(LocalMixError):
    """No server can serve the request."""


class NoServerError(DiscoveryError):
    """No model server answered; `attempts` lists what was tried."""


class ModelNotFoundError(DiscoveryError):
    """No server holds the model.

    Attributes:
        available: Names of the models that exist, nearest first.
    """

    usual_hint = "Ask the client's models() for the names that exist."

    def __init__(self, message: str, *, available: tuple[str, ...] = (), **about: Any) -> None:
        super().__init__(message, **about)
        self.available = available


class ModelChangedError(DiscoveryError):
    """A model has another digest than the one that was pinned, or none that is told."""

    usual_hint = "If the change was intended, pin the new digest in `digests`."


class TransportError(LocalMixError):
    """The connection to the server failed."""


class ConnectError(TransportError, ConnectionError):
    """The server could not be reached, or closed the connection before it answered."""

    usual_hint = "Check that the server runs and that the address is right."


class TimedOutError(TransportError, TimeoutError):
    """The server stayed silent for longer than the time-out."""

    usual_hint = "Raise timeout, first_byte_timeout or between_timeout if the model is only slow."


class StreamInterruptedError(TransportError):
    """An answer broke off; `partial` holds what had been received."""

    usual_hint = "Ask again; the server's log may say why it stopped."


class ServerError(LocalMixError):
    """The server answered with an error.

    Attributes:
        status: HTTP status; 200 where the error came inside a success.
    """

    def __init__(self, message: str, *, status: int = 0, **about: Any) -> None:
        super().__init__(message, **about)
        self.status = status


class RequestRejectedError(ServerError):
    """The server refused the request itself."""


class UnsupportedFeatureError(RequestRejectedError):
    """This server or model cannot do what was asked.

    Attributes:
        purpose: What the model turned out to be for, where the server said it: `chat` or
            `embedding`.
        options: The request's options that it cannot be told, where leaving them out would do.
    """

    usual_hint = "Use a model or a server that can do it."

    def __init__(
        self, message: str, *, purpose: str = "", options: tuple[str, ...] = (), **about: Any
    ) -> None:
        super().__init__(message, **about)
        self.purpose = purpose
        self.options = options


class ContextLengthError(RequestRejectedError):
    """The request does not fit the model's context window.

    Attributes:
        prompt_tokens: Size of the request in tokens, where the server said it.
        context_length: Size of the window in tokens, where the server said it.
    """

    usual_hint = "Shorten the request or load the model with a larger context window."

    def __init__(
        self,
        message: str,
        *,
        prompt_tokens: int | None = None,
        context_length: int | None = None,
        **about: Any,
    ) -> None:
        super().__init__(message, **about)
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class AuthenticationError(RequestRejectedError):
    """The server needs a token, or a different one."""

    usual_hint = "Set the token of this server: ServerConfig(token=...), LM_API_TOKEN."


class OverloadedError(ServerError):
    """The server has too much to do.

    Attributes:
        retry_after: Seconds the server asked to wait, where it said so.
    """

    usual_hint = "Try again later, or start another server."

    def __init__(self, message: str, *, retry_after: float | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.retry_after = retry_after


class ModelCrashedError(ServerError):
    """The model failed to load, ran out of memory or died."""

    usual_hint = "See the server's log; a smaller model or context may fit."


class DownloadError(ServerError):
    """The server could not fetch a model from where it gets its models."""

    usual_hint = "See the server's log, and pull again: it resumes where it stopped."


class ProtocolError(LocalMixError):
    """A reply does not follow the rules of the server's own API."""

    usual_hint = "Check that the address is a model server's."


class BadVectorError(ProtocolError):
    """A model returns no finite vector for a text.

    Attributes:
        index: Place of the text among those of the request; `None` before it was found.
    """

    usual_hint = "Leave the text out (skip_bad=True does), or use another model or quantization."

    def __init__(self, message: str, *, index: int | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.index = index

    @classmethod
    def of(cls, text: str, index: int, server: str) -> Self:
        """Say which text it is."""
        shown = text[:40] + ("…" if len(text) > 40 else "")  # noqa: PLR2004
        message = f"{server} returned a vector for text {index} that is not finite: {shown!r}."
        return cls(message, index=index, server=server)


class UnusableAnswerError(LocalMixError, ValueError):
    """The model answered, but not in the form that was asked for.

    Attributes:
        answer: What it wrote.
    """

    usual_hint = "Ask again, ask for less at once, or use a larger model."

    def __init__(self, message: str, *, answer: str = "", **about: Any) -> None:
        super().__init__(message, **about)
        self.answer = answer


class TurnLimitError(UnusableAnswerError):
    """A run has used all its turns, and the model still calls tools.

    `partial` is the `RunResult` so far; the calls of its last message were not carried out.
    """

    partial: RunResult[Any]
    usual_hint = "Raise max_turns, or see in `partial.messages` what the model is after."
