"""What the user wants: arguments over environment over the user's file over the folder's files.

Every setting knows its source, and a token goes only where its own source, or a stronger one, said
that the server is.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from localmix.settings.addresses import loopback, ollama_host, read_url
from localmix.settings.places import File, FileOrSwitch, Folders
from localmix.settings.server import Secretive, ServerConfig, Token
from localmix.settings.sources import (
    DEFAULT,
    TOKEN,
    Given,
    Source,
    Strength,
    as_given,
    complaint,
    gather,
    variable_part,
)
from localmix.settings.vendors import LMSTUDIO, OLLAMA, lmstudio_port
from localmix.types import Kind
from localmix.types.checked import Checked
from localmix.types.words import (
    MAX_CACHE_BYTES,
    MAX_CACHE_SECONDS,
    MAX_LISTING_BYTES,
    MAX_REPLY_BYTES,
)

__all__ = ["LMSTUDIO_PORT", "OLLAMA_PORT", "Rank", "ServerConfig", "Settings"]

OLLAMA_PORT = 11434
LMSTUDIO_PORT = 1234
Digest = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-f]{12,64}$")]
# What the user says of a server's place among the others; the lowest comes first.
Rank = tuple[float, int, int]
_ADDRESSES = ("ollama_base_url", "ollama_host", "lm_studio_base_url")
# The words that have content put into spans; OpenTelemetry also knows `no_content`, `event_only`.
_ON = ("true", "1", "yes", "on", "span_only", "span_and_event")
_log = logging.getLogger("localmix")
_told: set[str] = set()


class Settings(Secretive, Checked):
    """Every setting, read once; `docs/configuration.md` explains them to a user.

    Attributes:
        servers: The servers to use, in order of preference; empty means to look for them.
        tokens: Tokens of servers, by the server's name; under an empty name that of the only one.
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
        probe_timeout: Seconds that a server has to show what it is, in a place where it was only
            looked for.
        named_probe_timeout: The same for a server that the user named.
        refresh_after: Seconds for which a list of servers and models counts as fresh.
        monitor_every: Seconds between looks at all servers beside the requests; without it they
            are looked at when a request needs it.
        cache: Whether to keep answers that can be had again, in the user's cache folder; or the
            file to keep them in.
        cache_max_bytes: The most bytes that this file may have.
        cache_max_age: Seconds after which an answer is not used any more.
        max_reply_bytes: The most bytes of one reply, streamed or whole.
        max_listing_bytes: The same for what a server says of itself and of its models.
        max_retries: How often to try again when every server has failed with what may pass.
        max_failures: Failures in a row after which a server is left alone for a while.
        max_waiting: The most requests that may wait for a server whose limit is reached.
        wait_timeout: Seconds that a request may wait so.
        telemetry: Whether OpenTelemetry is told of requests; without it, where the program had
            imported OpenTelemetry before the client read its settings.
        telemetry_content: Whether it is told prompts and answers too.
        proxy_host: Where `localmix serve` listens; another place than this machine needs a token.
        proxy_port: Its port; 0 takes a free one.
        proxy_token: What its callers must show.
        proxy_allow_origins: Web pages that may use it; `*` at the end stands for anything.
        proxy_allow_hosts: Names under which this machine is called, beside its own.
        proxy_allow_cloud: Whether it passes requests on to models in a cloud.
        proxy_read_only: Whether it manages no models: it neither unloads nor changes any.
        proxy_models_file: Where it keeps what `copy` and `create` make; else beside your settings.
        proxy_quiet: Whether it tells nothing when it begins.
        proxy_log_level: How much it logs.
        proxy_log_requests: A file to which it adds prompts and answers, as lines of JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    servers: tuple[ServerConfig, ...] = ()
    tokens: dict[str, Token] = Field(default={})
    prefer: tuple[Kind, ...] = ()
    model: str | None = None
    aliases: dict[str, tuple[str, ...]] = Field(default={})
    digests: dict[str, Digest] = Field(default={})
    models_path: Folders = ()
    embedded_context_length: int = Field(default=8192, ge=16)

    timeout: float | None = Field(default=None, gt=0)
    connect_timeout: float = Field(default=2.0, gt=0)
    first_byte_timeout: float = Field(default=600.0, gt=0)
    warm_first_byte_timeout: float = Field(default=120.0, gt=0)
    between_timeout: float = Field(default=120.0, gt=0)
    probe_timeout: float = Field(default=1.0, gt=0)
    named_probe_timeout: float = Field(default=5.0, gt=0)
    refresh_after: float = Field(default=30.0, ge=0)
    monitor_every: float | None = Field(default=None, gt=0)

    cache: FileOrSwitch = False
    cache_max_bytes: int = Field(default=MAX_CACHE_BYTES, ge=65536)
    cache_max_age: float = Field(default=MAX_CACHE_SECONDS, gt=0)

    max_reply_bytes: int = Field(default=MAX_REPLY_BYTES, ge=1024)
    max_listing_bytes: int = Field(default=MAX_LISTING_BYTES, ge=1024)
    max_retries: int = Field(default=2, ge=0)
    max_failures: int = Field(default=3, ge=1)
    max_waiting: int = Field(default=64, ge=0)
    wait_timeout: float = Field(default=300.0, ge=0)
    telemetry: bool | None = None
    telemetry_content: bool = False

    proxy_host: str = "127.0.0.1"
    proxy_port: int = Field(default=11434, ge=0, le=65535)
    proxy_token: Token | None = None
    proxy_allow_origins: tuple[str, ...] = ()
    proxy_allow_hosts: tuple[str, ...] = ()
    proxy_allow_cloud: bool = False
    proxy_read_only: bool = False
    proxy_models_file: File | None = None
    proxy_quiet: bool = False
    proxy_log_level: Literal["debug", "info", "warning", "error"] = "warning"
    proxy_log_requests: File | None = None

    ollama_host: str | None = None
    ollama_base_url: str | None = None
    ollama_model: str | None = None
    ollama_api_key: Token | None = None
    use_ollama: bool = True
    lm_studio_base_url: str | None = None
    lm_studio_model: str | None = None
    lm_api_token: Token | None = None
    use_lm_studio: bool = True

    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)
    # Headers that `user:password@` in an address became, by the name of the setting.
    _credentials: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """Read the settings; what is `None` here comes from the other places.

        Raises:
            ConfigError: A value cannot be right; the sentence names it, and where it was written.
        """
        return cls._made_of(gather(cls.model_fields, arguments))

    @classmethod
    def check(cls, **arguments: Any) -> None:
        """Check arguments by themselves, without a look at the other places.

        Raises:
            ConfigError: A value cannot be right.
        """
        cls._made_of(as_given(arguments))

    @classmethod
    def _made_of(cls, given: Mapping[str, Given]) -> Self:
        settings = cls.__new__(cls)
        try:
            # Not by our own `__init__`: its complaint does not say where a value was written.
            BaseModel.__init__(settings, **{name: each.value for name, each in given.items()})
        except ValidationError as error:
            raise complaint(cls, error, given) from error
        settings._sources.update({name: each.source for name, each in given.items()})  # noqa: SLF001
        return settings

    def model_post_init(self, context: Any, /) -> None:
        """Move `user:password@` of addresses to where nothing shows it."""
        for name in _ADDRESSES:
            written = getattr(self, name)
            url, headers = _read_address(name, written) if written else ("", {})
            if headers:
                self._credentials[name] = headers
                self.__dict__[name] = url  # it is frozen for others only

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out secrets: a pickle may travel."""
        state = super().__getstate__()
        return state | {"__pydantic_private__": {"_sources": self._sources, "_credentials": {}}}

    @property
    def sources(self) -> dict[str, str]:
        """Where each value came from: `argument`, `environment NAME`, a file, or `default`."""
        return {name: self._source(name).name for name in type(self).model_fields}

    @field_validator("servers", mode="before")
    @classmethod
    def _one_or_many_servers(cls, value: object) -> object:
        if isinstance(value, str):
            value = _split_list(value)
        if isinstance(value, ServerConfig | Mapping):
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

    @field_validator("proxy_allow_origins", "proxy_allow_hosts", mode="before")
    @classmethod
    def _names_in_one_text(cls, value: object) -> object:
        return tuple(_split_list(value)) if isinstance(value, str) else value

    @field_validator("telemetry_content", mode="before")
    @classmethod
    def _words_of_the_conventions(cls, value: object) -> object:
        # The variable is not ours alone: a word that others know harms nobody, and shows nothing.
        return value.casefold() in _ON if isinstance(value, str) else value

    @field_validator("aliases", mode="before")
    @classmethod
    def _one_or_many_names(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            alias: (names,) if isinstance(names, str) else names for alias, names in value.items()
        }

    @field_validator("aliases", "digests", mode="before")
    @classmethod
    def _json_in_a_variable(cls, value: object) -> object:  # the later one is asked first
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError('it is not JSON like {"name": "value"}') from None

    @field_validator("ollama_host", "ollama_base_url", "lm_studio_base_url")
    @classmethod
    def _an_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.field_name:
            _read_address(info.field_name, value)
        return value

    @model_validator(mode="after")
    def _whose_tokens(self) -> Self:
        """Refuse a token that could be meant for either of two servers."""
        for name in self.tokens:
            if len([each for each in self.servers if self._is_meant(name, each)]) > 1:
                raise ValueError(f"two servers could be meant by the token {name!r}")
        return self

    def candidates(self) -> list[ServerConfig]:
        """List where servers may be: the named ones, or Ollama's and LM Studio's own places."""
        if self.servers:
            return [self._with_token(server) for server in self.servers]
        ollama = self._ollama_places() if self.use_ollama else []
        return [*ollama, *(self._lmstudio_places() if self.use_lm_studio else [])]

    @property
    def usual_models(self) -> list[str]:
        """What to take when no model is named, pinned to its kind, the preferred first."""
        usual: list[tuple[Kind, str | None]] = [
            (OLLAMA, self.ollama_model),
            (LMSTUDIO, self.lm_studio_model),
        ]
        usual.sort(key=lambda each: self._liking(each[0]))
        return [f"{kind}/{model}" for kind, model in usual if model]

    def order_of(self, position: int, kind: Kind | None) -> Rank:
        """Rank the candidate in this place: its order, the preferred kinds, its place."""
        own = self.servers[position].order if position < len(self.servers) else 0
        return (own or 0, self._liking(kind), position if own is None else 0)

    def is_named(self, url: str) -> bool:
        """Tell whether the user said that a server is there, rather than that it may be."""
        return bool(self.named_by(url))

    def named_by(self, url: str) -> str:
        """Give the name of the setting that says that a server is there; empty if none does."""
        if self.servers:
            return "servers"
        return next((name for name in _ADDRESSES if self._url(name) == url), "")

    def probe_bound(self, url: str) -> tuple[float, str]:
        """Give the seconds that a server has to show what it is, and the setting that says so."""
        usual = self.probe_timeout, "probe_timeout"
        named = self.named_probe_timeout, "named_probe_timeout"
        return max(usual, named) if self.is_named(url) else usual

    def how_to_give_a_token(self, url: str) -> str:
        """Say what a user does about a server that needs a token, or a different one."""
        server = next((each for each in self.servers if each.url == url), None)
        if server:
            variable = f"{TOKEN}_{variable_part(server.label)}"
            return f"Set `token` of this server, or {variable}{self._unless_weaker('servers')}."
        if self.use_ollama and url in (self._url("ollama_base_url"), self._url("ollama_host")):
            name = "ollama_base_url" if self.ollama_base_url else "ollama_host"
            return f"Set OLLAMA_API_KEY{self._unless_weaker(name)}."
        if url in [each.url for each in self._lmstudio_places()]:
            return f"Set LM_API_TOKEN{self._unless_weaker('lm_studio_base_url')}."
        return "Name the server in LOCALMIX_SERVERS, and set LOCALMIX_TOKEN."

    def _unless_weaker(self, address: str) -> str:
        """Say that a variable would not do for an address that only a file names."""
        source = self._source(address)
        if source.strength not in (Strength.FOLDER, Strength.USER):
            return ""
        return f", and name the server in a variable too: {source.name} is weaker than one"

    def _source(self, name: str) -> Source:
        return self._sources.get(name, DEFAULT)

    def _liking(self, kind: Kind | None) -> int:
        return self.prefer.index(kind) if kind in self.prefer else len(self.prefer)

    def _url(self, name: str) -> str:
        written = getattr(self, name)
        return _read_address(name, written)[0] if written else ""

    def _is_meant(self, name: str, server: ServerConfig) -> bool:
        """Tell whether a token of this name is that server's."""
        if not name:
            return len(self.servers) == 1
        return variable_part(name) == variable_part(server.label)

    def _with_token(self, server: ServerConfig) -> ServerConfig:
        own = [token for name, token in self.tokens.items() if self._is_meant(name, server)]
        if server.token or not own or not self._may_go("tokens", "servers", server.url):
            return server
        return server.model_copy(update={"token": own[0]})

    def _may_go(self, token: str, address: str, url: str) -> bool:
        """Tell whether a token's own source, or a stronger one, says that the server is there."""
        may = self._source(token).strength <= self._source(address).strength
        if not may:
            _warn_once(
                f"{token} ({self._source(token).name}) is not sent to {url}, which a weaker source"
                f" names ({self._source(address).name}). Name the server where the token is set."
            )
        return may

    def _place(self, address: str, token: str) -> ServerConfig:
        """Give the server at an address that the user named for its kind."""
        url = self._url(address)
        secret = getattr(self, token)
        if secret and not self._may_go(token, address, url):
            secret = None
        return ServerConfig(url=url, headers=self._credentials.get(address, {}), token=secret)

    def _ollama_places(self) -> list[ServerConfig]:
        if self.ollama_base_url or self.ollama_host:
            name = "ollama_base_url" if self.ollama_base_url else "ollama_host"
            return [self._place(name, "ollama_api_key")]
        # OLLAMA_API_KEY belongs to ollama.com unless the user says otherwise: not sent here.
        return [ServerConfig(url=url) for url in loopback(OLLAMA_PORT)]

    def _lmstudio_places(self) -> list[ServerConfig]:
        if self.lm_studio_base_url:
            return [self._place("lm_studio_base_url", "lm_api_token")]
        ports = dict.fromkeys([lmstudio_port() or LMSTUDIO_PORT, LMSTUDIO_PORT])
        return [
            ServerConfig(url=url, token=self.lm_api_token, only_kind=LMSTUDIO)
            for port in ports
            for url in loopback(port)
        ]


def _read_address(name: str, text: str) -> tuple[str, dict[str, str]]:
    if name == "ollama_host":
        return ollama_host(text, OLLAMA_PORT)
    port = OLLAMA_PORT if name == "ollama_base_url" else LMSTUDIO_PORT
    return read_url(text, default_port=port)


def _split_list(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _warn_once(text: str) -> None:
    if text not in _told:
        _told.add(text)
        _log.warning(text)
