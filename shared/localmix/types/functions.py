"""Python functions as tools: what a model is told of one, and how it is called with what it wrote.

The schema and the check of arguments are pydantic's, from the annotations; the words come from the
docstring, whose section `Args:` describes the arguments.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticUserError

from localmix.errors import ConfigError
from localmix.types.checked import sentence

_SECTION = re.compile(
    r"^(Args|Arguments|Parameters|Returns|Return|Yields|Raises|Examples?|Notes?):\s*$", re.MULTILINE
)
_ARGUMENT = re.compile(r"^(?P<indent>\s+)\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?:\s*(?P<said>.*)$")
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


@dataclass(frozen=True)
class Function:
    """A Python function that a model may call.

    Attributes:
        function: The function; a coroutine function is awaited.
        name: What the model calls it.
    """

    function: Callable[..., Any]
    name: str = field(init=False)

    def __post_init__(self) -> None:
        name = getattr(self.function, "__name__", "")
        if not name.isidentifier():
            raise ConfigError(
                f"{self.function!r} has no name that a model could call.",
                hint="Define a function with def, and pass that.",
            )
        object.__setattr__(self, "name", name)

    @property
    def is_asynchronous(self) -> bool:
        """Whether it must be awaited."""
        return inspect.iscoroutinefunction(self.function)

    @cached_property
    def description(self) -> str:
        """What the docstring says before its first section."""
        text = inspect.getdoc(self.function) or ""
        section = _SECTION.search(text)
        return text[: section.start() if section else None].strip()

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of its arguments.

        Raises:
            ConfigError: A model cannot write these arguments.
        """
        try:
            several = [
                each.name
                for each in inspect.signature(self.function).parameters.values()
                if each.kind in _MANY
            ]
            adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", self.function))
            schema = adapter.json_schema()
        except (PydanticUserError, NameError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                f"{self.name} cannot be offered as a tool: {reason}",
                hint="Annotate its arguments with types that JSON can express.",
            ) from error
        if several:
            raise ConfigError(
                f"{self.name} cannot be offered as a tool: nobody can name {several[0]}.",
                hint="Take arguments by their names; a list may hold several values.",
            )
        for name, said in _described(inspect.getdoc(self.function) or "").items():
            if isinstance(about := schema.get("properties", {}).get(name), dict):
                about.setdefault("description", said)
        return schema

    def bound(self, arguments: Callable[[], dict[str, Any]]) -> Callable[[], Any]:
        """Make a call that gives what the model shall read of it, whatever happens.

        What the function returns is written as JSON, a text as it stands. What it raises, and
        what is wrong with the arguments, is told instead: the model may do better next time.
        """
        return self._awaited(arguments) if self.is_asynchronous else self._called(arguments)

    def _called(self, arguments: Callable[[], dict[str, Any]]) -> Callable[[], str]:
        def work() -> str:
            try:
                return _written(self._checked(**arguments()))
            except Exception as error:  # noqa: BLE001  (the model is told)
                return _told(error)

        return work

    def _awaited(self, arguments: Callable[[], dict[str, Any]]) -> Callable[[], Awaitable[str]]:
        async def work() -> str:
            try:
                return _written(await self._checked(**arguments()))
            except Exception as error:  # noqa: BLE001  (the model is told)
                return _told(error)

        return work

    @cached_property
    def _checked(self) -> Callable[..., Any]:
        return validate_call(self.function)


def _described(docstring: str) -> dict[str, str]:
    """Read what the section `Args:` says of each argument."""
    found: dict[str, str] = {}
    lines = iter(docstring.splitlines())
    if not any(_is_of_arguments(line) for line in lines):
        return found
    depth, name = "", ""
    for line in lines:
        if line.strip() and not line[:1].isspace():
            break
        match = _ARGUMENT.match(line)
        if match and (not depth or match["indent"] == depth):
            depth, name = match["indent"], match["name"]
            found[name] = match["said"]
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _is_of_arguments(line: str) -> bool:
    return line.rstrip() in ("Args:", "Arguments:", "Parameters:")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return pydantic_core.to_json(value, fallback=str).decode()


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"Error: {sentence(error)}"
    return f"Error: {type(error).__name__}: {error}"
