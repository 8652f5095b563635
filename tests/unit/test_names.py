"""Names: which two are certainly the same model. No false join; few that are missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localmix.types.names import (
    canonical,
    identity_of,
    looks_like_embedding,
    nearest,
    same_model,
    split_pin,
)
from tests.unit.model_names import HOSTILE, MODELS


def _rows() -> list[tuple[str, list[str], list[str]]]:
    return [
        (size, ollama.split(), [name.removesuffix("+") for name in lmstudio.split()])
        for size, ollama, lmstudio in MODELS
    ]


def joined(one: str, one_size: str, other: str, other_size: str) -> bool:
    return same_model(identity_of(one), identity_of(other), one_size, other_size)


def _allowed(one: str, other: str) -> bool:
    """Two quantizations of one model are not interchangeable when both are named."""
    named = (identity_of(one).quantization, identity_of(other).quantization)
    return not all(named) or named[0] == named[1]


TRUE = [
    (one, size, other)
    for size, ollama, lmstudio in _rows()
    for one in ollama
    for other in lmstudio
    if _allowed(one, other)
]
FALSE = [
    (one, size, other, other_size)
    for row, (size, ollama, _) in enumerate(_rows())
    for other_row, (other_size, _, lmstudio) in enumerate(_rows())
    if row != other_row
    for one in ollama
    for other in lmstudio
]


def test_no_pair_is_joined_falsely() -> None:
    assert len(FALSE) > 5000
    for one, size, other, other_size in FALSE:
        for sizes in ((size, other_size), ("", ""), (size, ""), ("", other_size)):
            assert not joined(one, sizes[0], other, sizes[1]), (one, other)
            assert not joined(other, sizes[1], one, sizes[0]), (one, other)


@pytest.mark.parametrize(("one", "other"), HOSTILE)
def test_the_closest_pairs_are_not_joined(one: str, other: str) -> None:
    assert not joined(one, "", other, "")
    assert not joined(other, "", one, "")


def test_true_pairs_are_found() -> None:
    assert len(TRUE) >= 60
    missed = [pair for pair in TRUE if not joined(pair[0], pair[1], pair[2], pair[1])]
    assert len(missed) <= 0.05 * len(TRUE), missed


def test_what_is_known_to_be_missed_is_still_missed() -> None:
    """Take the mark off when it is found."""
    for size, ollama, lmstudio in MODELS:
        for other in lmstudio.split():
            if other.endswith("+"):
                for one in ollama.split():
                    assert not joined(one, size, other.removesuffix("+"), size)


def test_names_and_facts_that_disagree_are_not_joined() -> None:
    assert joined("qwen3:8b", "8.2B", "qwen/qwen3-8b", "8B")
    assert not joined("qwen3:8b", "14.8B", "qwen/qwen3-8b", "8B")
    assert not joined("qwen3:8b", "8.2B", "qwen/qwen3-8b", "4B")


def test_a_size_that_only_the_server_tells() -> None:
    assert joined("phi4:14b", "14.7B", "microsoft/phi-4", "14B")
    assert not joined("phi4:14b", "14.7B", "microsoft/phi-4", "")


def test_what_stands_in_the_reason() -> None:
    assert str(identity_of("qwen2.5-coder:7b")) == "qwen 2.5 7b coder instruct"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("llama3.2:latest", "llama3.2"),
        ("Qwen3:8B", "qwen3:8b"),
        ("library/llama3.2", "llama3.2"),
        ("registry.ollama.ai/library/llama3.2:latest", "llama3.2"),
        ("hf.co/bartowski/X-GGUF:Q4_K_M", "bartowski/x-gguf:q4_k_m"),
    ],
)
def test_canonical(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("ollama/qwen3:8b", ("ollama", "qwen3:8b")),
        ("lmstudio/qwen/qwen3-8b", ("lmstudio", "qwen/qwen3-8b")),
        ("big-box/tiny", ("big-box", "tiny")),
        ("ollama", ("", "ollama")),
        ("ollama/", ("", "ollama/")),
    ],
)
def test_split_pin(name: str, split: tuple[str, str]) -> None:
    assert split_pin(name) == split


def test_nearest_names_come_first() -> None:
    assert nearest("quen3", ["nomic-embed-text", "qwen3:8b", "llama3"])[0] == "qwen3:8b"


EMBEDS = (
    "qwen3-embedding:0.6b bge-m3 text-embedding-x all-minilm:33m intfloat/e5-large gte-qwen2-7b"
)
CHATS = "gemma3n:e4b bge-reranker-v2-m3 qwen3:8b gemma3:e5b"


@pytest.mark.parametrize("name", EMBEDS.split())
def test_a_name_says_that_a_model_embeds(name: str) -> None:
    assert looks_like_embedding(name)


@pytest.mark.parametrize("name", CHATS.split())
def test_a_name_that_does_not_say_so(name: str) -> None:
    assert not looks_like_embedding(name)


@given(st.text(), st.text(), st.text())
def test_no_name_is_too_odd(name: str, other: str, size: str) -> None:
    same_model(identity_of(name), identity_of(other), size, "1.2.3B")
    nearest(name, [other])
    looks_like_embedding(name)
