"""What the user wants: arguments over environment over defaults.

This is the only room that reads the environment.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from localmix.errors import ConfigError, config_error
from localmix.types import Kind

OLLAMA_PORT = 11434
LMSTUDIO_PORT = 1234
_UNSPECIFIED = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class _Secretive(BaseModel):
    """Keep secrets out of pickles; copies stay in the process and keep them."""

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = state["__dict__"]
        kept = {name: value for name, value in fields.items() if not _is_secret(name, value)}
        lost = {name: type(self).model_fields[name].get_default() for name in fields.keys() - kept}
        return state | {"__dict__": kept | lost}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self  # immutable


class ServerConfig(_Secretive):
    """Name one server.

    Attributes:
        url: Base URL; a host with a port will do, and a trailing `/v1` is dropped.
        token: Sent as `Authorization: Bearer` to this server alone.
        headers: Sent to this server alone.
        only_kind: Send the token only to a server that proved to be of this kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    token: SecretStr | None = None
    headers: Mapping[str, str] = Field(default={}, repr=False)
    only_kind: Kind | None = None

    @classmethod
    def of(cls, given: str | ServerConfig) -> ServerConfig:
        """Read a server as users write it; `user:password@` becomes Basic authorization."""
        if isinstance(given, ServerConfig):
            return given
        url, headers = read_url(given)
        return cls(url=url, headers=headers)

    @field_validator("url")
    @classmethod
    def _normal(cls, url: str) -> str:
        return read_url(url)[0]

    def authorization(self, kind: Kind | None) -> dict[str, str]:
        """Give the headers for a server that proved to be of this kind (`None`: not yet)."""
        if self.only_kind not in (None, kind):
            return {}
        token = {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}
        return {**self.headers, **token}


