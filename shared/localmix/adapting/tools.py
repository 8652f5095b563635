"""Tools and choices as frameworks write them, which is mostly as OpenAI does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmix.errors import ConfigError
from localmix.types import Tool

_CHOICES = {None: "auto", True: "required", False: "none", "any": "required"}


def to_tool(definition: Any) -> Tool:
    """Read the definition of a tool in OpenAI's form.

    Raises:
        ConfigError: It is none, or one that only some cloud has.
    """
    if isinstance(definition, Tool):
        return definition
    function = definition.get("function") if isinstance(definition, Mapping) else None
    if isinstance(function, Mapping) and function.get("name"):
        named = ("name", "description", "parameters")
        return Tool(**{key: function[key] for key in named if function.get(key)})
    kind = definition.get("type") if isinstance(definition, Mapping) else None
    if kind not in (None, "function"):
        raise ConfigError(
            f"A tool of type {kind!r} is a cloud's own.",
            hint="Offer a function: models here call nothing else.",
        )
    raise ConfigError(
        f"{definition!r} is not a tool.",
        hint="Give a tool of your framework, or a definition as OpenAI writes it.",
    )


def to_tool_choice(choice: Any) -> str:
    """Read a choice: a word, a switch, the name of a tool, or OpenAI's or Anthropic's dictionary.

    Raises:
        ConfigError: It is none of them.
    """
    said = _named(choice) if isinstance(choice, Mapping) else _CHOICES.get(choice, choice)
    if not isinstance(said, str):
        raise ConfigError(
            f"{choice!r} is not a tool_choice.",
            hint='Say "auto", "none", "required", or the name of a tool.',
        )
    return said


def _named(choice: Mapping[str, Any]) -> str | None:
    named, kind = choice.get("function", choice), choice.get("type")
    if isinstance(named, Mapping) and named.get("name"):
        return str(named["name"])
    return None if kind in (None, "function") else str(_CHOICES.get(kind, kind))
