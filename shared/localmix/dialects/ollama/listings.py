"""Models in Ollama's shape: `/api/tags`, `/api/ps`, `/api/show`.

Rules that clients hold us to: every name has a tag; a digest has 64 hexadecimal digits (Ollama's
command line panics at fewer); the words under `details` are texts and the capabilities a list, in
every entry, since one bad entry empties the whole list in some programs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from localmix.dialects.ollama.writer import timestamp
from localmix.dialects.reading import Facts
from localmix.dialects.serving import Listed
from localmix.types import Capability, ModelInfo
from localmix.wire import jsontext

# The version of Ollama whose API this is; programs compare it with the least that they need.
VERSION = "0.32.15"
_UNKNOWN = "unknown"
_DIGEST = re.compile(r"[0-9a-f]{64}")
# How Ollama shows what stays for ever: some 292 years ahead.
_FOR_EVER = timedelta(days=106_751)
# What Ollama's own reply says of a model beyond what every server tells.
_TOLD = ("template", "license", "system", "messages", "modelfile", "renderer", "parser", "requires")


def with_tag(name: str) -> str:
    """Give a name its tag: what comes after the last colon that follows the last slash."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def with_defaults(
    model: ModelInfo, system: str, template: str, parameters: Mapping[str, Any]
) -> ModelInfo:
    """Describe a model as one that has defaults of its own."""
    lines = [f"{key:30} {value}" for key, value in parameters.items()]
    said = {"system": system, "template": template, "parameters": "\n".join(lines)}
    own = {key: value for key, value in said.items() if value}
    kept = {key: value for key, value in model.details.items() if key != "modelfile"}
    return replace(model, details=kept | own)


def write_tags(models: Sequence[Listed]) -> bytes:
    """List what there is, the newest first."""
    newest = sorted(models, key=lambda model: model.since, reverse=True)
    return jsontext.ascii_line({"models": [_tag(model) for model in newest]})


def write_ps(models: Sequence[Listed], now: datetime) -> bytes:
    """List what is in memory, by whatever server holds it."""
    loaded = [(each, place) for each in models for place in each.places if place.loaded]
    return jsontext.ascii_line({"models": [_running(*each, now) for each in loaded]})


def write_show(model: Listed) -> bytes:
    """Describe one model."""
    info = model.first
    told = Facts(info.details)
    own = {key: told.said.get(key) for key in _TOLD if key in told}
    described = {
        "modelfile": f"# Served by localmix\nFROM {model.name}\n",
        "template": _template(info),
        **own,
        "parameters": _parameters(info, told),
        "details": _details(info),
        "model_info": _model_info(model, told),
        "capabilities": _capabilities(info),
        # A word of ours: what is not listed above, and may be there all the same.
        "unsaid": [each for each in get_args(Capability) if info.can(each) is None],
        "modified_at": timestamp(model.since),
    }
    return jsontext.ascii_line(described)


def _tag(model: Listed) -> dict[str, Any]:
    info = model.first
    lengths = {"context_length": info.context_length, "embedding_length": info.embedding_length}
    known = {key: length for key, length in lengths.items() if length}
    return {
        **_named(model),
        "modified_at": timestamp(model.since),
        "size": info.size_bytes or 0,
        "details": _details(info) | known,
        "capabilities": _capabilities(info),
    }


def _running(model: Listed, info: ModelInfo, now: datetime) -> dict[str, Any]:
    size = info.memory_bytes or info.size_bytes or 0
    return {
        **_named(model),
        "size": size,
        "details": _details(info),
        "expires_at": timestamp(info.unload_at or _for_ever(now)),
        # Zero would mean "on the processor", which nobody said.
        "size_vram": size if info.gpu_bytes is None else info.gpu_bytes,
        "context_length": info.loaded_context_length or info.context_length or 0,
    }


def _for_ever(now: datetime) -> datetime:
    return now.astimezone(UTC) + _FOR_EVER


def _named(model: Listed) -> dict[str, str]:
    said = next((each.digest for each in model.places if _DIGEST.fullmatch(each.digest)), "")
    digest = said or hashlib.sha256(model.name.encode()).hexdigest()
    return {"name": model.name, "model": model.name, "digest": digest}


def _details(info: ModelInfo) -> dict[str, Any]:
    family = _family(info)
    # Some programs look for `clip` to tell who can see.
    families = [family, "clip"] if info.can("vision") else [family]
    return {
        "parent_model": "",
        "format": Facts(info.details).text("format") or "gguf",
        "family": family,
        "families": families,
        "parameter_size": info.parameters or _UNKNOWN,
        "quantization_level": info.quantization or _UNKNOWN,
    }


def _family(info: ModelInfo) -> str:
    return info.family or _UNKNOWN


def _capabilities(info: ModelInfo) -> list[str]:
    """List what a model can do; tools also where nobody says that it cannot.

    Many servers do not tell, and programs hide a model that is not said to have them.
    """
    if info.purpose == "embedding":
        return ["embedding"]
    tools = [] if info.can("tools") is False else ["tools"]
    said = sorted((info.capabilities or frozenset()) - {"tools"})
    return ["completion", *tools, *said]


def _template(info: ModelInfo) -> str:
    """Name what a model can do where some programs look for it."""
    can = _capabilities(info)
    tools = "{{ .Tools }}" if "tools" in can else ""
    return f"{tools}{{{{ .Prompt }}}}{'{{ .Suffix }}' if 'insert' in can else ''}"


def _parameters(info: ModelInfo, told: Facts) -> str:
    """Say the window that is allocated, which programs read first; then what Ollama says."""
    window = info.loaded_context_length or info.context_length
    own = [line for line in told.text("parameters").splitlines() if line.split()[:1] != ["num_ctx"]]
    return "\n".join([*([f"{'num_ctx':30} {window}"] if window else []), *own])


def _model_info(model: Listed, told: Facts) -> dict[str, Any]:
    info = model.first
    family = _family(info)
    facts: dict[str, Any] = {
        "general.architecture": family,
        "general.basename": model.name,
        f"{family}.context_length": info.loaded_context_length or info.context_length,
        f"{family}.embedding_length": info.embedding_length,
    }
    known = {key: value for key, value in facts.items() if value is not None}
    return known | dict(told.facts("model_info").said)
