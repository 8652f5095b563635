"""The files that settings are read from.

What cannot be reached is not there, and what is not ours is not judged: a `pyproject.toml` counts
only for its table `[tool.localmix]`. What is ours and cannot be read is an error that names it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localmix.errors import ConfigError

NAME = "localmix.toml"
_OUR_TABLE = re.compile(rb"^\s*\[\s*tool\s*\.\s*[\"']?localmix\b", re.MULTILINE)
_log = logging.getLogger("localmix")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file and what it says; it may hold secrets, so that stands in no repr."""

    path: Path
    values: Mapping[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of what it says."""
        text = json.dumps(self.values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def user_folder() -> Path | None:
    """Give the folder of the user's own file; `None` where there is no home."""
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user that the system does not know
        return None
    if not home.is_absolute():  # else the working folder could pass for the user's own
        return None
    return home / ("AppData/Roaming" if os.name == "nt" else ".config") / "localmix"


def cache_folder() -> Path | None:
    """Give the folder for what can be made again; `None` where there is no home."""
    folder = user_folder()
    if folder is None:
        return None
    inside = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    return Path.home() / inside / folder.name


def users_file() -> SettingsFile | None:
    """Read the user's own file."""
    folder = user_folder()
    return _read_ours(folder / NAME) if folder else None


def folder_files() -> Iterator[SettingsFile]:
    """Read the files of the working folder, the strongest first."""
    try:
        here = Path.cwd()
    except OSError:  # it was deleted, or may not be looked at
        return
    readers = {NAME: _read_ours, "pyproject.toml": _read_shared}
    for name, read in readers.items():
        if here != user_folder() and (found := read(here / name)):
            yield found


def line_of(path: Path, words: Sequence[str]) -> int | None:
    """Find the line of a key; the last of the words that is there decides."""
    text = (_bytes(path) or b"").decode("utf-8", "replace")
    ours = _OUR_TABLE.search(text.encode()) if path.name != NAME else None
    skipped = text[: ours.start()].count("\n") if ours else 0
    lines = text.splitlines()
    for word in reversed(words):
        key = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])[\"']?\s*[=.\]]")
        for number, line in enumerate(lines[skipped:], skipped + 1):
            if key.search(line.partition("#")[0]):
                return number
    return None


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None  # reading a pipe would block
    except (OSError, ValueError):
        return None


def _read_ours(path: Path) -> SettingsFile | None:
    data = _bytes(path)
    if data is None:
        return None
    try:
        return SettingsFile(path, _load(data))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: it is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _read_shared(path: Path) -> SettingsFile | None:
    """Read our table of a file that belongs to others."""
    data = _bytes(path) or b""
    if b"localmix" not in data:
        return None
    try:
        tool = _load(data).get("tool")
    except (ValueError, RecursionError):
        if _OUR_TABLE.search(data):
            _log.warning("%s is no valid TOML: its table [tool.localmix] is not read.", path)
        return None
    table = tool.get("localmix") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.localmix is not a table.")
    return None if table is None else SettingsFile(path, table)


def _load(data: bytes) -> dict[str, Any]:
    return tomllib.loads(data.decode("utf-8-sig"))
