"""`localmix config`: each setting, its value, and where it came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from localmix.cli.arguments import Json
from localmix.cli.output import say, write_json, write_table
from localmix.errors import ConfigError
from localmix.settings import ServerConfig, Settings
from localmix.settings.files import folder_files
from localmix.settings.trust import needing_trust, trust

All = Annotated[bool, typer.Option("--all", "-a", help="Show also what nobody has set.")]


class Action(StrEnum):
    """What can be done beside showing."""

    TRUST = "trust"


What = Annotated[
    Action | None,
    typer.Argument(help="`trust`: let the files of this folder say everything, as they are now."),
]


def config(action: What = None, everything: All = False, as_json: Json = False) -> None:
    """Show the settings and where each came from; secrets are not shown."""
    if action:
        _trust(as_json=as_json)
        return
    settings = Settings.load()
    sources = settings.sources
    values = {name: _shown(getattr(settings, name)) for name in sources}
    if as_json:
        write_json(
            {name: {"value": values[name], "source": source} for name, source in sources.items()}
        )
        return
    rows = [
        (name, _text(values[name]), source)
        for name, source in sources.items()
        if everything or source != "default"
    ]
    rows = rows or [("-", "nothing is set", "localmix config --all shows the defaults")]
    write_table(("SETTING", "VALUE", "SOURCE"), rows)


def _trust(*, as_json: bool) -> None:
    """Trust the files of this folder, and say what they may do from now on."""
    allowed = {str(file.path): needing_trust(file) for file in folder_files()}
    if not allowed:
        raise ConfigError("There are no settings in this folder that could be trusted.")
    for file in folder_files():
        trust(file)
    if as_json:
        write_json(allowed)
        return
    settings = Settings.load()
    for path, names in allowed.items():
        say(f"{path} is trusted until it says something else.")
        for name in names:
            is_beaten = settings.sources.get(name) != path
            value = "a stronger source says otherwise" if is_beaten else _shown_of(settings, name)
            say(f"  {name}: {value}")


def _shown_of(settings: Settings, name: str) -> str:
    return _text(_shown(getattr(settings, name)))


def _shown(value: Any) -> Any:
    """Make a value fit for JSON, without its secrets."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, ServerConfig):
        return value.url
    if isinstance(value, tuple | list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) or "-"
    return str(value)