class Settings(_Secretive, BaseSettings):
    """Hold every setting, read once.

    Attributes:
        servers: The servers to use, in order of preference; empty means to look for them.
        prefer: Kinds of server to take first.
        models_path: Folders with GGUF files for the embedded engine.
        timeout: Seconds of silence that a request may meet anywhere; bounds the finer ones below.
        max_retries: How often to try again when every server has failed with what may pass.
        connect_timeout: Seconds to wait for a connection.
        first_byte_timeout: Seconds from a request to the head of its reply. A model may have to
            load first, and an answer that is not streamed is written first.
        between_timeout: Seconds between two pieces of a reply.
        embedded_context_length: Tokens that the embedded engine reserves for each request, at most.
        probe_timeout: Seconds that a server has to show what it is.
        refresh_after: Seconds for which a list of servers and models counts as fresh.
    """

    model_config = SettingsConfigDict(
        env_prefix="LOCALMIX_", frozen=True, extra="forbid", populate_by_name=True
    )

    servers: Annotated[tuple[ServerConfig, ...], NoDecode] = ()
    models_path: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), validation_alias=AliasChoices("LOCAL_MODELS_PATH", "LOCALMIX_MODELS_PATH")
    )
    prefer: Annotated[tuple[Kind, ...], NoDecode] = ()
    timeout: float | None = Field(default=None, gt=0)
    max_retries: int = Field(default=0, ge=0)
    connect_timeout: float = Field(default=2.0, gt=0)
    first_byte_timeout: float = Field(default=600.0, gt=0)
    between_timeout: float = Field(default=120.0, gt=0)
    probe_timeout: float = Field(default=1.0, gt=0)
    refresh_after: float = Field(default=30.0, ge=0)
    embedded_context_length: int = Field(default=8192, ge=16)

    ollama_host: str | None = Field(default=None, validation_alias="OLLAMA_HOST")
    ollama_api_key: SecretStr | None = Field(default=None, validation_alias="OLLAMA_API_KEY")
    lm_studio_base_url: str | None = Field(default=None, validation_alias="LM_STUDIO_BASE_URL")
    lm_api_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("LM_API_TOKEN", "LMSTUDIO_API_TOKEN", "LM_STUDIO_API_KEY"),
    )

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """Read the settings; what is `None` here comes from the environment.

        Raises:
            ConfigError: A value cannot be right; the sentence names it.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            raise config_error(cls, error) from error

    @field_validator("servers", mode="before")
    @classmethod
    def _one_or_many_servers(cls, value: object) -> object:
        if isinstance(value, str):
            value = [part for part in re.split(r"[,\s]+", value) if part]
        if isinstance(value, list | tuple):
            return tuple(map(ServerConfig.of, value))
        return value

    @field_validator("prefer", mode="before")
    @classmethod
    def _one_or_many_kinds(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in re.split(r"[,\s]+", value) if part)
        return value

    @field_validator("models_path", mode="before")
    @classmethod
    def _one_or_many_folders(cls, value: object) -> object:
        if isinstance(value, Path):
            return (value,)
        if isinstance(value, str):
            return tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part)
        return value

    def candidates(self) -> list[ServerConfig]:
        """List where servers may be: the named ones, or Ollama's and LM Studio's own places."""
        if self.servers:
            return list(self.servers)
        return [*self._ollama_places(), *self._lmstudio_places()]

    def _ollama_places(self) -> list[ServerConfig]:
        if self.ollama_host:
            url, headers = read_url(self.ollama_host, default_port=OLLAMA_PORT, lenient=True)
            return [ServerConfig(url=url, headers=headers, token=self.ollama_api_key)]
        # OLLAMA_API_KEY belongs to ollama.com unless the user says otherwise: not sent here.
        return [ServerConfig(url=url) for url in _loopback(OLLAMA_PORT)]

    def _lmstudio_places(self) -> list[ServerConfig]:
        place = partial(ServerConfig, token=self.lm_api_token)
        if self.lm_studio_base_url:
            url, headers = read_url(self.lm_studio_base_url, default_port=LMSTUDIO_PORT)
            return [place(url=url, headers=headers)]
        return [place(url=url, only_kind="lmstudio") for url in _loopback(LMSTUDIO_PORT)]


def read_url(
    text: str, *, default_port: int | None = None, lenient: bool = False
) -> tuple[str, dict[str, str]]:
    """Read an address as users write it into (base URL, headers for `user:password`).

    A missing scheme means http; a scheme brings its own port; a host that means "every interface"
    is reached over loopback; `/v1` and slashes at the end are dropped. With `lenient`, a bad port
    is replaced by the default one, as Ollama does with `OLLAMA_HOST`.

    Raises:
        ConfigError: It is no address of an HTTP server.
    """
    parts, has_scheme = _split(text)
    port = _port(parts, text, lenient=lenient)
    if port is None and not has_scheme:
        port = default_port
    host = _UNSPECIFIED.get(parts.hostname or "", parts.hostname or "")
    shown_host = f"[{host}]" if ":" in host else host
    path = re.sub(r"/v1$", "", parts.path.rstrip("/"))
    headers = {}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    return f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{path}", headers


def _split(text: str) -> tuple[SplitResult, bool]:
    cleaned = text.strip().strip("\"'")
    scheme, has_scheme, rest = cleaned.partition("://")
    if not has_scheme:
        scheme, rest = "http", cleaned
    if rest.count(":") > 1 and "[" not in rest and "@" not in rest:
        rest = f"[{rest}]"  # a bare IPv6 address
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
    except ValueError as error:
        raise _no_address(text) from error
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise _no_address(text)
    return parts, bool(has_scheme)


def _port(parts: SplitResult, text: str, *, lenient: bool) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        if lenient:
            return OLLAMA_PORT
        raise _no_address(text) from error


def _is_secret(name: str, value: object) -> bool:
    return name == "headers" or isinstance(value, SecretStr)


def _no_address(text: str) -> ConfigError:
    shown = re.sub(r"[^/@]*@", "***@", text)
    return ConfigError(
        f"{shown!r} is not the address of a server.",
        hint="Write it like http://127.0.0.1:11434.",
    )


def _loopback(port: int) -> list[str]:
    return [f"http://127.0.0.1:{port}", f"http://[::1]:{port}"]
