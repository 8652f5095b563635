"""What the user wants: arguments over environment over files over defaults.

This is the only room that reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from localmix.errors import ConfigError, config_error
from localmix.settings.addresses import loopback, ollama_host, read_url
from localmix.settings.vendors import lmstudio_port
from localmix.types import Kind
from localmix.types.words import MAX_REPLY_BYTES

OLLAMA_PORT = 11434
LMSTUDIO_PORT = 1234
_FILE = "localmix.toml"
Digest = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-f]{12,64}$")]
# What the user says of a server's place among the others; the lowest comes first.
Rank = tuple[float, int, int]


def _sendable(token: SecretStr) -> SecretStr:
    """Drop the line end that a file may have brought; refuse what would be another header."""
    text = token.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("it holds what no header can carry")
    return SecretStr(text)


Token = Annotated[SecretStr, AfterValidator(_sendable)]


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
    """Name one server, and say how to use it.

    Attributes:
        url: Base URL; a host with a port will do, and a trailing `/v1` is dropped.
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
    headers: Mapping[str, str] = Field(default={}, repr=False)
    only_kind: Kind | None = None
    order: int | None = None
    weight: float = Field(default=1.0, gt=0)
    limit: int | None = Field(default=None, ge=1)

    @classmethod
    def of(cls, given: str | ServerConfig | Mapping[str, Any]) -> ServerConfig:
        """Read a server as users write it; `user:password@` becomes Basic authorization."""
        if isinstance(given, ServerConfig):
            return given
        about: Mapping[str, Any] = {"url": given} if isinstance(given, str) else given
        url, headers = read_url(str(about.get("url", "")))
        return cls(**{**about, "url": url, "headers": {**headers, **about.get("headers", {})}})

    @field_validator("url")
    @classmethod
    def _normal(cls, url: str) -> str:
        return read_url(url)[0]

    @property
    def label(self) -> str:
        """Give the name, or the host and port."""
        return self.name or self.url.partition("://")[2]

    def authorization(self, kind: Kind | None) -> dict[str, str]:
        """Give the headers for a server that proved to be of this kind (`None`: not yet)."""
        if self.only_kind not in (None, kind):
            return {}
        token = {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}
        return {**self.headers, **token}


