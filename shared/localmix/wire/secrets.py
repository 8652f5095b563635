"""What a server says, without what we told it to identify ourselves.

A server may quote our token back: in an error, within a success, in a stream, in a body that is no
JSON. Whoever makes an error of a server's words takes the secrets out first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import takewhile
from urllib.parse import quote

from localmix.errors import LocalMixError

# A shorter word in a header is no secret worth the name, but may be part of many a sentence.
_SHORTEST = 8
_PLAIN = frozenset({"content-type", "accept", "accept-encoding", "user-agent", "host"})
_SHOWN = "***"


def without_secrets(text: str, headers: Mapping[str, str]) -> str:
    """Mask in a text what the headers of a request say of its sender, also where it was cut."""
    forms = _forms(tuple(value for name, value in headers.items() if name.lower() not in _PLAIN))
    for form in forms:
        text = text.replace(form, _SHOWN)
    for form in forms:
        text = _masked(text, form)
    return text


def redacted(error: LocalMixError, headers: Mapping[str, str]) -> LocalMixError:
    """Mask the same in what an error says; it is changed in place, and given back."""
    error.message = without_secrets(error.message, headers)
    error.hint = without_secrets(error.hint, headers)
    error.args = (error.message, *error.args[1:])
    return error


class Redacting:
    """A context in which no error that is raised quotes the secrets of some headers."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, LocalMixError):
            redacted(error, self._headers)


@lru_cache(maxsize=64)
def _forms(values: tuple[str, ...]) -> tuple[str, ...]:
    """List everything that is to be masked, the longest first."""
    secrets = {secret for value in values for secret in _secrets_in(value)}
    return tuple(sorted({form for each in secrets for form in _written(each)}, key=len)[::-1])


def _secrets_in(value: str) -> Iterable[str]:
    """List the token of a header, and the password of a Basic one."""
    scheme, _, token = value.rpartition(" ")
    found = [token]
    if scheme.casefold() == "basic":
        try:
            user_and_password = base64.b64decode(token).decode()
        except ValueError:
            user_and_password = ""
        found += [user_and_password, user_and_password.partition(":")[2]]
    return [secret for secret in found if len(secret) >= _SHORTEST]


def _written(secret: str) -> Iterable[str]:
    """List how a secret may stand in a text: as it is, in JSON, in a `repr`, in an address."""
    return secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")


def _masked(text: str, secret: str) -> str:
    """Mask the beginning of a secret, where the text was cut."""
    kept: list[str] = []
    end = 0
    while (at := text.find(secret[:_SHORTEST], end)) >= 0:
        kept += [text[end:at], _SHOWN]
        pairs = zip(text[at : at + len(secret)], secret, strict=False)
        end = at + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return "".join(kept) + text[end:]
