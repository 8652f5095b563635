"""What the page of the client shows is what type checkers accept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "client.md"


def test_the_examples_pass_a_type_checker(tmp_path: Path) -> None:
    files = []
    for block in blocks_of(PAGE, "python"):
        files.append(tmp_path / f"line_{block.line}.py")
        files[-1].write_text(block.text)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
