"""Run the Python of a document, and compare what it prints with what the document says.

Blocks of one document run in their order and share their names; `await` works at the top level. A
`text` block right behind a `python` block is what that block prints, to the letter.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Hold some code, what it should print (`None`: not said), and the line before it."""

    code: str
    printed: str | None
    line: int


def blocks_in(text: str) -> Iterator[Block]:
    """Find the Python blocks of a document."""
    for found in _BLOCK.finditer(text):
        line = text[: found.start("code")].count("\n")
        yield Block(found["code"], found["printed"], line)


def run(document: Path) -> int:
    """Run a document, and tell how many blocks it has.

    Raises:
        AssertionError: A block prints something else than the document says.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = list(blocks_in(document.read_text()))
    with asyncio.Runner() as runner:
        for block in blocks:
            printed = _run(block, document, names, runner)
            where = f"{document.name}, line {block.line + 1}"
            assert block.printed in (None, _ended(printed)), f"{where}: it prints {printed!r}"
    return len(blocks)


def _run(block: Block, document: Path, names: dict[str, Any], runner: asyncio.Runner) -> str:
    # Empty lines before it let tracebacks show the line of the document.
    code = compile(
        "\n" * block.line + block.code,
        str(document),
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    printed = io.StringIO()
    with redirect_stdout(printed):
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(_awaited(code, names))
        else:
            exec(code, names)
    return printed.getvalue()


def _ended(printed: str) -> str:
    """End the last line, as every line of a document ends."""
    return printed if printed.endswith("\n") else printed + "\n"


async def _awaited(code: Any, names: dict[str, Any]) -> None:
    await eval(code, names)
