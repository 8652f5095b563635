"""What embedding models want to read before a query and before a text."""

from __future__ import annotations

from typing import Literal

Family = Literal["nomic", "e5", "bge", "mxbai", "qwen3-embedding", "embeddinggemma"]

_QWEN_TASK = "Given a web search query, retrieve relevant passages that answer the query"
# As the model cards have them, to the last space: (before a query, before a text).
PRESETS: dict[Family, tuple[str, str]] = {
    "nomic": ("search_query: ", "search_document: "),
    "e5": ("query: ", "passage: "),
    "bge": ("Represent this sentence for searching relevant passages: ", ""),
    "mxbai": ("Represent this sentence for searching relevant passages: ", ""),
    "qwen3-embedding": (f"Instruct: {_QWEN_TASK}\nQuery:", ""),
    "embeddinggemma": ("task: search result | query: ", "title: none | text: "),
}


def prefix_of(instruction: str | None) -> str:
    """Give an instruction as it is put before a text: with a space after it, as is the custom."""
    if not instruction or instruction[-1].isspace():
        return instruction or ""
    return f"{instruction} "
