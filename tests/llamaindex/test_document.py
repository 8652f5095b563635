"""The document runs as it stands; tiny models answer to the names of large ones."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core import Settings

from tests.markdown import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "llamaindex.md"
NAMES = {"qwen3:8b": "localmix-tiny", "nomic-embed-text": "localmix-tiny-embed"}


@pytest.fixture
def _settings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("llama_index.core.global_tokenizer", None)
    yield
    Settings._llm = Settings._embed_model = Settings._prompt_helper = None
    Settings._callback_manager = None


# LlamaIndex looks at its own fields in ways of old.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("engine_alone", "_settings_are_forgotten")
def test_the_document_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_ALIASES", json.dumps(NAMES))
    assert run(DOCUMENT)


def test_the_package_does_not_pretend_to_be_llamaindex() -> None:
    """Programs look whether `llama_index` is there, and then import what only core has."""
    files = importlib.metadata.files("localmix") or ()
    assert files
    assert not [path for path in files if path.parts[0] == "llama_index"]
    assert not (DOCUMENT.parents[1] / "llama_index").exists()
