"""Whether models that are called alike are one model.

Vectors of two models cannot be compared. So texts go to several servers, or on to another one, only
where both hold the same model: by its digest, else by the vectors of one fixed text
(`comparing.py`). A chat goes on wherever nothing that is said of the two models speaks against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from localmix.servers import Memory
from localmix.servers.memory import ModelKey, key_of
from localmix.types import ModelInfo
from localmix.types.names import same_architecture, same_count

# How near to 1 the cosine of two vectors must be, and how near their lengths to each other: one
# model rounded otherwise may differ by so much, and vectors of two are as good as at right angles.
_ALIKE = 0.99


class Sameness:
    """What is known of which models are the same."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._in_vain: dict[ModelKey, float] = {}

    def verdict(self, one: ModelInfo, other: ModelInfo) -> bool | None:
        """Tell whether two models that are called alike are one; `None` if that is not known."""
        is_one_place = (one.server, one.name) == (other.server, other.name)
        if is_one_place or (one.digest and one.digest == other.digest):
            return True
        if one.purpose != other.purpose or _contradict(one, other):
            return False
        if one.purpose == "chat":
            return True
        left, right = self.fingerprint(one), self.fingerprint(other)
        return are_alike(left, right) if left and right else None

    def fingerprint(self, model: ModelInfo) -> Sequence[float] | None:
        """Give the vector of the fixed text, if it is known."""
        return self._memory.fingerprints.get(key_of(model))

    def learn(self, model: ModelInfo, vector: Sequence[float]) -> None:
        """Keep the vector of the fixed text."""
        self._memory.fingerprints[key_of(model)] = vector

    def give_up(self, model: ModelInfo, listed_at: float) -> None:
        """Note that a model gave no vector; it is asked again after the next listing."""
        self._in_vain[key_of(model)] = listed_at

    def may_be_asked(self, model: ModelInfo, listed_at: float) -> bool:
        """Tell whether a model has not been asked in vain since it was listed."""
        return self._in_vain.get(key_of(model)) != listed_at


def _contradict(one: ModelInfo, other: ModelInfo) -> bool:
    """Tell whether what the servers say of two models cannot be true of one."""
    lengths = one.embedding_length, other.embedding_length
    return (
        (all(lengths) and lengths[0] != lengths[1])
        or not same_architecture(one.family, other.family)
        or not same_count(one.parameters, other.parameters)
    )


def are_alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether two vectors of one text are of one model."""
    if len(one) != len(other):
        return False
    product = sum(left * right for left, right in zip(one, other, strict=True))
    shorter, longer = sorted((math.hypot(*one), math.hypot(*other)))
    return shorter > _ALIKE * longer and product > _ALIKE * shorter * longer
