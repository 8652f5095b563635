"""Models in the shape of LM Studio's `/api/v0/models`, by which programs know an LM Studio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmix.dialects.reading import Facts
from localmix.dialects.serving import Listed
from localmix.wire import jsontext


def write_models(models: Sequence[Listed]) -> bytes:
    """List models."""
    return jsontext.ascii_line({"object": "list", "data": [_model(each) for each in models]})


def write_model(model: Listed) -> bytes:
    """Describe one model."""
    return jsontext.ascii_line(_model(model))


def _model(model: Listed) -> dict[str, Any]:
    info = model.first
    loaded = next((place for place in model.places if place.loaded), None)
    kind = "vlm" if info.can("vision") else "llm"
    publisher, slash, _ = model.name.partition("/")
    entry: dict[str, Any] = {
        "id": model.name,
        "object": "model",
        "type": "embeddings" if info.purpose == "embedding" else kind,
        "publisher": publisher if slash else "library",
        "arch": info.family or "unknown",
        "compatibility_type": Facts(info.details).text("format") or "gguf",
        "quantization": info.quantization or "unknown",
        "state": "loaded" if loaded else "not-loaded",
        "max_context_length": info.context_length or 0,
    }
    if loaded and loaded.loaded_context_length:
        entry["loaded_context_length"] = loaded.loaded_context_length
    if info.purpose == "chat" and info.can("tools") is not False:
        entry["capabilities"] = ["tool_use"]
    return entry
