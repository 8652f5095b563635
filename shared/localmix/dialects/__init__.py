"""The wire formats, and which kind of server speaks which."""

from __future__ import annotations

from localmix.dialects.dialect import Dialect, Endpoint, Target
from localmix.dialects.lmstudio import LMStudioDialect
from localmix.dialects.ollama import OllamaDialect
from localmix.dialects.openai import OpenAIDialect
from localmix.types import Kind

DIALECTS: dict[Kind, Dialect] = {
    "ollama": OllamaDialect(),
    "lmstudio": LMStudioDialect(),
    "openai": OpenAIDialect(),
    "embedded": OpenAIDialect(),
}

__all__ = ["DIALECTS", "Dialect", "Endpoint", "Target"]
