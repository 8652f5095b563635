"""The fenced blocks of a page, and what the page says of each.

A `text` block right behind a block is what that block prints. A comment right above a block is for
the tests: `<!-- not run: REASON -->`, or `<!-- needs: MODULE -->`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TOGETHER = "The blocks of this page build on one another"
_BLOCK = re.compile(
    r"^(?:<!-- (?P<word>not run|needs): (?P<said>[^\n]+) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```\n"
    r"(?:\n*```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: Where it stands.
        language: The word after the fence.
        text: What stands between the fences.
        line: How many lines of the page stand before it.
        printed: What it prints; `None` where the page does not say.
        not_run: Why no test runs it; empty if one does.
        needs: A module without which it cannot run; empty if there is none.
    """

    page: Path
    language: str
    text: str
    line: int
    printed: str | None
    not_run: str
    needs: str

    @property
    def file(self) -> str:
        """The name of the file that it is to be saved as, from a first line such as `# app.py`."""
        found = re.match(r"# ([\w.-]+\.py)\n", self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line + 1}"


def blocks_of(page: Path, *languages: str) -> list[Block]:
    """List the blocks of a page in these languages, or all of them."""
    text = page.read_text()
    blocks = [
        Block(
            page=page,
            language=found["language"],
            text=found["text"],
            line=text[: found.start("text")].count("\n"),
            printed=found["printed"],
            not_run=found["said"] if found["word"] == "not run" else "",
            needs=found["said"] if found["word"] == "needs" else "",
        )
        for found in _BLOCK.finditer(text)
    ]
    return [block for block in blocks if not languages or block.language in languages]


def programs_of(page: Path) -> list[list[Block]]:
    """List what is run in one process: a block, or all of a page that says so."""
    blocks = blocks_of(page, "python")
    if TOGETHER not in page.read_text():
        return [[block] for block in blocks]
    run = [block for block in blocks if not block.not_run]
    return [run, *([block] for block in blocks if block.not_run)]
