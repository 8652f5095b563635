"""The wire formats, and which kind of server speaks which."""

from __future__ import annotations

from localmix.dialects.dialect import Dialect, Endpoint, Target
from localmix.dialects.keeper import Keeper, LoadOrder, PullMeter, refusal
from localmix.dialects.lmstudio import LMStudioDialect
from localmix.dialects.lmstudio_models import LMStudioModels
from localmix.dialects.ollama import OllamaDialect
from localmix.dialects.ollama_models import OllamaModels
from localmix.dialects.openai import OpenAIDialect
from localmix.dialects.openai_models import OpenAIModels
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
]
