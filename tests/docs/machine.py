"""The machine of a reader: two models, and a folder where the programs of a page run.

The tiny models have the names there that the pages use. They are served by the embedded engine, or
by the proxy, which looks like Ollama.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localmix.pytest.server import serving
from tests.conftest import TINY_MODELS
from tests.docs.blocks import ROOT, blocks_of

NAMES = {"qwen3:8b": "localmix-tiny", "nomic-embed-text": "localmix-tiny-embed"}
OLLAMA = "http://127.0.0.1:11434"


@dataclass(frozen=True)
class Machine:
    """Where the programs of a reader run.

    Attributes:
        folder: The working folder.
        models: The folder with the models.
        ollama: The address of what looks like Ollama.
    """

    folder: Path
    models: Path
    ollama: str

    def save_files(self, page: Path) -> None:
        """Save what the page says is to be saved."""
        for block in blocks_of(page, "python"):
            if block.file:
                self._write(block.file, block.text)

    def python(self, program: str, file: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program; the usual address of Ollama in it is that of this machine."""
        return self.run(sys.executable, str(self._write(file or "program.py", program)))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """Say which variables its programs have."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "shared", ROOT, TINY_MODELS))),
            "PYTHONWARNINGS": "ignore",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "pytest_localmix",
            "CI": "",
            "LOCAL_MODELS_PATH": str(self.models),
            "USE_OLLAMA": "false",
            "USE_LM_STUDIO": "false",
        }

    def _write(self, file: str, text: str) -> Path:
        path = self.folder / file
        path.write_text(text.replace(OLLAMA, self.ollama))
        return path


class WithOllama(Machine):
    """A machine whose programs find Ollama, and no engine."""

    def environment(self) -> dict[str, str]:
        """Name the server: a proxy on this machine that nobody named is left out."""
        engine = super().environment()
        return {**engine, "LOCAL_MODELS_PATH": "", "LOCALMIX_SERVERS": self.ollama}


@contextmanager
def models_served(folder: Path) -> Iterator[str]:
    """Put the models into a folder, serve them, and give the address."""
    for name, tiny in NAMES.items():
        (folder / f"{name}.gguf").symlink_to(TINY_MODELS / f"{tiny}.gguf")
    with serving(folder) as server:
        yield server.url
