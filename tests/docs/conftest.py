"""The machines that the pages are tried on; the tiny models have the names that pages use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localmix.pytest.server import serving
from tests.conftest import TINY_MODELS
from tests.docs.machine import Machine
from tests.lmstudio import LMStudio
from tests.loopback import LoopbackServer

NAMES = {"qwen3:8b": "localmix-tiny", "nomic-embed-text": "localmix-tiny-embed"}
# These pages show what the embedded engine cannot do.
ON_OLLAMA = {"client.md", "models.md"}
WITH_EYES = {"images.md"}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the models."""
    folder = tmp_path_factory.mktemp("models")
    for name, tiny in NAMES.items():
        (folder / f"{name}.gguf").symlink_to(TINY_MODELS / f"{tiny}.gguf")
    return folder


@pytest.fixture(scope="session")
def ollama(models: Path) -> Iterator[str]:
    """Serve the models by the proxy, which looks like Ollama, and give its address."""
    with serving(models) as server:
        yield server.url


@pytest.fixture
def machine(
    page: Path,
    tmp_path: Path,
    models: Path,
    ollama: str,
    start: Callable[[LoopbackServer], LoopbackServer],
) -> Machine:
    """Give the machine that a page is about, and what it asks for."""
    addresses = {
        "http://127.0.0.1:11434": ollama,
        "http://gpu-box:11434": ollama.replace("127.0.0.1", "localhost"),
    }
    variables = {"LOCAL_MODELS_PATH": str(models)}
    if page.name in ON_OLLAMA:
        # A proxy on this machine is left out unless it is named.
        variables = {"LOCALMIX_SERVERS": ollama}
    if page.name in WITH_EYES:
        seeing = start(LMStudio(vision=True))
        aliases = json.dumps({"qwen2.5vl:7b": "localmix-tiny"})
        variables = {"LOCALMIX_SERVERS": seeing.url, "LOCALMIX_ALIASES": aliases}
    machine = Machine(tmp_path, addresses, variables)
    machine.prepare(page)
    return machine
