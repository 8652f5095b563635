"""What a job in bulk has done, in a file: after a crash it resumes where it stopped.

The file is a row of frames, each with its length and a checksum: first what the vectors hang on,
then a frame for each batch. A frame that was cut by a crash is written again.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from localmix.errors import ConfigError
from localmix.types import Embedded

_FORM = "localmix vectors 1"
_FRAME = struct.Struct("<II")
_HASH_BYTES = 16
_TEXT = struct.Struct(f"<{_HASH_BYTES}sII")
_NUMBER_BYTES = struct.calcsize("<d")


class Known(NamedTuple):
    """What is kept of one text."""

    text_hash: bytes
    vector: list[float]
    reason: str


class Checkpoint:
    """One file; opening it creates it, or checks that it is of the same job.

    Args:
        path: The file.
        facts: What the vectors hang on, as JSON.

    Raises:
        ConfigError: The file is of another job, is no checkpoint, or cannot be written.
    """

    def __init__(self, path: Path, facts: Mapping[str, object]) -> None:
        self._path = path
        head = json.dumps({"form": _FORM, **facts}).encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._file = path.open("r+b")
        except OSError as error:
            raise ConfigError(f"The checkpoint {path} cannot be written: {error}") from error
        try:
            self._begin(head)
        except BaseException:
            self._file.close()
            raise

    def read(self) -> list[Known]:
        """Give the next batch that is kept; an empty list at the end, from where it is written."""
        return _known(self._read_frame())

    def matched(self, known: Sequence[Known], texts: Sequence[str], start: int) -> list[Embedded]:
        """Put what is kept together with its texts.

        Raises:
            ConfigError: They are not the same texts.
        """
        for place, each in enumerate(known):
            if place >= len(texts) or each.text_hash != _hash(texts[place]):
                raise ConfigError(
                    f"texts[{start + place}] is not the same in the checkpoint {self._path}.",
                    hint="Pass the same texts in the same order, or use another file.",
                )
        return [
            Embedded(start + place, text, each.vector, each.reason)
            for place, (text, each) in enumerate(zip(texts, known, strict=True))
        ]

    def add(self, batch: Sequence[Embedded]) -> None:
        """Keep a batch.

        Raises:
            ConfigError: It cannot be written.
        """
        try:
            self._write_frame(b"".join(map(_record, batch)))
        except OSError as error:
            raise ConfigError(f"The checkpoint {self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, head: bytes) -> None:
        if self._path.stat().st_size == 0:
            self._write_frame(head)
            return
        found = self._read_frame()
        if not found.startswith(f'{{"form": "{_FORM}"'.encode()):
            raise ConfigError(f"{self._path} is not a checkpoint of this version of localmix.")
        if found != head:
            raise ConfigError(
                f"The checkpoint {self._path} belongs to another model or other options:"
                f" {found.decode()}, not {head.decode()}.",
                hint="Use another file, or the model and options of this one.",
            )

    def _read_frame(self) -> bytes:
        """Read a frame; at the first that is not whole, cut the file, so that writing goes on."""
        begin = self._file.tell()
        head = self._file.read(_FRAME.size)
        if len(head) == _FRAME.size:
            length, checksum = _FRAME.unpack(head)
            data = self._file.read(length)
            if data and len(data) == length and zlib.crc32(data) == checksum:
                return data
        if begin:  # what does not begin like a checkpoint is none, and stays as it is
            self._file.seek(begin)
            self._file.truncate()
        return b""

    def _write_frame(self, data: bytes) -> None:
        self._file.write(_FRAME.pack(len(data), zlib.crc32(data)) + data)
        self._file.flush()


def _hash(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=_HASH_BYTES).digest()


def _record(embedded: Embedded) -> bytes:
    vector, reason = embedded.vector, embedded.reason.encode("utf-8", "replace")
    head = _TEXT.pack(_hash(embedded.text), len(vector), len(reason))
    return head + struct.pack(f"<{len(vector)}d", *vector) + reason


def _known(data: bytes) -> list[Known]:
    known, place = [], 0
    while place < len(data):
        text_hash, numbers, letters = _TEXT.unpack_from(data, place)
        place += _TEXT.size
        vector = list(struct.unpack_from(f"<{numbers}d", data, place))
        place += numbers * _NUMBER_BYTES
        known.append(Known(text_hash, vector, data[place : place + letters].decode()))
        place += letters
    return known
