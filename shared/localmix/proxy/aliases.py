"""Models that are another one's second name, with defaults: what `copy` and `create` make here.

No server is asked for them, so they can be had in front of any. They are kept in a file of the
user's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from localmix.dialects.asking import Asked
from localmix.dialects.ollama.server import read_parameters
from localmix.errors import ConfigError
from localmix.settings.files import user_folder
from localmix.settings.locking import locked
from localmix.types import ChatRequest, EmbedRequest, GenerationRequest, Message
from localmix.types.names import canonical

R = TypeVar("R", bound=GenerationRequest | EmbedRequest)
_NAME = "models.json"


class Alias(BaseModel):
    """A second name for a model.

    Attributes:
        name: The name, as it was given.
        source: The model that is meant, by a name that a server has.
        system: The system prompt of conversations that have none.
        template: Shown, and not used: servers write prompts by the template of the model.
        parameters: Options of requests that say nothing else, by Ollama's names.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    source: str
    system: str = ""
    template: str = ""
    parameters: dict[str, Any] = {}

    def over(self, base: Alias) -> Alias:
        """Put this alias on the model of another one, whose defaults count where it has none."""
        return Alias(
            name=self.name,
            source=base.source,
            system=self.system or base.system,
            template=self.template or base.template,
            parameters={**base.parameters, **self.parameters},
        )

    def defaults(self) -> dict[str, Any]:
        """Give the parameters as fields of a request.

        Raises:
            ConfigError: One of them cannot be right.
        """
        said = read_parameters(Asked(self.parameters, "parameters"))
        fields = {name: value for name, value in said.items() if value not in (None, ())}
        ChatRequest(messages=(Message(role="user", content="?"),), **fields)
        return fields

    def applied(self, request: R) -> R:
        """Make a request one for the model that is meant."""
        return cast("R", request.model_copy(update=self._changes(request)))

    def _changes(self, request: R) -> dict[str, Any]:
        fields = type(request).model_fields
        changes: dict[str, Any] = {
            name: value
            for name, value in self.defaults().items()
            if name in fields and getattr(request, name) == fields[name].default
        }
        if self.system and isinstance(request, ChatRequest) and not _has_system(request):
            system = Message(role="system", content=self.system)
            changes["messages"] = (system, *request.messages)
        return changes | {"model": self.source}


def _has_system(request: ChatRequest) -> bool:
    return any(message.role == "system" for message in request.messages)


class _Kept(BaseModel):
    models: list[Alias] = []


_Change = Callable[[Mapping[str, Alias]], Mapping[str, Alias]]


class Aliases:
    """The aliases of one user; changes are written to the file before they count.

    Several proxies may share the file: each sees what the others change, and no change is lost.

    Args:
        path: The file; by default one beside the user's settings.

    Raises:
        ConfigError: The file cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        folder = user_folder()
        self._path = path or (folder / _NAME if folder else None)
        self._state = _state_of(self._path)
        self._known: Mapping[str, Alias] = _read(self._path)
        self._changing = asyncio.Lock()

    def __iter__(self) -> Iterator[Alias]:
        return iter(self._by_name.values())

    @property
    def _by_name(self) -> Mapping[str, Alias]:
        """What the file says now; what it said before, while it cannot be read."""
        state = _state_of(self._path)
        if state != self._state:
            with suppress(ConfigError):
                self._known = _read(self._path)
            self._state = state
        return self._known

    def get(self, name: str | None) -> Alias | None:
        """Find an alias by its name."""
        return self._by_name.get(canonical(name or ""))

    def source(self, name: str) -> str:
        """Give the name of the model that is meant."""
        alias = self.get(name)
        return alias.source if alias else name

    def applied(self, request: R) -> R:
        """Make a request one for the model that is meant."""
        alias = self.get(request.model)
        return alias.applied(request) if alias else request

    async def put(self, alias: Alias) -> None:
        """Keep an alias; one of the same name is replaced.

        Raises:
            ConfigError: The file cannot be written.
        """
        await self._change(lambda known: {**known, canonical(alias.name): alias})

    async def remove(self, name: str) -> None:
        """Forget an alias.

        Raises:
            ConfigError: The file cannot be written.
        """
        gone = canonical(name)
        await self._change(lambda known: {key: known[key] for key in known if key != gone})

    async def _change(self, change: _Change) -> None:
        async with self._changing:
            if self._path is None:
                self._known = change(self._known)
            else:
                await asyncio.to_thread(_rewrite, self._path, change)


def _state_of(path: Path | None) -> tuple[int, ...]:
    """Tell one state of a file from another; one that is not there has none."""
    try:
        about = path.stat() if path else None
    except OSError:
        about = None
    return (about.st_ino, about.st_mtime_ns, about.st_size) if about else ()


def _read(path: Path | None) -> dict[str, Alias]:
    try:
        text = path.read_bytes() if path else b"{}"
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        kept = _Kept.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(
            f"{path} is not as localmix wrote it.",
            hint="Repair it, or move it away.",
        ) from error
    return {canonical(alias.name): alias for alias in kept.models}


def _rewrite(path: Path, change: _Change) -> None:
    """Write beside the file, then exchange: whoever reads it meanwhile finds it whole."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with locked(path):
            kept = _Kept(models=list(change(_read(path)).values()))
            beside.write_text(kept.model_dump_json(indent=2) + "\n")
            beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