class Settings(_Secretive, BaseSettings):
    """Hold every setting, read once; `docs/configuration.md` explains them to a user.

    Attributes:
        servers: The servers to use, in order of preference; empty means to look for them.
        prefer: Kinds to take first, among servers of one order.
        model: Model of chats and completions that name none.
        aliases: Names of one's own for models; a name for several takes the first that is there.
        digests: Digests that models must have, by name: 12 or more hexadecimal digits of SHA-256.
        models_path: Folders with GGUF files for the embedded engine.
        embedded_context_length: Tokens that the embedded engine reserves for a request, at most.
        timeout: Seconds that a whole request may take, with every fail-over and retry.
        connect_timeout: Seconds to wait for a connection.
        first_byte_timeout: Seconds to wait for a reply from a model that may have to load, or for
            an answer that is not streamed.
        warm_first_byte_timeout: Seconds to wait for the first delta from a model that is loaded.
        between_timeout: Seconds between two pieces of a reply.
        probe_timeout: Seconds that a server has to show what it is.
        refresh_after: Seconds for which a list of servers and models counts as fresh.
        monitor_every: Seconds between looks at all servers beside the requests; without it they
            are looked at when a request needs it.
        max_reply_bytes: The most bytes of one reply, streamed or whole.
        max_retries: How often to try again when every server has failed with what may pass.
        max_failures: Failures in a row after which a server is left alone for a while.
        max_waiting: The most requests that may wait for a server whose limit is reached.
        wait_timeout: Seconds that a request may wait so.
    """

    model_config = SettingsConfigDict(
        env_prefix="LOCALMIX_",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        pyproject_toml_table_header=("tool", "localmix"),
    )

    servers: Annotated[tuple[ServerConfig, ...], NoDecode] = ()
    prefer: Annotated[tuple[Kind, ...], NoDecode] = Field(
        default=(), validation_alias=AliasChoices("LOCALMIX_PREFER", "LOCAL_PROVIDER_PREFERENCE")
    )
    model: str | None = None
    aliases: dict[str, tuple[str, ...]] = Field(default={})
    digests: dict[str, Digest] = Field(default={})
    models_path: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), validation_alias=AliasChoices("LOCALMIX_MODELS_PATH", "LOCAL_MODELS_PATH")
    )
    embedded_context_length: int = Field(default=8192, ge=16)

    timeout: float | None = Field(default=None, gt=0)
    connect_timeout: float = Field(default=2.0, gt=0)
    first_byte_timeout: float = Field(default=600.0, gt=0)
    warm_first_byte_timeout: float = Field(default=120.0, gt=0)
    between_timeout: float = Field(default=120.0, gt=0)
    probe_timeout: float = Field(default=1.0, gt=0)
    refresh_after: float = Field(default=30.0, ge=0)
    monitor_every: float | None = Field(default=None, gt=0)

    max_reply_bytes: int = Field(default=MAX_REPLY_BYTES, ge=1024)
    max_retries: int = Field(default=2, ge=0)
    max_failures: int = Field(default=3, ge=1)
    max_waiting: int = Field(default=64, ge=0)
    wait_timeout: float = Field(default=300.0, ge=0)

    ollama_host: str | None = Field(default=None, validation_alias="OLLAMA_HOST")
    ollama_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("OLLAMA_BASE_URL", "OLLAMA_ENDPOINT")
    )
    ollama_model: str | None = Field(default=None, validation_alias="OLLAMA_MODEL")
    ollama_api_key: Token | None = Field(default=None, validation_alias="OLLAMA_API_KEY")
    use_ollama: bool = Field(default=True, validation_alias="USE_OLLAMA")
    lm_studio_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("LM_STUDIO_BASE_URL", "LMSTUDIO_ENDPOINT")
    )
    lm_studio_model: str | None = Field(default=None, validation_alias="LM_STUDIO_MODEL")
    lm_api_token: Token | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "LM_API_TOKEN", "LMSTUDIO_API_TOKEN", "LM_STUDIO_API_KEY", "LM_API_KEY"
        ),
    )
    use_lm_studio: bool = Field(default=True, validation_alias="USE_LM_STUDIO")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """Read the settings; what is `None` here comes from the other places.

        Raises:
            ConfigError: A value cannot be right; the sentence names it.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise config_error(cls, error) from error
        except ValueError as error:  # a file that is no TOML
            raise ConfigError(f"A settings file cannot be read: {error}") from error
        settings._sources.update(_sources_of(cls, given))
        return settings

    @property
    def sources(self) -> dict[str, str]:
        """Tell where each value came from: `argument`, `environment NAME`, a file, or `default`."""
        return {name: self._sources.get(name, "default") for name in type(self).model_fields}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the files behind the environment."""
        return (init_settings, env_settings, *_files(settings_cls).values())

    @field_validator("servers", mode="before")
    @classmethod
    def _one_or_many_servers(cls, value: object) -> object:
        if isinstance(value, str):
            value = _split_list(value)
        if isinstance(value, ServerConfig):
            value = [value]
        if isinstance(value, list | tuple):
            return tuple(map(ServerConfig.of, value))
        return value

    @field_validator("prefer", mode="before")
    @classmethod
    def _an_order_of_kinds(cls, value: object) -> object:
        kinds = _split_list(value) if isinstance(value, str) else value
        if not isinstance(kinds, list | tuple):
            return value
        written = [str(kind).casefold().replace("-", "").replace("_", "") for kind in kinds]
        return tuple(kind for kind in written if kind != "auto")

    @field_validator("aliases", mode="before")
    @classmethod
    def _one_or_many_names(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            alias: (names,) if isinstance(names, str) else tuple(names)
            for alias, names in value.items()
        }

    @field_validator("models_path", mode="before")
    @classmethod
    def _one_or_many_folders(cls, value: object) -> object:
        if isinstance(value, Path):
            return (value,)
        parts: Sequence[object] = ()
        if isinstance(value, str):
            parts = [part for part in value.split(os.pathsep) if part]
        elif isinstance(value, list | tuple):
            parts = value
        else:
            return value
        return tuple(Path(str(part)).expanduser() for part in parts)

    def candidates(self) -> list[ServerConfig]:
        """List where servers may be: the named ones, or Ollama's and LM Studio's own places."""
        if self.servers:
            return list(self.servers)
        ollama = self._ollama_places() if self.use_ollama else []
        return [*ollama, *(self._lmstudio_places() if self.use_lm_studio else [])]

    @property
    def usual_models(self) -> list[str]:
        """List what to take when no model is named, pinned to its kind, the preferred first."""
        usual: list[tuple[Kind, str | None]] = [
            ("ollama", self.ollama_model),
            ("lmstudio", self.lm_studio_model),
        ]
        usual.sort(key=lambda each: self._liking(each[0]))
        return [f"{kind}/{model}" for kind, model in usual if model]

    def order_of(self, position: int, kind: Kind | None) -> Rank:
        """Rank the candidate in this place: its order, the preferred kinds, its place."""
        own = self.servers[position].order if position < len(self.servers) else 0
        return (own or 0, self._liking(kind), position if own is None else 0)

    def _liking(self, kind: Kind | None) -> int:
        return self.prefer.index(kind) if kind in self.prefer else len(self.prefer)

    def _ollama_places(self) -> list[ServerConfig]:
        if self.ollama_base_url:
            url, headers = read_url(self.ollama_base_url, default_port=OLLAMA_PORT)
        elif self.ollama_host:
            url, headers = ollama_host(self.ollama_host, OLLAMA_PORT)
        else:
            # OLLAMA_API_KEY belongs to ollama.com unless the user says otherwise: not sent here.
            return [ServerConfig(url=url) for url in loopback(OLLAMA_PORT)]
        return [ServerConfig(url=url, headers=headers, token=self.ollama_api_key)]

    def _lmstudio_places(self) -> list[ServerConfig]:
        token = self.lm_api_token
        if self.lm_studio_base_url:
            url, headers = read_url(self.lm_studio_base_url, default_port=LMSTUDIO_PORT)
            return [ServerConfig(url=url, headers=headers, token=token)]
        ports = dict.fromkeys([lmstudio_port() or LMSTUDIO_PORT, LMSTUDIO_PORT])
        return [
            ServerConfig(url=url, token=token, only_kind="lmstudio")
            for port in ports
            for url in loopback(port)
        ]


