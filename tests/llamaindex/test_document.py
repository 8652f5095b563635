"""The document runs as it stands; tiny models answer to the names of large ones."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms import LLM

from tests.llamaindex.test_peers import embedding_peers, peers
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


def test_every_argument_of_the_peers_stands_in_the_tables() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    told = {word for row in rows for word in re.findall(r"`(\w+)[`=]", row)}
    for peer in (*peers(), *embedding_peers()):
        base: Any = LLM if issubclass(peer, LLM) else BaseEmbedding
        named = {*peer.model_fields, *inspect.signature(peer.__init__).parameters}
        assert named - {*base.model_fields, "self", "args", "kwargs"} <= told, peer


def test_the_package_does_not_pretend_to_be_llamaindex() -> None:
    """Programs look whether `llama_index` is there, and then import what only core has."""
    files = importlib.metadata.files("localmix") or ()
    assert files
    assert not [path for path in files if path.parts[0] == "llama_index"]
    assert not (DOCUMENT.parents[1] / "llama_index").exists()
