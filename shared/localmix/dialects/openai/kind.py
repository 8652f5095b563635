"""The two kinds that speak OpenAI's API with llama.cpp's additions, each as one value."""

from __future__ import annotations

from typing import ClassVar

from localmix.dialects.dialect import Target
from localmix.dialects.kind import Proof, ServerKind
from localmix.dialects.openai.client import OpenAIDialect
from localmix.dialects.openai.keeper import OpenAIModels
from localmix.dialects.openai.tokens import count_tokens
from localmix.dialects.reading import Facts
from localmix.types import Kind, ModelInfo
from localmix.wire.flows import Flow


class EmbeddedDialect(OpenAIDialect):
    """What is spoken to the embedded engine, whose models are known from their files."""

    kind: ClassVar[Kind] = "embedded"

    def show(self, target: Target) -> Flow[ModelInfo]:
        """Give what the file said."""
        yield from ()
        return target.model


def _proof(models: Facts) -> Proof | None:
    return Proof() if models.lists("data") else None


OPENAI = ServerKind(
    "openai",
    "A model server",
    OpenAIDialect(),
    OpenAIModels(),
    provider="openai_compatible",  # whose costs nobody should reckon as those of OpenAI
    evidence="/v1/models",
    proof=_proof,
    # Quirk (llama.cpp 13262, 24496): they write their answer to its end.
    may_write_on=True,
    count_tokens=count_tokens,
)

EMBEDDED = ServerKind(
    "embedded",
    "The embedded engine",
    EmbeddedDialect(),
    provider="llama_cpp",
    # Quirk (xllamacpp 2026.9).
    stops_only_streams=True,
    is_started_here=True,
    count_tokens=count_tokens,
)
