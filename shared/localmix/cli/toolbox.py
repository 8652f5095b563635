"""`--tool FILE.py`: the functions of a file of the user's own, for a model to call."""

from __future__ import annotations

import asyncio
import inspect
import runpy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from localmix import Message, ToolCall
from localmix.cli.output import say
from localmix.errors import ConfigError
from localmix.types.functions import Function


class Toolbox:
    """Functions, and the calls that a model makes of them.

    Attributes:
        functions: What a model may call.
    """

    def __init__(self, files: Iterable[str]) -> None:
        found = {name: function for file in files for name, function in _read(file).items()}
        self.functions = list(found.values())
        self._known = {each.name: each for each in map(Function, self.functions)}

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
        if call.name not in self._known:
            return f"Error: there is no tool {call.name}."
        said = self._known[call.name].bound(call.parsed)()
        return asyncio.run(said) if inspect.iscoroutine(said) else str(said)


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
