"""One server as a user names it, and what identifies the caller there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, Unpack

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from localmix.errors import ConfigError
from localmix.settings.addresses import read_url, split_name
from localmix.types import Kind
from localmix.types.checked import Checked
from localmix.types.options import ServerOptions

# What a header's name may be made of (RFC 9110).
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def sendable(secret: str) -> str:
    """Drop the line end that a file may have brought; refuse what would be another header."""
    text = secret.strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("it has characters that a header cannot have")
    return text


def _sendable_token(token: SecretStr) -> SecretStr:
    return SecretStr(sendable(token.get_secret_value()))


Token = Annotated[SecretStr, AfterValidator(_sendable_token)]


class Secretive(BaseModel):
    """A model that keeps its secrets out of pickles; copies stay in the process and keep them."""

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = state["__dict__"]
        kept = {name: value for name, value in fields.items() if not _is_secret(name, value)}
        lost = {
            name: type(self).model_fields[name].get_default(call_default_factory=True)
            for name in fields.keys() - kept
        }
        return state | {"__dict__": kept | lost}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self  # immutable


class ServerConfig(Secretive, Checked):
    """One server, and how to use it.

    Attributes:
        url: Base URL; a host with a port will do, and the path of an endpoint is dropped.
        name: What `NAME/MODEL` pins a request to; the host and port without one.
        token: Sent as `Authorization: Bearer` to this server alone.
        headers: Sent to this server alone.
        only_kind: Send the token only to a server that proved to be of this kind.
        order: Servers of a lower order come first, those that were given one order share the load.
            Without it the order is 0, and the place in the list decides.
        weight: How much of the load it should take, compared with others of its order.
        limit: The most requests to have there at once; without it there is no limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    name: str = ""
    token: Token | None = None
    headers: Mapping[str, str] = Field(default={}, repr=False, exclude=True)
    only_kind: Kind | None = None
    order: int | None = None
    weight: float = Field(default=1.0, gt=0)
    limit: int | None = Field(default=None, ge=1)

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[ServerOptions]) -> None: ...

    @classmethod
    def of(cls, given: object) -> ServerConfig:
        """Read a server as users write it: an address, `name=address`, or a table.

        Raises:
            ConfigError: It is none of them, or says something that cannot be right.
        """
        if isinstance(given, ServerConfig):
            return given
        if isinstance(given, str):
            name, url = split_name(given)
            given = {"url": url, "name": name}
        if not isinstance(given, Mapping):
            raise ConfigError(f"A server is an address or a table, not {type(given).__name__}.")
        return cls(**{str(key): value for key, value in given.items()})

    @model_validator(mode="before")
    @classmethod
    def _with_credentials_in_a_header(cls, given: Any) -> Any:
        """Move `user:password@` to where nothing shows it."""
        if not (isinstance(given, Mapping) and isinstance(given.get("url"), str)):
            return given
        url, headers = read_url(given["url"])
        own = given.get("headers", {})
        return {**given, "url": url, "headers": {**headers, **own} if _is_mapping(own) else own}

    @field_validator("headers")
    @classmethod
    def _sendable_headers(cls, headers: Mapping[str, str]) -> dict[str, str]:
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise ValueError("it is not a valid name for a header")
        return {name: sendable(value) for name, value in headers.items()}

    @property
    def label(self) -> str:
        """The name, or the host and port."""
        return self.name or self.url.partition("://")[2]

    def authorization(self, kind: Kind | None) -> dict[str, str]:
        """Give the headers for a server that proved to be of this kind (`None`: not yet)."""
        if self.only_kind not in (None, kind):
            return {}
        token = {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}
        return {**self.headers, **token}


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_secret(name: str, value: object) -> bool:
    return name in ("headers", "tokens") or isinstance(value, SecretStr)
