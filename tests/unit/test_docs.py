"""What the documents say of the settings is what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from localmix.settings import ServerConfig, Settings
from localmix.settings.sources import variables

DOCS = Path(__file__).parents[2] / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text()


def _rows(heading: str) -> dict[str, list[str]]:
    """Read the table under a heading: the first column in backticks, then the others."""
    section = CONFIGURATION.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" |")] for name, rest in rows}


def _written(model: type[BaseModel], name: str) -> set[str]:
    """Say how a default may be written."""
    default: Any = model.model_fields[name].default
    return {f"`{default!r}`"} if default or default is False else {"none", "host and port"}


def test_every_setting_has_its_row_variables_and_default() -> None:
    rows = _rows("Settings")
    assert list(rows) == list(Settings.model_fields)
    for name, (listed, default, meaning) in rows.items():
        assert re.findall(r"`(\w+)`", listed) == list(variables(name))
        assert default in _written(Settings, name)
        assert meaning.endswith(".")


def test_every_field_of_a_server_has_its_row_and_default() -> None:
    rows = _rows("A server")
    assert list(rows) == list(ServerConfig.model_fields)
    for name, (default, _) in rows.items():
        assert name == "url" or default in _written(ServerConfig, name)


def test_the_file_that_is_shown_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIGURATION.split("```toml\n")[1].split("```")[0]
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".config" / "localmix" / "localmix.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    settings = Settings.load()
    assert settings.servers[1].label == "gpu"
    assert settings.aliases == {"small": tuple(tomllib.loads(text)["aliases"]["small"])}
