"""Two tiny models for tests, as files: a chat model and an embedding model."""

from __future__ import annotations

from pathlib import Path


def path() -> Path:
    """Give the folder with `localmix-tiny.gguf` and `localmix-tiny-embed.gguf`."""
    here = Path(__file__).parent
    is_installed = (here / "localmix-tiny.gguf").exists()
    return here if is_installed else here.parent
