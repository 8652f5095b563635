"""Arguments under the names that other integrations taught people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from localmix.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for an argument of ours.

    Attributes:
        own: Our name for it.
        read: Makes our value of the one that is given.
    """

    own: str
    read: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A name for which there is no argument here.

    Attributes:
        hint: What to write instead, as a sentence.
        needless: The value with which it would change nothing; it is passed over then, and where
            it is empty.
    """

    hint: str
    needless: Any = None


Names = Mapping[str, Alias | Elsewhere]


def by_our_names(given: Mapping[str, Any], names: Names, own: Collection[str]) -> dict[str, Any]:
    """Say arguments by our names.

    Args:
        given: The arguments.
        names: What other names mean.
        own: Our names; they mean what they mean here.

    Raises:
        ConfigError: One is given under two names, or means something that is said otherwise here.
    """
    said: dict[str, Any] = {}
    for name, value in given.items():
        meant = None if name in own else names.get(name)
        if isinstance(meant, Elsewhere):
            if value and value != meant.needless:
                raise ConfigError(f"{name} is not an argument here.", hint=meant.hint)
            continue
        key, read = (meant.own, meant.read(value)) if meant else (name, value)
        before = said.get(key)
        if None not in (before, read) and before != read:
            raise ConfigError(f"{key} and {name} are both given.", hint="Pass only one of them.")
        said[key] = before if read is None else read
    return said
