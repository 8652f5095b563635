"""What the commands remember between runs, in the user's state folder, for the user's eyes only."""

from __future__ import annotations

from pathlib import Path

from localmix.errors import ConfigError
from localmix.settings.files import state_folder

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def place(*names: str) -> Path:
    """Give the path of a remembered file, in a folder that exists.

    Raises:
        ConfigError: There is no place for it.
    """
    folder = state_folder()
    if folder is None:
        raise ConfigError("There is no home folder to keep this in.")
    path = folder.joinpath(*names)
    try:
        path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be created: {error.strerror}") from error
    return path


def write(path: Path, text: str) -> None:
    """Replace what a file says, whole or not at all.

    Raises:
        ConfigError: It cannot be written.
    """
    new = path.with_suffix(f"{path.suffix}.new")
    try:
        new.touch(mode=_PRIVATE_FILE)
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def append(path: Path, line: str) -> None:
    """Add a line to a file.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        path.touch(mode=_PRIVATE_FILE)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def read(path: Path) -> str:
    """Read a file.

    Raises:
        ConfigError: It cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text (UTF-8).") from error
