"""`--tool FILE.py`: the functions of a file of the user's own, for a model to call."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from localmix.errors import ConfigError


def read_tools(files: Iterable[str]) -> list[Callable[..., Any]]:
    """Run files; give their functions, of two with one name the later one.

    Raises:
        ConfigError: A file cannot be run, or has no such function.
    """
    found = {name: function for file in files for name, function in _read(file).items()}
    return [*found.values()]


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
