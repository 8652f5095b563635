"""What makes a reply to an embedding request right."""

from __future__ import annotations

import math
from typing import Any

from localmix.dialects.reading import Record
from localmix.errors import BadVectorError, ProtocolError

_NUMBERS = {int, float}


def checked(vectors: list[Any], texts: tuple[str, ...], server: str) -> list[list[float]]:
    """Return the vectors if there is one finite vector of one length for each text.

    Raises:
        ProtocolError: Vectors are missing, differ in length, or hold what is not a number.
        BadVectorError: A vector is not finite; the error names its text.
    """
    if len(vectors) != len(texts):
        raise ProtocolError(
            f"{server} returned {len(vectors)} vectors for {len(texts)} texts.",
            server=server,
            hint="Embed fewer texts at once, or look for one that the model cannot read.",
        )
    numbers = [_numbers(vector, server) for vector in vectors]
    lengths = {len(vector) for vector in numbers}
    if len(lengths) > 1 or 0 in lengths:
        raise ProtocolError(
            f"{server} returned vectors of different lengths: {sorted(lengths)}.", server=server
        )
    for index, vector in enumerate(numbers):
        if not math.isfinite(sum(vector)):
            raise BadVectorError.of(texts[index], index, server)
    return numbers


def in_order(entries: list[Record], server: str) -> list[Any]:
    """Sort OpenAI's entries by their index, where they have one.

    Raises:
        ProtocolError: Indices are missing, doubled or out of range.
    """
    vectors = [entry.value("embedding") for entry in entries]
    if not any("index" in entry for entry in entries):
        return vectors
    places = [entry.facts.count("index") for entry in entries]
    if sorted(-1 if place is None else place for place in places) != list(range(len(entries))):
        raise ProtocolError(
            f"{server} numbered its vectors so that they fit no text: {places[:8]}.", server=server
        )
    return [vector for _, vector in sorted(zip(places, vectors, strict=True), key=_place)]


def _place(numbered: tuple[Any, Any]) -> Any:
    return numbered[0]


def _numbers(vector: Any, server: str) -> list[float]:
    if not isinstance(vector, list):
        raise ProtocolError(
            f"{server} sent a reply of an unexpected shape: vectors that contain no numbers, but"
            f" {type(vector).__name__}.",
            server=server,
        )
    try:
        kinds = set(map(type, vector))
        if kinds <= {float}:
            return vector  # as JSON has them: thousands of numbers, and nothing to do
        if kinds <= _NUMBERS:
            return list(map(float, vector))
    except OverflowError:
        pass
    raise ProtocolError(f"{server} returned vectors without numbers.", server=server)
