"""The user's own file of settings: changed a line at a time, so that comments stay."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from localmix.cli import state
from localmix.errors import ConfigError
from localmix.settings import Settings
from localmix.settings.files import NAME, user_folder

_BY_HAND = "Run: localmix config edit"


def path() -> Path:
    """Give the path of the file, whether it is there or not.

    Raises:
        ConfigError: There is no home.
    """
    folder = user_folder()
    if folder is None:
        raise ConfigError("There is no home folder for a settings file.")
    return folder / NAME


def check(name: str) -> None:
    """Check that there is such a setting.

    Raises:
        ConfigError: There is not.
    """
    if name not in Settings.model_fields:
        close = get_close_matches(name, Settings.model_fields, n=1)
        hint = f"Did you mean {close[0]}?" if close else "localmix config --all lists them."
        raise ConfigError(f"{name} is not a setting.", hint=hint)


def change(name: str, values: Sequence[str]) -> None:
    """Set a value in the file, or take it away.

    Raises:
        ConfigError: The value cannot be right, or the file cannot be changed so.
    """
    check(name)
    value = _value(name, values)
    if values:
        Settings.check(**{name: value})
    file = path()
    text = state.read(file) if file.exists() else ""
    new = _changed(text, name, f"{name} = {_toml(value)}" if values else "")
    wanted = {key: said for key, said in _said(text).items() if key != name}
    wanted |= {name: value} if values else {}
    if _said(new) != wanted:
        raise ConfigError(f"{name} in {file} spans more than one line.", hint=_BY_HAND)
    _write(file, new)


def edit() -> None:
    """Open the file in the user's editor, and check what it says then.

    Raises:
        ConfigError: What it says cannot be right.
    """
    file = path()
    if not file.exists():
        _write(file, "")
    ended = subprocess.run(_editor(file), check=False)  # noqa: S603  (the user's own editor)
    if ended.returncode:
        raise ConfigError(f"The editor ended with code {ended.returncode}.")
    Settings.load()


def _editor(file: Path) -> list[str]:
    if os.name == "nt":
        return ["notepad", str(file)]
    # As git does it: the shell reads the variables, and the words in them.
    return ["sh", "-c", 'eval "${VISUAL:-${EDITOR:-vi}} \\"\\$1\\""', "localmix", str(file)]


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{file.parent} cannot be created: {error.strerror}") from error
    state.write(file, text)


def _value(name: str, values: Sequence[str]) -> Any:
    """Read values as they stand in a file: JSON where they are JSON, else as texts."""
    read = [_json_or_text(value) for value in values]
    is_list = str(Settings.model_fields[name].annotation).startswith("tuple")
    return read if is_list or len(read) != 1 else read[0]


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _changed(text: str, name: str, line: str) -> str:
    """Put a line in the place of the one with this name, else before the first table."""
    lines = text.splitlines()
    table = next((i for i, each in enumerate(lines) if each.lstrip().startswith("[")), len(lines))
    key = re.compile(rf"\s*{re.escape(name)}\s*=")
    place = next((i for i in range(table) if key.match(lines[i])), None)
    if place is not None:
        lines[place : place + 1] = [line] if line else []
    elif line:
        while table and not lines[table - 1].strip():
            table -= 1
        lines.insert(table, line)
    return "".join(f"{each}\n" for each in lines)


def _said(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path()} cannot be read: {error}.", hint=_BY_HAND) from error


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
