"""Read the head of a GGUF file: what the model is, without loading it.

The format: magic, version, two counts, then key-value pairs (ggml's `docs/gguf.md`, version 3).
Reading stops at the tokenizer, whose lists are long and which nobody asks for.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

from localmix.errors import ModelCrashedError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
# What `general.file_type` means (llama.h, `llama_ftype`).
QUANTIZATIONS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    25: "IQ4_NL",
    30: "IQ4_XS",
    32: "BF16",
    38: "MXFP4",
}
_MAX_LENGTH = 1 << 24
_LONGEST_LIST = 1024


class _NotGgufError(Exception):
    """The file cannot be read."""


class _LongListError(Exception):
    """There is a list that can only be passed over by reading it."""


def read_head(path: Path) -> dict[str, Any]:
    """Read the metadata that stand before the tokenizer's.

    Raises:
        ModelCrashedError: The file cannot be read or is no GGUF file; the error names it.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, struct.error, UnicodeDecodeError, RecursionError, _NotGgufError) as error:
        raise ModelCrashedError(
            f"{path} is not a model that can be loaded: {error}.",
            hint="Download the file again, or remove it from LOCAL_MODELS_PATH.",
        ) from error


def _read(file: BinaryIO) -> dict[str, Any]:
    if file.read(4) != _MAGIC:
        raise _NotGgufError("it does not begin with GGUF")
    version = _scalar(file, "<I")
    if version not in _VERSIONS:
        raise _NotGgufError(f"GGUF version {version} is not known")
    _, pairs = _scalar(file, "<Q"), _scalar(file, "<Q")
    head: dict[str, Any] = {}
    for _ in range(pairs):
        key = _string(file)
        if key.startswith("tokenizer."):
            break
        try:
            head[key] = _value(file, _scalar(file, "<I"))
        except _LongListError:
            break
    return head


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        return _array(file, _scalar(file, "<I"), _length(file))
    if kind not in _SCALARS:
        raise _NotGgufError(f"a value has the unknown type {kind}")
    return _scalar(file, _SCALARS[kind])


def _array(file: BinaryIO, kind: int, length: int) -> list[Any]:
    """Read a list; a long one is passed over, for nobody asks for it."""
    if length <= _LONGEST_LIST:
        return [_value(file, kind) for _ in range(length)]
    if kind not in _SCALARS:
        raise _LongListError
    file.seek(struct.calcsize(_SCALARS[kind]) * length, os.SEEK_CUR)
    return []


def _string(file: BinaryIO) -> str:
    return file.read(_length(file)).decode()


def _length(file: BinaryIO) -> int:
    length: int = _scalar(file, "<Q")
    if length > _MAX_LENGTH:
        raise _NotGgufError("a length in it is impossible")
    return length


def _scalar(file: BinaryIO, layout: str) -> Any:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))[0]
