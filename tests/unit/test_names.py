"""Names: what is certainly the same model, and nothing else."""

from __future__ import annotations

import pytest

from localmix.names import is_named, nearest, split_pin
from localmix.types import ModelInfo


@pytest.mark.parametrize(
    ("held", "asked", "same"),
    [
        ("qwen3:8b", "qwen3:8b", True),
        ("qwen3:8b", "Qwen3:8B", True),
        ("llama3.2:latest", "llama3.2", True),
        ("llama3.2:latest", "library/llama3.2:latest", True),
        ("qwen3:8b", "qwen3", False),
        ("qwen3:8b", "qwen3:14b", False),
        ("qwen/qwen3-8b", "qwen3-8b", False),
        ("qwen3-8b@q4_k_m", "qwen3-8b", False),
    ],
)
def test_is_named(held: str, asked: str, *, same: bool) -> None:
    assert is_named(ModelInfo(name=held, server="s", kind="ollama"), asked) is same


def test_a_loaded_instance_answers_to_its_own_name() -> None:
    model = ModelInfo(name="qwen/qwen3-8b", server="s", kind="lmstudio", aliases=("my-qwen",))
    assert is_named(model, "my-qwen")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("ollama/qwen3:8b", ("ollama", "qwen3:8b")),
        ("lmstudio/qwen/qwen3-8b", ("lmstudio", "qwen/qwen3-8b")),
        ("embedded/tiny", ("embedded", "tiny")),
        ("qwen/qwen3-8b", (None, "qwen/qwen3-8b")),
        ("ollama", (None, "ollama")),
        ("ollama/", (None, "ollama/")),
    ],
)
def test_split_pin(name: str, split: tuple[str | None, str]) -> None:
    assert split_pin(name) == split


def test_nearest_names_come_first() -> None:
    assert nearest("quen3", ["nomic-embed-text", "qwen3:8b", "llama3"])[0] == "qwen3:8b"
