"""`localmix config`: each setting, its value, and where it came from."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import SecretStr

from localmix.cli.arguments import Json
from localmix.cli.output import write_json, write_table
from localmix.settings import ServerConfig, Settings

All = Annotated[bool, typer.Option("--all", "-a", help="Show also what nobody has set.")]


def config(everything: All = False, as_json: Json = False) -> None:
    """Show the settings and where each came from; secrets are not shown."""
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
