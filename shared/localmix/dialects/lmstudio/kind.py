"""LM Studio, as one value."""

from __future__ import annotations

from localmix.dialects.kind import Proof, ServerKind
from localmix.dialects.lmstudio.client import LMStudioDialect
from localmix.dialects.lmstudio.keeper import LMStudioModels
from localmix.dialects.reading import Facts

GREETING = {"lmstudio": True}


def _proof(greeting: Facts) -> Proof | None:
    return Proof() if greeting.flag("lmstudio") else None


LMSTUDIO = ServerKind(
    "lmstudio",
    "LM Studio",
    LMStudioDialect(),
    LMStudioModels(),
    provider="lm_studio",
    evidence="/lmstudio-greeting",
    proof=_proof,
    widens_by_load=True,
    # Quirk (lmstudio 0.3, 0.4; lmstudio-bug-tracker#1751).
    copies_on_load=True,
    can_pull=True,
    names_publishers=True,
    least_window=4096,
)
