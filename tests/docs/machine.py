"""The machine of a reader: where the models are, and a folder where programs run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import TINY_MODELS
from tests.docs.blocks import ROOT, blocks_of

PHOTO = ROOT / "docs" / "images" / "page-390.png"


@dataclass(frozen=True)
class Machine:
    """Where the programs of a reader run.

    Attributes:
        folder: The working folder.
        addresses: Where what a page calls by its usual address is here.
        variables: The environment that says where the models are.
    """

    folder: Path
    addresses: Mapping[str, str]
    variables: Mapping[str, str]

    def prepare(self, page: Path) -> None:
        """Save the files that the page says are to be saved, and a photo."""
        (self.folder / "photo.png").write_bytes(PHOTO.read_bytes())
        for block in blocks_of(page, "python"):
            if block.file:
                self.python_file(block.text, block.file)

    def python_file(self, text: str, name: str = "program.py") -> Path:
        """Save a program."""
        file = self.folder / name
        file.write_text(self._here(text))
        return file

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell that begins with a command of Python's."""
        return self.run("-m", *shlex.split(self._here(line), comments=True))

    def environment(self) -> dict[str, str]:
        """Say which variables the programs have."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "shared", ROOT, TINY_MODELS))),
            "PYTHONWARNINGS": "ignore",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "pytest_localmix",
            "CI": "",
            "USE_OLLAMA": "false",
            "USE_LM_STUDIO": "false",
            **self.variables,
        }

    def _here(self, text: str) -> str:
        for usual, here in self.addresses.items():
            text = text.replace(usual, here)
        return text
