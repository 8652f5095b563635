"""What is known of servers and models, and of the way that a request took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localmix.errors import Attempt
from localmix.types.showing import Short, Tabular, size, table
from localmix.types.words import Capability, Kind, Purpose, State


@dataclass(frozen=True, slots=True, repr=False)
class ModelInfo(Tabular):
    """A model on a server.

    Attributes:
        name: The name to ask this server for.
        server: Base URL of the server.
        loaded: Whether it is in memory now.
        context_length: The most tokens it was trained for, not what is allocated.
        loaded_context_length: Tokens allocated now; `None` when it is not loaded.
        own_context_length: Tokens that its own settings ask for (Ollama's Modelfile); `None` where
            they do not, or were not asked for.
        capabilities: What it can do; `None` where the server does not say.
        unsaid: Capabilities of which this server does not tell, whatever it says of others.
        guessed: Names of the facts that were guessed from the model's name.
        aliases: Other names under which the server answers for it (loaded instances).
        variants: Names of its quantizations, each of which the server can be asked for.
        remote: Whether the server would send the request to a cloud.
        memory_bytes: What it takes of the memory now, where the server says it.
        gpu_bytes: How much of that is on graphics cards.
        unload_at: When the server will unload it; `None` if it will not, or does not say.
        modified_at: When the server got it, where the server says it.
    """

    name: str
    server: str
    kind: Kind
    purpose: Purpose = "chat"
    loaded: bool = False
    context_length: int | None = None
    loaded_context_length: int | None = None
    own_context_length: int | None = None
    embedding_length: int | None = None
    capabilities: frozenset[Capability] | None = None
    unsaid: frozenset[Capability] = frozenset()
    guessed: frozenset[str] = frozenset()
    size_bytes: int | None = None
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    digest: str = ""
    aliases: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    remote: bool = False
    memory_bytes: int | None = None
    gpu_bytes: int | None = None
    unload_at: datetime | None = None
    modified_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        return {
            "model": self.name,
            "server": self.server,
            "kind": self.kind,
            "for": self.purpose,
            "loaded": self.loaded,
            "size": size(self.size_bytes),
            "context": self.loaded_context_length or self.context_length,
        }

    def can(self, capability: Capability) -> bool | None:
        """Tell whether the model has a capability; `None` if its server does not say."""
        if self.capabilities is None or capability in self.unsaid:
            return None
        return capability in self.capabilities


@dataclass(frozen=True, slots=True, repr=False)
class Server(Tabular):
    """An address where a server may be, and what was found there.

    Attributes:
        url: Base URL, without credentials; `embedded:` stands for the embedded engine.
        kind: What it proved to be; `None` when it could not be used.
        problem: Why it could not be used; empty when it can.
        name: What `NAME/MODEL` pins a request to.
        note: What else is to be known of it, such as that it only imitates its kind.
        state: How its requests have ended lately; `unavailable` also when it could not be used.
    """

    url: str
    kind: Kind | None = None
    version: str = ""
    problem: str = ""
    name: str = ""
    note: str = ""
    state: State = "available"

    @property
    def own_version(self) -> str:
        """The version, unless that of another program is only imitated."""
        return "" if self.note else self.version

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        return {
            "server": self.url,
            "name": self.name,
            "kind": self.kind,
            "version": self.version,
            "state": self.state,
            "what is to be known": self.problem or self.note,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Skip(Short):
    """A server that ranks before the chosen one but was not asked.

    Attributes:
        server: Its base URL.
        reason: Why not, in a few words.
    """

    server: str
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class Route(Tabular):
    """Where a request went, why, and what was tried before.

    Attributes:
        server: The server that answered.
        model: The name it was asked for there.
        reason: Why this server and this model, in a few words.
        attempts: Servers that failed first.
        skipped: Servers that come before this one in the user's order, and were not asked.
        alternatives: Where it would go next; told by `route()` alone.
        earlier: Routes of the requests that the same turn took before; see `ChatResult.after`.
    """

    server: Server
    model: str
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    alternatives: tuple[Route, ...] = ()
    earlier: tuple[Route, ...] = ()

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        return {
            "model": self.model,
            "server": self.server.url,
            "kind": self.server.kind,
            "reason": self.reason,
            "failed first": ", ".join(each.server for each in self.attempts),
        }

    def _repr_html_(self) -> str:
        return table([self, *self.alternatives])
