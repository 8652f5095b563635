"""Read model names: which server a name is pinned to, and which two name the same model.

Only what is certain counts: the same name, but for case, Ollama's default host and namespace and
its `:latest`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

from localmix.types import Kind, ModelInfo

_KINDS: tuple[Kind, ...] = get_args(Kind)
_DEFAULT_PREFIXES = ("registry.ollama.ai/", "library/")
_DEFAULT_TAG = ":latest"


def canonical(name: str) -> str:
    """Write a name as its equals are written."""
    plain = name.strip().casefold()
    for prefix in _DEFAULT_PREFIXES:
        plain = plain.removeprefix(prefix)
    return plain.removesuffix(_DEFAULT_TAG)


def is_named(model: ModelInfo, name: str) -> bool:
    """Tell whether a name means this model, under its own name or a loaded instance's."""
    wanted = canonical(name)
    return any(canonical(own) == wanted for own in (model.name, *model.aliases))


def split_pin(name: str) -> tuple[Kind | None, str]:
    """Split `ollama/NAME` into the kind that it is pinned to and the name there.

    LM Studio's own names may begin the same way (`openai/gpt-oss-20b`): try the whole name first.
    """
    head, slash, rest = name.partition("/")
    kind = next((kind for kind in _KINDS if kind == head), None)
    return (kind, rest) if kind and slash and rest else (None, name)


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Sort the known names, the ones that look like `name` first."""
    names = sorted(set(known))
    close = get_close_matches(canonical(name), names, n=3, cutoff=0.4)
    return (*close, *(other for other in names if other not in close))
