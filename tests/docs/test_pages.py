"""Every block of every page is whole: it runs as it stands, in a process of its own."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.docs.blocks import PAGES, ROOT, Block, blocks_of, programs_of
from tests.docs.machine import Machine

pytestmark = pytest.mark.slow

END_OF_BLOCK = "\0"
TRANSCRIPT = ROOT / "docs" / "cli.md"  # tests/cli runs it
# What `make test` runs too: a process for each block of all pages takes minutes.
FIRST = [
    ROOT / name
    for name in ("README.md", "docs/client.md", "docs/langchain.md", "docs/llamaindex.md")
]
PARSERS: dict[str, Callable[[str], Any]] = {
    "toml": tomllib.loads,
    "json": json.loads,
    "yaml": yaml.safe_load,
    "xml": lambda text: ET.fromstring(text.encode()),
    "ini": lambda text: configparser.ConfigParser(interpolation=None).read_string(text),
}
LANGUAGES = {"python", "console", "sh", "text", "dockerfile", *PARSERS}

PROGRAMS = [program for page in PAGES for program in programs_of(page)]
SESSIONS = [b for page in PAGES if page != TRANSCRIPT for b in blocks_of(page, "console")]


def on_page(*blocks: Block) -> Any:
    """Give the parameters of a test that runs blocks of one page."""
    page = blocks[0].page
    marks = () if page in FIRST else pytest.mark.exhaustive
    return pytest.param(list(blocks), page, id=str(blocks[0]), marks=marks)


@pytest.mark.parametrize(("program", "page"), [on_page(*program) for program in PROGRAMS])
def test_a_program_runs(program: list[Block], machine: Machine) -> None:
    skip_what_cannot_run(program)
    file = machine.python_file(written(program), program[0].file or "program.py")
    done = machine.run(str(file))
    assert done.returncode == 0, done.stderr
    for block, printed in zip(program, done.stdout.split(END_OF_BLOCK), strict=False):
        assert block.printed in (None, printed.rstrip("\n") + "\n"), str(block)


@pytest.mark.parametrize(("session", "page"), [on_page(block) for block in SESSIONS])
def test_what_is_typed_into_a_shell_works(session: list[Block], machine: Machine) -> None:
    skip_what_cannot_run(session)
    shown = re.split(r"^\$ ", session[0].text, flags=re.MULTILINE)[1:]
    for command, _, output in (each.partition("\n") for each in shown):
        assert command.startswith(("localmix ", "pytest ")), f"{session[0]}: why is it not run?"
        done = machine.shell(command)
        assert done.returncode == 0, done.stdout + done.stderr
        assert numberless(output) in ("", numberless(done.stdout))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_nothing_that_is_not_tried(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in LANGUAGES, str(block)
        assert block.language != "sh" or block.not_run or is_install(block.text), str(block)
        PARSERS.get(block.language, str)(block.text)
    assert not re.search(r"\n\n    ", outside(page)), "a block without a fence"
    assert len(re.findall(r"^```\w+$", page.read_text(), re.MULTILINE)) == sum(
        1 + (block.printed is not None) for block in blocks_of(page)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_extras_that_are_installed_are_there(page: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"(?:localmix|\.)\[([\w,-]+)\]\"", page.read_text())
    assert set(",".join(named).split(",")) - {""} <= set(extras["optional-dependencies"])


def is_install(text: str) -> bool:
    """Tell whether nothing but packages is fetched, which no test does."""
    return all(line.startswith("pip install ") for line in text.splitlines())


def outside(page: Path) -> str:
    """Give what stands outside the fences of a page."""
    return "".join(page.read_text().split("\n```")[::2])


def skip_what_cannot_run(blocks: list[Block]) -> None:
    for block in blocks:
        if block.not_run:
            pytest.skip(block.not_run)
        if block.needs and not find_spec(block.needs):
            pytest.skip(f"{block.needs} is not installed")


def written(program: list[Block]) -> str:
    """Write a program whose lines have the numbers that they have in the page."""
    lines: list[str] = []
    for block in program:
        lines += [""] * (block.line - len(lines))
        lines += [*block.text.splitlines(), f"print(end={END_OF_BLOCK!r}, flush=True)"]
    return "\n".join(lines) + "\n"


def numberless(text: str) -> str:
    """Leave out what is another thing each time: numbers, and so the spaces."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*", "0", text)).strip()
