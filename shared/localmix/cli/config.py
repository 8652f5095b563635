"""`localmix config`: each setting, its value, and where it came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from localmix.cli import own_file
from localmix.cli.arguments import Json
from localmix.cli.output import say, write_json, write_table
from localmix.errors import ConfigError
from localmix.settings import ServerConfig, Settings
from localmix.settings.files import folder_files
from localmix.settings.trust import needing_trust, trust

All = Annotated[bool, typer.Option("--all", "-a", help="Show the defaults too.")]


class Action(StrEnum):
    """What can be done beside showing."""

    GET = "get"
    SET = "set"
    PATH = "path"
    EDIT = "edit"
    TRUST = "trust"


What = Annotated[
    Action | None,
    typer.Argument(
        help="`get NAME`; `set NAME VALUE` in your own file, or no VALUE to restore the default;"
        " `path` of that file; `edit` it; `trust` the files of this folder."
    ),
]
Words = Annotated[list[str] | None, typer.Argument(metavar="[NAME] [VALUE]...")]


def config(
    action: What = None, words: Words = None, everything: All = False, as_json: Json = False
) -> None:
    """Show the settings and where each came from, or change them; secrets are not shown."""
    name, *values = words or ("",)
    if action in (Action.GET, Action.SET) and not name:
        raise ConfigError("Which setting?", hint="localmix config --all lists them.")
    match action:
        case Action.GET:
            _get(name, as_json=as_json)
        case Action.SET:
            _set(name, values)
        case Action.PATH:
            say(str(own_file.path()), is_command=True)
        case Action.EDIT:
            own_file.edit()
        case Action.TRUST:
            _trust(as_json=as_json)
        case None:
            _show(everything=everything, as_json=as_json)


def _show(*, everything: bool, as_json: bool) -> None:
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


def _get(name: str, *, as_json: bool) -> None:
    own_file.check(name)
    value = _shown(getattr(Settings.load(), name))
    if as_json:
        write_json(value)
    else:
        say(_text(value), is_command=True)


def _set(name: str, values: list[str]) -> None:
    own_file.change(name, values)
    settings = Settings.load()
    source = settings.sources[name]
    if source == "default":
        say(f"{name} is as by default: {_shown_of(settings, name)}", is_command=True)
        return
    say(f"{name} is {_shown_of(settings, name)} ({source}).", is_command=True)
    if values and source != str(own_file.path()):
        say(f"It was written to {own_file.path()}, but {source} overrides it.")


def _trust(*, as_json: bool) -> None:
    """Trust the files of this folder, and say what they may do from now on."""
    allowed = {str(file.path): needing_trust(file) for file in folder_files()}
    if not allowed:
        raise ConfigError("This folder has no settings that need to be trusted.")
    for file in folder_files():
        trust(file)
    if as_json:
        write_json(allowed)
        return
    settings = Settings.load()
    for path, names in allowed.items():
        say(f"{path} is trusted until it changes.")
        for name in names:
            is_beaten = settings.sources.get(name) != path
            value = "a stronger source overrides it" if is_beaten else _shown_of(settings, name)
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
