"""What a server's error means.

Both kinds of server hide llama.cpp, so they share its sentences; and status codes mislead: LM
Studio answers 200 to an unknown path and 400 when a model has crashed, Ollama 500 when an option
has the wrong type. So the text is asked first, then the status. Sources: the fact sheets of the
two APIs and recorded exchanges (ollama 0.12.11 and 0.32.15, lmstudio 0.3.14 to 0.4.25).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from localmix.dialects.reading import Facts, Record
from localmix.errors import (
    AuthenticationError,
    BadVectorError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    ServerError,
    UnsupportedFeatureError,
)
from localmix.wire import jsontext
from localmix.wire.flows import Response
from localmix.wire.secrets import Redacting, redacted

# What is judged, and what is quoted, of a server's own words; patterns over more take too long.
_JUDGED, _QUOTED = 2048, 500

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
        # ollama 15582: a model whose numbers overflow for one text of a batch.
        (BadVectorError, ("unsupported value: (nan|[+-]?inf)", "contains? nan")),
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

# What a model proves to be for, by what it refuses (ollama 0.12 to 0.32, lmstudio 0.3 and 0.4).
_PURPOSES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"does not support (chat|generate|completion)", re.IGNORECASE), "embedding"),
    (re.compile(r"not embedding|not support embedding", re.IGNORECASE), "chat"),
)
# What helps, where the server's own words tell; the class of the error has a hint for the rest.
_REMEDIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile("|".join(phrases), re.IGNORECASE), hint)
    for hint, phrases in {
        "Update the server: it is older than the model.": (
            "requires a newer version",
            "incompatible with your version",
            "(unknown|unsupported) model architecture",
            "unknown pre-tokenizer",
        ),
        "Free some space on the disk of the server's machine, and try again.": (
            "no space left",
            "disk (is )?full",
            "not enough (disk )?space",
            "disk quota",
        ),
        "Use another file: this one is not a model that the server can read (GGUF).": (
            "not gguf",
            "(invalid|bad) (file )?magic",
            r"not compatible with llama\.cpp",
            "unsupported file (format|type)",
        ),
        "Check the server's internet connection, and try again: a pull resumes where it stopped.": (
            "no such host",
            "connection refused",
            "i/o timeout",
            "tls handshake",
            "network is unreachable",
            "dial tcp",
        ),
    }.items()
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


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server said about an error, whatever envelope it came in.

    Attributes:
        signin_url: Where its user signs in to a cloud, if that is what it wants.
    """

    message: str
    codes: str = ""
    details: Facts = field(default_factory=lambda: Facts({}))
    signin_url: str = ""


def error_of(response: Response, server: str) -> LocalMixError:
    """Turn a reply that is no success into the error it means."""
    complaint = _complaint_of(response.body)
    error = meaning_of(complaint, server, response.status, response.header("retry-after"))
    return redacted(error, response.sent)


def checked(response: Response, server: str) -> Record:
    """Read a JSON object that is no error, whatever its status says."""
    if response.status != 200:  # noqa: PLR2004
        raise error_of(response, server)
    with Redacting(response.sent):
        reply = Record(jsontext.load_object(response.body), server)
        check(reply, server)
    return reply


def check(reply: Record, server: str) -> None:
    """Raise the error in a JSON reply, also in one with status 200."""
    if reply.is_error and (complaint := complaint_in(reply)):
        raise meaning_of(complaint, server)


def complaint_in(reply: Record) -> Complaint | None:
    """Find the error in a JSON reply; `None` if there is none.

    An error is one whatever its body: `""` and `{}` too (A7). vLLM and FastChat also write
    `{"object": "error", "message": …}`.
    """
    error = reply.value("error")
    if error is None or error is False:
        return _read(reply.facts) if reply.value("object") == "error" else None
    complaint = _read(error)
    url = reply.facts.text("signin_url")
    is_address = url.startswith("https://") and url.isprintable()
    return replace(complaint, signin_url=url) if is_address else complaint


def complaint_of_text(data: bytes) -> Complaint:
    """Read an error that need not be JSON."""
    return _complaint_of(data)


