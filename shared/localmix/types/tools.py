"""Tools and their calls; tools as people write them: functions, pydantic classes, dictionaries."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, Field

from localmix.errors import ConfigError
from localmix.types.checked import Exact
from localmix.types.functions import Function

_CHOICES = {None: "auto", True: "required", False: "none", "any": "required"}


class ToolCall(Exact):
    """A call of a tool that the model asks for.

    `arguments` is JSON text, exactly as the model wrote it; it may be broken JSON when the answer
    was cut by a token limit.
    """

    name: str
    arguments: str = "{}"
    id: str = ""

    def parsed(self) -> dict[str, Any]:
        """Read the arguments.

        Raises:
            ConfigError: They are not a JSON object, as when the answer was cut.
        """
        try:
            value = json.loads(self.arguments)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ConfigError(
                f"The arguments of {self.name} are not a JSON object: {self.arguments!r}.",
                hint="Ask again with more max_tokens, or leave this call out of the history.",
            )
        return value


class Tool(Exact):
    """A tool that the model may call; `parameters` is a JSON schema."""

    name: str = Field(min_length=1)
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


ToolLike = Tool | Callable[..., Any] | type[BaseModel] | Mapping[str, Any]


def to_tool(written: Any) -> Tool:
    """Read a tool: a Python function, a pydantic class, or a definition as OpenAI writes it.

    Raises:
        ConfigError: It is none, or one that only some cloud has.
    """
    if isinstance(written, Tool):
        return written
    if isinstance(written, Mapping):
        return _defined(written)
    if isinstance(written, type) and issubclass(written, BaseModel):
        said = inspect.cleandoc(written.__doc__ or "")
        schema = written.model_json_schema()
        return Tool(name=written.__name__, description=said, parameters=schema)
    if callable(written) and not isinstance(written, type):
        function = Function(written)
        return Tool(
            name=function.name,
            description=function.description,
            parameters=function.parameters,
        )
    raise _no_tool(written)


def to_tool_choice(choice: Any) -> str:
    """Read a choice: a word, a switch, the name of a tool, or OpenAI's or Anthropic's dictionary.

    Raises:
        ConfigError: It is none of them.
    """
    said = _named(choice) if isinstance(choice, Mapping) else _CHOICES.get(choice, choice)
    if not isinstance(said, str):
        raise ConfigError(
            f"{choice!r} is not a tool_choice.",
            hint='Use "auto", "none", "required", or the name of a tool.',
        )
    return said


def _defined(definition: Mapping[str, Any]) -> Tool:
    kind = definition.get("type")
    # OpenAI's chats have it one floor down; its newer API, and our own `Tool`, write it flat.
    is_flat = kind in (None, "function") and "parameters" in definition
    function = definition.get("function", definition if is_flat else None)
    if isinstance(function, Mapping) and function.get("name"):
        named = ("name", "description", "parameters")
        return Tool(**{key: function[key] for key in named if function.get(key)})
    if kind not in (None, "function"):
        raise ConfigError(
            f"A tool of type {kind!r} exists only in a cloud.",
            hint="Offer a function: models here call nothing else.",
        )
    raise _no_tool(definition)


def _no_tool(written: Any) -> ConfigError:
    return ConfigError(
        f"{written!r} is not a tool.",
        hint="Pass a function, a pydantic class, or a definition in OpenAI's format.",
    )


def _named(choice: Mapping[str, Any]) -> str | None:
    named, kind = choice.get("function", choice), choice.get("type")
    if isinstance(named, Mapping) and named.get("name"):
        return str(named["name"])
    return None if kind in (None, "function") else str(_CHOICES.get(kind, kind))
