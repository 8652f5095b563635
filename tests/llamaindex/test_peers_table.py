"""What the document and the package say of LlamaIndex."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms import LLM

from tests.llamaindex.test_peers import embedding_peers, peers

DOCUMENT = Path(__file__).parents[2] / "docs" / "llamaindex.md"


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