def _files(settings: type[BaseSettings]) -> dict[str, PydanticBaseSettingsSource]:
    """List the files, the nearest first; those that are not there say nothing."""
    near, mine = Path.cwd() / _FILE, _user_folder() / _FILE
    return {
        str(near): TomlConfigSettingsSource(settings, toml_file=near),
        "pyproject.toml": PyprojectTomlConfigSettingsSource(settings),
        str(mine): TomlConfigSettingsSource(settings, toml_file=mine),
    }


def _user_folder() -> Path:
    system: Literal["nt", "posix"] = "nt" if os.name == "nt" else "posix"
    base = Path.home() / ("AppData/Roaming" if system == "nt" else ".config")
    return base / "localmix"


def _sources_of(settings: type[BaseSettings], given: Mapping[str, Any]) -> dict[str, str]:
    """Find where each value came from, by the same order as the values themselves."""
    environment = EnvSettingsSource(settings).env_vars
    files = {name: source() for name, source in _files(settings).items()}
    found: dict[str, str] = {}
    for name in settings.model_fields:
        names = _variables(settings, name)
        variables = [each for each in names if each.lower() in environment]
        in_files = [file for file, values in files.items() if values.keys() & {name, *names}]
        if name in given:
            found[name] = "argument"
        elif variables:
            found[name] = f"environment {variables[0]}"
        elif in_files:
            found[name] = in_files[0]
    return found


def _variables(settings: type[BaseSettings], name: str) -> list[str]:
    alias = settings.model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [alias] if isinstance(alias, str) else [f"LOCALMIX_{name.upper()}"]


def _split_list(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _is_secret(name: str, value: object) -> bool:
    return name == "headers" or isinstance(value, SecretStr)
