"""The wire formats, and which kind of server speaks which."""

from __future__ import annotations

from localmix.dialects.dialect import Dialect, Endpoint, Target
from localmix.dialects.keeper import Keeper, LoadOrder, PullMeter, refusal
from localmix.dialects.lmstudio.client import LMStudioDialect
from localmix.dialects.lmstudio.keeper import LMStudioModels
from localmix.dialects.ollama.client import OllamaDialect
from localmix.dialects.ollama.keeper import OllamaModels
from localmix.dialects.openai.client import OpenAIDialect
from localmix.dialects.openai.keeper import OpenAIModels
from localmix.dialects.parts.framed import unreadable
from localmix.types import Kind

DIALECTS: dict[Kind, Dialect] = {
    "ollama": OllamaDialect(),
    "lmstudio": LMStudioDialect(),
    "openai": OpenAIDialect(),
    "embedded": OpenAIDialect(),
}

KEEPERS: dict[Kind, Keeper] = {
    "ollama": OllamaModels(),
    "lmstudio": LMStudioModels(),
    "openai": OpenAIModels(),
}

__all__ = [
    "DIALECTS",
    "KEEPERS",
    "Dialect",
    "Endpoint",
    "Keeper",
    "LoadOrder",
    "PullMeter",
    "Target",
    "refusal",
    "unreadable",
]
