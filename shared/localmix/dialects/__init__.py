"""The wire formats, and the kinds of server that speak them."""

from __future__ import annotations

from localmix.dialects.dialect import Dialect, Endpoint, Target
from localmix.dialects.keeper import Keeper, PullMeter, refusal
from localmix.dialects.kind import Proof, ServerKind
from localmix.dialects.lmstudio.kind import LMSTUDIO
from localmix.dialects.ollama.kind import OLLAMA
from localmix.dialects.openai.kind import EMBEDDED, OPENAI
from localmix.dialects.parts.framed import unreadable
from localmix.types import Kind

# In the order of their proofs: a server that gives two is of the first kind.
KINDS: dict[Kind, ServerKind] = {kind.name: kind for kind in (LMSTUDIO, OLLAMA, OPENAI, EMBEDDED)}

__all__ = [
    "EMBEDDED",
    "KINDS",
    "Dialect",
    "Endpoint",
    "Keeper",
    "Proof",
    "PullMeter",
    "ServerKind",
    "Target",
    "refusal",
    "unreadable",
]
