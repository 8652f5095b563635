"""What a page says lasts is there when the program runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of
from tests.docs.machine import Machine

pytestmark = pytest.mark.exhaustive

RAG, AGENTS = (ROOT / "docs" / "howto" / name for name in ("rag.md", "agents.md"))


@pytest.mark.parametrize(
    ("page", "number", "kept"), [(RAG, 0, "town.json"), (RAG, 1, "town/default__vector_store.json")]
)
def test_a_store_is_written_once(page: Path, number: int, kept: str, machine: Machine) -> None:
    block = blocks_of(page, "python")[number]
    program = machine.python_file(block.text)
    first = machine.run(str(program))
    written = (machine.folder / kept).stat().st_mtime_ns
    again = machine.run(str(program))
    assert (machine.folder / kept).stat().st_mtime_ns == written
    assert first.stdout == again.stdout
    assert block.printed == f"{again.stdout}\n"


@pytest.mark.parametrize("page", [AGENTS])
def test_a_conversation_goes_on(page: Path, machine: Machine) -> None:
    pytest.importorskip("langgraph.checkpoint.sqlite")
    program = machine.python_file(blocks_of(page, "python")[1].text)
    said = [machine.run(str(program)).stdout for _ in range(2)]
    assert said == ["2 messages\n", "4 messages\n"]
