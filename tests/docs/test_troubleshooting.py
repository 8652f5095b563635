"""What the page on trouble quotes is what localmix says, and its commands are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from localmix.cli.app import app
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| what you see")
]
QUOTED = [seen.strip("`") for seen, *_ in ROWS if re.fullmatch(r"`[^`]+ [^`]+`", seen)]
COMMANDS = sorted({name for row in ROWS for name in re.findall(r"`localmix ([a-z]+)", str(row))})
# A text of fewer letters would be like any sentence.
LETTERS = 8


@cache
def said() -> tuple[re.Pattern[str], ...]:
    """Give what localmix can say: each text of its code, with anything where values stand."""
    files = (ROOT / "shared" / "localmix").rglob("*.py")
    return tuple(pattern for path in files for pattern in _texts(path))


def _texts(path: Path) -> Iterator[re.Pattern[str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        template = _template(node).strip()
        if len(re.findall(r"[a-z]", template)) >= LETTERS:
            yield re.compile(re.escape(template).replace(re.escape("\0"), ".+"))


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) or "\0" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sd]", "\0", node.value)
    return ""


def is_ours(sentence: str) -> bool:
    return any(pattern.fullmatch(sentence) for pattern in said())


@pytest.mark.parametrize("sentence", QUOTED)
def test_a_sentence_is_one_of_ours(sentence: str) -> None:
    assert is_ours(sentence)


def test_no_other_sentence_is() -> None:
    assert not is_ours("The moon is full at http://127.0.0.1:1234.")
    assert not is_ours("No server holds the moon 'qwen3:8b'.")
    assert not is_ours("qwen3:8b is on the moon.")


def test_most_rows_quote_a_sentence() -> None:
    assert len(QUOTED) > len(ROWS) / 2
    assert all(len(row) == 3 for row in ROWS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_of_ours(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
