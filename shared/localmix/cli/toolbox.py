"""`--tool FILE.py`: the functions of a file of the user's own, for a model to call."""

from __future__ import annotations

import inspect
import json
import runpy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError, create_model

from localmix import Message, Tool, ToolCall
from localmix.cli.output import say
from localmix.errors import ConfigError


class Toolbox:
    """Functions, what a model is told of them, and their calls."""

    def __init__(self, files: Iterable[str]) -> None:
        self._functions = {name: found for file in files for name, found in _read(file).items()}

    def described(self) -> list[Tool]:
        """Describe each function by its docstring and the types of its parameters."""
        return [_tool(name, function) for name, function in self._functions.items()]

    def answers(self, calls: Sequence[ToolCall]) -> list[Message]:
        """Call what a model asked for; what goes wrong is told to the model."""
        return [
            Message(
                role="tool", content=self._result(call), tool_call_id=call.id, tool_name=call.name
            )
            for call in calls
        ]

    def _result(self, call: ToolCall) -> str:
        say(f"{call.name}({call.arguments})", "dim", error=True)
        if call.name not in self._functions:
            return f"Error: there is no tool {call.name}."
        function = self._functions[call.name]
        try:
            given = _parameters(call.name, function).model_validate(call.parsed())
            result = function(**{name: getattr(given, name) for name in type(given).model_fields})
        except ValidationError as error:
            return f"Error: {error}"
        except Exception as error:  # noqa: BLE001  (it is the user's own code)
            return f"Error: {type(error).__name__}: {error}"
        return result if isinstance(result, str) else json.dumps(_jsonable(result))


def _read(place: str) -> dict[str, Callable[..., Any]]:
    """Run a file; give the functions that it defines, or the one named after `::`."""
    path, _, wanted = place.partition("::")
    if not Path(path).is_file():
        raise ConfigError(f"There is no file {path} with tools.", hint="--tool FILE.py[::FUNCTION]")
    try:
        found = runpy.run_path(path, run_name="localmix_tools")
    except Exception as error:
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    functions: dict[str, Callable[..., Any]] = {
        name: value
        for name, value in found.items()
        if inspect.isfunction(value)
        and value.__module__ == "localmix_tools"
        and (name == wanted if wanted else not name.startswith("_"))
    }
    if not functions:
        raise ConfigError(f"{path} defines no function {wanted}".rstrip())
    return functions


def _tool(name: str, function: Callable[..., Any]) -> Tool:
    schema = _parameters(name, function).model_json_schema()
    schema.pop("title", None)
    return Tool(name=name, description=inspect.getdoc(function) or "", parameters=schema)


def _parameters(name: str, function: Callable[..., Any]) -> Any:
    """Make a model of a function's parameters."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = Any if parameter.annotation is parameter.empty else parameter.annotation
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (kind, default)
    return create_model(name, **fields)


def _jsonable(value: Any) -> Any:
    return TypeAdapter(type(value)).dump_python(value, mode="json")
