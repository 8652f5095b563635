"""Files and folders as users write them: `~`, several in one text, `true` for the usual place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

_SWITCH = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)


def _folders(value: object) -> object:
    if isinstance(value, Path):
        return (value,)
    if isinstance(value, str):
        value = [part for part in value.split(os.pathsep) if part]
    return tuple(map(_path, value)) if isinstance(value, list | tuple) else value


def _file_or_switch(value: object) -> object:
    if not isinstance(value, str | Path):
        return value
    switch = _SWITCH.get(str(value).casefold())
    return _path(value) if switch is None else switch


def _file(value: object) -> object:
    return _path(value) if isinstance(value, str | Path) else value


def _path(value: object) -> Path:
    try:
        return Path(str(value)).expanduser()
    except RuntimeError:
        raise ValueError("the home folder (~) is not known") from None


File = Annotated[Path, BeforeValidator(_file)]
Folders = Annotated[tuple[Path, ...], BeforeValidator(_folders)]
FileOrSwitch = Annotated[Path | bool, BeforeValidator(_file_or_switch)]
