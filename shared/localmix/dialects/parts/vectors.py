"""Check that an embedding reply holds what was asked for."""

from __future__ import annotations

import math
from typing import Any

from localmix.errors import ProtocolError


def checked(vectors: list[Any], texts: tuple[str, ...], server: str) -> list[list[float]]:
    """Return the vectors if there is one finite vector of one length for each text.

    Raises:
        ProtocolError: Vectors are missing, differ in length, or hold what is not a number.
    """
    if len(vectors) != len(texts):
        raise ProtocolError(
            f"{server} gave {len(vectors)} vectors for {len(texts)} texts.",
            hint="Embed fewer texts at once, or look for one that the model cannot read.",
        )
    try:
        numbers = [list(map(float, vector)) for vector in vectors]
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"{server} gave vectors that hold no numbers: {error}.") from error
    lengths = {len(vector) for vector in numbers}
    if len(lengths) > 1 or 0 in lengths:
        raise ProtocolError(f"{server} gave vectors of different lengths: {sorted(lengths)}.")
    for index, vector in enumerate(numbers):
        if not math.isfinite(sum(vector)):
            raise ProtocolError(
                f"{server} gave a vector for text {index} that is not finite.",
                hint="The model may be broken; try another quantization.",
            )
    return numbers
