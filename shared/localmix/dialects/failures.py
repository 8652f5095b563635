"""What a server's error means.

Both kinds of server hide llama.cpp, so they share its sentences; and status codes mislead: LM
Studio answers 200 to an unknown path and 400 when a model has crashed, Ollama 500 when an option
has the wrong type. So the text is asked first, then the status. Sources: the fact sheets of the
two APIs and recorded exchanges (ollama 0.12.11 and 0.32.15, lmstudio 0.3.14 to 0.4.25).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from localmix.errors import (
    AuthenticationError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    UnsupportedFeatureError,
)
from localmix.wire import jsontext
from localmix.wire.flows import Response

# The first pattern that is found decides.
_MEANINGS: tuple[tuple[re.Pattern[str], type[LocalMixError]], ...] = tuple(
    (re.compile("|".join(phrases), re.IGNORECASE), meaning)
    for meaning, phrases in (
        (
            ContextLengthError,
            (
                "exceed_context_size",
                "context (size|length) has been exceeded",
                "exceeds? (the |maximum )?(available )?context (size|length)",
                "longer than the context length",
                "context length and cannot be truncated",
                "tokens to keep from the initial prompt",
                "trying to keep the first",
                "too large to process",
            ),
        ),
        (UnsupportedFeatureError, ("failed to load model .*not embedding",)),
        (
            ModelCrashedError,
            (
                "has crashed",
                "model (un|re)loaded",
                "failed to load model",
                "unable to load",
                "out[- ]of[- ]memory",
                "requires more system memory",
                "insufficient system resources",
                "runner .*(terminated|stopped)",
                "llama-server",
                "error was encountered while running",
                "may be incompatible",
            ),
        ),
        (
            RequestRejectedError,
            ("option .* must be of type", "invalid format", "invalid JSON schema"),
        ),
        (
            UnsupportedFeatureError,
            (
                "does not support",
                "not supported",
                "not_supported",
                "unexpected endpoint",
                "invalid tool_choice type",
                r"response_format\.type",
                "must be a base64 encoded image",
                "page not found",
                "method not allowed",
                "logits computation",
            ),
        ),
        (
            ModelNotFoundError,
            (
                "model_not_found",
                "model .*not found",
                "invalid model identifier",
                "no models loaded",
                "multiple models are loaded",
            ),
        ),
        (OverloadedError, ("server busy", "overloaded", "queue is full")),
    )
)

_BY_STATUS: dict[int, type[LocalMixError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: UnsupportedFeatureError,
    405: UnsupportedFeatureError,
    408: OverloadedError,
    429: OverloadedError,
    501: UnsupportedFeatureError,
    503: OverloadedError,
}


@contextmanager
def reading(server: str) -> Iterator[None]:
    """Turn the stumbling over a reply of an unexpected shape into a `ProtocolError`."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise ProtocolError(
            f"{server} sent a reply of an unexpected shape ({error!r}).",
            server=server,
        ) from error


@dataclass(frozen=True, slots=True)
class Complaint:
    """Hold what a server said about an error, whatever envelope it came in."""

    message: str
    codes: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def error_of(response: Response, server: str) -> LocalMixError:
    """Turn a reply that is no success into the error it means."""
    complaint = _complaint_of(response.body)
    return meaning_of(complaint, server, response.status, response.headers.get("retry-after"))


def checked_object(response: Response, server: str) -> dict[str, Any]:
    """Read a JSON object that is no error, whatever its status says."""
    if response.status != 200:  # noqa: PLR2004
        raise error_of(response, server)
    reply = jsontext.load_object(response.body)
    complaint = complaint_in(reply)
    if complaint:
        raise meaning_of(complaint, server)
    return reply


def complaint_in(payload: Any) -> Complaint | None:
    """Find the error in a JSON reply, also in one with status 200; `None` if there is none."""
    if not isinstance(payload, dict) or not payload.get("error"):
        return None
    return _read(payload["error"])


def meaning_of(
    complaint: Complaint, server: str, status: int = 200, retry_after: str | None = None
) -> LocalMixError:
    """Choose the error class and write the sentence."""
    kind = _class_of(complaint, status)
    about: dict[str, Any] = {"server": server}
    if kind is ContextLengthError:
        about["prompt_tokens"] = complaint.details.get("n_prompt_tokens")
        about["context_length"] = complaint.details.get("n_ctx")
    if kind is OverloadedError and retry_after and retry_after.isdecimal():
        about["retry_after"] = float(retry_after)
    if kind not in (ModelNotFoundError, ProtocolError):
        about["status"] = status
    said = complaint.message or "nothing more"
    return kind(f"{server} answered with HTTP {status}: {said}", **about)


def _class_of(complaint: Complaint, status: int) -> type[LocalMixError]:
    if status in (401, 403):
        return AuthenticationError
    words = f"{complaint.codes} {complaint.message}"
    for pattern, meaning in _MEANINGS:
        if pattern.search(words):
            return meaning
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:  # noqa: PLR2004
        return ProtocolError  # a redirect, which is never followed
    if 400 <= status < 500:  # noqa: PLR2004
        return RequestRejectedError
    return ModelCrashedError


def _complaint_of(body: bytes) -> Complaint:
    try:
        payload = jsontext.load(body)
    except ProtocolError:
        return Complaint(body[:300].decode("utf-8", "replace").strip())
    return complaint_in(payload) or _read(payload)


def _read(error: Any) -> Complaint:
    """Read an error: text, JSON inside a text, an object with a message, or title and cause."""
    if isinstance(error, str):
        if error.startswith("{"):
            # Quirk (ollama 0.32.15): the runner's own JSON stands in a string.
            try:
                inner = jsontext.load_object(error.encode())
            except ProtocolError:
                return Complaint(_without_token(error))
            return _read(inner.get("error", inner))
        return Complaint(_without_token(error))
    if isinstance(error, dict):
        message = error.get("message") or error.get("cause") or error.get("title") or error
        codes = f"{error.get('type', '')} {error.get('code', '')}"
        return Complaint(_without_token(str(message)), codes, error)
    return Complaint(_without_token(str(error)))


def _without_token(message: str) -> str:
    """Hide the token that LM Studio quotes in its 401."""
    return re.sub(r"(token provided: )\S+", r"\1***", message)
