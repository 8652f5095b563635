"""What the package is to LlamaIndex."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path


def test_the_package_does_not_pretend_to_be_llamaindex() -> None:
    """Programs look whether `llama_index` is there, and then import what only core has."""
    files = importlib.metadata.files("localmix") or ()
    assert files
    assert not [path for path in files if path.parts[0] == "llama_index"]
    assert not (Path(__file__).parents[2] / "llama_index").exists()
