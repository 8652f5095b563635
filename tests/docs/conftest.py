"""The machine that the pages are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.machine import Machine, WithOllama, models_served

# These pages show what the embedded engine cannot do.
ON_OLLAMA = {"client.md", "models.md"}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with the models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def ollama(models: Path) -> Iterator[str]:
    """Serve the models for the session."""
    with models_served(models) as url:
        yield url


@pytest.fixture
def machine(tmp_path: Path, models: Path, ollama: str, page: Path) -> Machine:
    """Give the machine that a page is about."""
    kind = WithOllama if page.name in ON_OLLAMA else Machine
    return kind(tmp_path, models, ollama)
