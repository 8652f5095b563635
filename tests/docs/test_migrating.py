"""The tables of the pages on migrating, word by word: what peers take, and what we take."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

import pytest

import langchain_localmix
import llamaindex_localmix
import localmix
from localmix.types.arguments import Elsewhere
from tests.docs.blocks import ROOT

PEERS = {
    "ChatOllama": "langchain_ollama",
    "OllamaLLM": "langchain_ollama",
    "OllamaEmbeddings": "langchain_ollama",
    "ChatOpenAI": "langchain_openai",
    "OpenAIEmbeddings": "langchain_openai",
    "Ollama": "llama_index.llms.ollama",
    "LMStudio": "llama_index.llms.lmstudio",
    "OpenAILike": "llama_index.llms.openai_like",
    "OllamaEmbedding": "llama_index.embeddings.ollama",
    "OpenAILikeEmbedding": "llama_index.embeddings.openai_like",
}
# Arguments of the frameworks' own base classes, which both have.
COMMON = ("langchain_core", "llama_index.core")


@dataclass
class Table:
    """A table of a page: what a peer's words are here."""

    peer: str
    ours: type[Any]
    rows: list[tuple[list[str], str]]

    def __str__(self) -> str:
        return self.peer


def tables() -> list[Table]:
    """Read the tables of all pages whose heads name two classes."""
    pages = sorted((ROOT / "docs" / "migrate").glob("*.md"))
    found = [
        re.findall(r"^\| `(\w+)` \| `(\w+)` \|\n\|---\|---\|\n((?:\|.*\n)+)", page, re.MULTILINE)
        for page in (path.read_text() for path in pages)
    ]
    return [Table(peer, _ours(ours), _rows(rows)) for page in found for peer, ours, rows in page]


def _ours(name: str) -> type[Any]:
    package = langchain_localmix if hasattr(langchain_localmix, name) else llamaindex_localmix
    kind: type[Any] = getattr(package, name)
    return kind


def _rows(text: str) -> list[tuple[list[str], str]]:
    cells = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return [(re.findall(r"`(\w+)`", left), right) for left, right in cells]


def parameters(kind: type[Any]) -> set[str]:
    """List what a class takes, by name and by alias, without what its framework gives all."""
    fields: dict[str, Any] = getattr(kind, "model_fields", {})
    named = {*fields, *(field.alias for field in fields.values() if field.alias)}
    named |= set(inspect.signature(kind.__init__).parameters)
    common = {
        name
        for base in kind.__mro__
        if base is not kind and base.__module__.startswith(COMMON)
        for name in getattr(base, "model_fields", {})
    }
    return named - common - {"self", "args", "kwargs", "data"}


TABLES = tables()


def test_every_peer_has_a_table() -> None:
    assert {table.peer for table in TABLES} == set(PEERS)


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_the_words_on_the_left_are_those_of_the_peer(table: Table) -> None:
    module = pytest.importorskip(PEERS[table.peer])
    told = {word for words, _ in table.rows for word in words}
    kind = getattr(module, table.peer)
    assert parameters(kind) <= told
    assert told <= {*kind.model_fields, *parameters(kind)}


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_the_words_on_the_right_are_ours(table: Table) -> None:
    known = {*table.ours._own_names(), *dir(table.ours), *dir(localmix), *dir(localmix.Client)}
    known |= {"localmix", "PydanticProgramMode", "ChatLocalMix", "OPENAI_API_KEY"}
    for _, right in table.rows:
        written = re.findall(r"`([A-Za-z_]\w*)(?=[`=(.\[])", right)
        assert set(written) - {"True", "False"} <= known, right


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_each_row_says_what_the_code_does(table: Table) -> None:
    for words, right in table.rows:
        for word in words:
            if word in table.ours._own_names():
                assert right.startswith("the same") or f"`{word}" in right, word
            else:
                meant = table.ours.also_called[word]
                agree = _hint_agrees if isinstance(meant, Elsewhere) else _names_ours
                assert agree(meant, right), (word, meant, right)


def _names_ours(meant: Any, right: str) -> bool:
    return f"`{meant.own}" in right


def _hint_agrees(meant: Any, right: str) -> bool:
    """Both say to leave it out, or both name the same word to use."""
    shared = {"leave", "ask", "name"} & set(right.lower().split()) & set(meant.hint.lower().split())
    written = set(re.findall(r"\w+", " ".join(re.findall(r"`(.*?)`", right))))
    return bool(shared or written & set(re.findall(r"\w+", meant.hint)))


def test_pages_name_modules_that_there_are() -> None:
    for page in (ROOT / "docs" / "migrate").glob("*.md"):
        for module, name in re.findall(r"was: from ([\w.]+) import (\w+)", page.read_text()):
            assert hasattr(pytest.importorskip(module), name)
