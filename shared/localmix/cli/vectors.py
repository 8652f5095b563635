"""Vectors in files: JSON lines, NumPy's `.npy`, Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from localmix.errors import ConfigError

Vectors = Iterable[list[float] | None]


def write(path: Path, texts: Sequence[str], vectors: Vectors) -> None:
    """Write texts and vectors as the ending of the path says.

    Raises:
        ConfigError: The ending is unknown, a package is missing, or the file cannot be written.
    """
    writer = _WRITERS.get(path.suffix)
    if writer is None:
        raise ConfigError(f"{path} has no known extension.", hint=f"Use {', '.join(_WRITERS)}.")
    try:
        writer(path, texts, vectors)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def _write_json_lines(path: Path, texts: Sequence[str], vectors: Vectors) -> None:
    """Write each vector as soon as it is there."""
    with path.open("w", encoding="utf-8") as file:
        for text, vector in zip(texts, vectors, strict=True):
            file.write(json.dumps({"text": text, "vector": vector}, ensure_ascii=False) + "\n")
            file.flush()


def _write_npy(path: Path, texts: Sequence[str], vectors: Vectors) -> None:
    """Write one array; the row of an empty text is NaN."""
    numpy = _package("numpy", path)
    found = [*vectors]
    length = max((len(vector) for vector in found if vector), default=0)
    rows = [vector or [float("nan")] * length for vector in found]
    with path.open("wb") as file:
        numpy.save(file, numpy.asarray(rows, dtype="float32").reshape(len(texts), length))


def _write_parquet(path: Path, texts: Sequence[str], vectors: Vectors) -> None:
    """Write the columns `text` and `vector`."""
    arrow, parquet = _package("pyarrow", path), _package("pyarrow.parquet", path)
    kind = arrow.list_(arrow.float32())
    columns = {"text": arrow.array(texts), "vector": arrow.array([*vectors], type=kind)}
    parquet.write_table(arrow.table(columns), path)


def _package(name: str, path: Path) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        hint = f"Run: pip install {package}"
        raise ConfigError(f"{path.suffix} files need {package}.", hint=hint) from None


_WRITERS: dict[str, Callable[[Path, Sequence[str], Vectors], None]] = {
    ".jsonl": _write_json_lines,
    ".npy": _write_npy,
    ".parquet": _write_parquet,
}
