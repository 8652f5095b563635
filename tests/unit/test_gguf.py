"""The head of a GGUF file, and files that are none."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from localmix.embedded.gguf import read_head
from localmix.errors import ModelCrashedError
from tests.conftest import TINY_MODELS


def string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(*pairs: tuple[str, int, bytes], version: int = 3, count: int | None = None) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs) if count is None else count)
    return head + b"".join(
        string(key) + struct.pack("<I", kind) + data for key, kind, data in pairs
    )


def test_the_tiny_model() -> None:
    head = read_head(TINY_MODELS / "localmix-tiny.gguf")
    assert head["general.architecture"] == "llama"
    assert head["llama.context_length"] == 2048
    assert not any(key.startswith("tokenizer.") for key in head)


def test_every_type(tmp_path: Path) -> None:
    numbers: list[tuple[int, str, Any]] = [
        (0, "<B", 1),
        (1, "<b", -1),
        (2, "<H", 2),
        (3, "<h", -2),
        (4, "<I", 3),
        (5, "<i", -3),
        (6, "<f", 0.5),
        (7, "<?", True),
        (10, "<Q", 4),
        (11, "<q", -4),
        (12, "<d", 0.25),
    ]
    pairs = [(f"k{kind}", kind, struct.pack(layout, value)) for kind, layout, value in numbers]
    pairs += [("text", 8, string("hi")), ("list", 9, struct.pack("<IQ", 8, 2) + string("a") * 2)]
    path = tmp_path / "all.gguf"
    path.write_bytes(gguf(*pairs))

    expected = {f"k{kind}": value for kind, _, value in numbers}
    assert read_head(path) == expected | {"text": "hi", "list": ["a", "a"]}


NESTED = b"".join([struct.pack("<IQ", 9, 1)] * 5000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin with GGUF"),
        (b"PK\x03\x04", "does not begin with GGUF"),
        (gguf(version=1), "version 1 is not known"),
        (gguf(count=3), "unpack requires"),
        (gguf(("a", 99, b"")), "unknown type 99"),
        (gguf(("a", 8, struct.pack("<Q", 1 << 60))), "length in it is impossible"),
        (gguf(("a", 8, struct.pack("<Q", 1) + b"\xff")), "utf-8"),
        (gguf(("a", 9, NESTED)), "recursion"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelCrashedError, match=reason) as caught:
        read_head(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelCrashedError, match="No such file"):
        read_head(tmp_path / "gone.gguf")