def meaning_of(
    complaint: Complaint, server: str, status: int = 200, retry_after: str = ""
) -> LocalMixError:
    """Choose the error class and write the sentence."""
    kind = _class_of(complaint, status)
    about: dict[str, Any] = {"server": server}
    if hint := remedy(complaint):
        about["hint"] = hint
    if kind is ContextLengthError:
        about["prompt_tokens"] = complaint.details.count("n_prompt_tokens")
        about["context_length"] = complaint.details.count("n_ctx")
    if kind is OverloadedError:
        about["retry_after"] = _seconds(retry_after)
    if kind is UnsupportedFeatureError:
        about["purpose"] = _purpose(complaint)
    if issubclass(kind, ServerError):
        about["status"] = status
    said = _quoted(complaint.message) or "nothing more"
    return kind(f"{server} answered with HTTP {status}: {said}", **about)


def remedy(complaint: Complaint) -> str:
    """Say what helps, as far as the server's words tell; empty if they do not."""
    if complaint.signin_url:
        return f"Sign in with `ollama signin`, or at {complaint.signin_url}."
    words = complaint.message[:_JUDGED]
    return next((hint for pattern, hint in _REMEDIES if pattern.search(words)), "")


def _purpose(complaint: Complaint) -> str:
    words = complaint.message[:_JUDGED]
    return next((purpose for pattern, purpose in _PURPOSES if pattern.search(words)), "")


def _seconds(retry_after: str) -> float | None:
    """Read `Retry-After`; a date, or more than a day, says nothing."""
    if not re.fullmatch(r"[0-9]{1,5}", retry_after.strip()):
        return None
    return float(retry_after)


def _quoted(message: str) -> str:
    return message if len(message) <= _QUOTED else f"{message[:_QUOTED]}…"


def _class_of(complaint: Complaint, status: int) -> type[LocalMixError]:
    if status in (401, 403):
        return AuthenticationError
    words = f"{complaint.codes} {complaint.message}"[:_JUDGED]
    for pattern, meaning in _MEANINGS:
        if pattern.search(words):
            return meaning
    return AuthenticationError if complaint.signin_url else _class_of_status(status)


def _class_of_status(status: int) -> type[LocalMixError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:  # noqa: PLR2004
        return ProtocolError  # a redirect, which is never followed
    return RequestRejectedError if 400 <= status < 500 else ModelCrashedError  # noqa: PLR2004


def _complaint_of(body: bytes) -> Complaint:
    try:
        payload = jsontext.load(body)
    except ProtocolError:
        return Complaint(body[:_JUDGED].decode("utf-8", "replace").strip())
    found = complaint_in(Record(payload, "")) if isinstance(payload, dict) else None
    return found or _read(payload)


def _read(error: Any) -> Complaint:
    """Read an error: text, JSON inside a text, an object with a message, or title and cause."""
    if isinstance(error, Facts):
        return _read(dict(error.said))
    if isinstance(error, str):
        inner = _inside(error)
        return _read(inner) if inner else Complaint(_without_token(error))
    if isinstance(error, dict):
        facts = Facts(error)
        words = (error.get(key) for key in ("message", "cause", "title"))
        message = next((word for word in words if word), error) or ""
        codes = " ".join(str(error.get(key) or "") for key in ("type", "code"))
        return Complaint(_without_token(_said(message)), codes[:_JUDGED], facts)
    return Complaint(_without_token(str(error)))


def _inside(error: str) -> Any:
    """Quirk (ollama 0.32.15): the runner's own JSON stands in a string."""
    if not error.startswith("{"):
        return None
    try:
        inner = Record(jsontext.load_object(error.encode("utf-8", "replace")), "")
    except ProtocolError:
        return None
    found = inner.value("error")
    return inner.facts if found is None else found


def _said(message: Any) -> str:
    return jsontext.whole(message if isinstance(message, str) else str(message))


def _without_token(message: str) -> str:
    """Hide the token that LM Studio quotes in its 401."""
    return re.sub(r"(token provided: )\S+", r"\1***", message[: 2 * _JUDGED])
