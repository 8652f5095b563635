"""Ollama's calls that manage models, from the server's end: what they ask for, what is answered."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from localmix.dialects.asking import Asked
from localmix.errors import ConfigError, UnsupportedFeatureError
from localmix.types import PullProgress
from localmix.wire import jsontext

# What `create` can be told beside a model, and what would take a server that makes models.
_MAKING = ("files", "adapters", "quantize", "quantization", "messages", "remote_host")
# Registries that Ollama itself asks without being told to.
_REGISTRIES = frozenset(
    {
        *("registry.ollama.ai", "ollama.com", "hf.co", "huggingface.co"),
        *("www.huggingface.co", "modelscope.cn"),
    }
)
SUCCESS = "success"


class Creation(NamedTuple):
    """What `create` asks for: a model that is another one with defaults."""

    name: str
    source: str
    system: str
    template: str
    parameters: dict[str, Any]


def read_name(said: Asked) -> str:
    """Read which model is meant, by the newer key or the older one."""
    name = (said.text("model") or said.text("name")).strip()
    if not name:
        raise ConfigError("model is required")
    return name


def read_copy(said: Asked) -> tuple[str, str]:
    """Read what is copied, and its second name."""
    source, destination = said.text("source").strip(), said.text("destination").strip()
    if not (source and destination):
        raise ConfigError("source and destination are required")
    return source, destination


def read_creation(said: Asked) -> Creation:
    """Read what is created.

    Raises:
        UnsupportedFeatureError: It is more than another name with defaults.
    """
    for key in _MAKING:
        if said.value(key):
            raise UnsupportedFeatureError(
                f"create does not accept {key} here: models are made by their servers.",
                hint="Only `from`, `system`, `template` and `parameters` can be given.",
            )
    source = said.text("from").strip()
    if not source:
        raise ConfigError("from is required: models are not made from files here")
    system, template = said.text("system"), said.text("template")
    return Creation(read_name(said), source, system, template, said.mapping("parameters"))


def read_pull(said: Asked) -> str:
    """Read what is pulled.

    Raises:
        UnsupportedFeatureError: It would come from where Ollama asks only if it is told to.
    """
    name = read_name(said)
    if said.flag("insecure"):
        raise UnsupportedFeatureError("Models are not pulled without TLS here (insecure).")
    host, slash, _ = name.partition("/")
    is_host = slash and ("." in host or ":" in host or host == "localhost")
    if is_host and host.casefold() not in _REGISTRIES:
        raise UnsupportedFeatureError("Models are not pulled from other registries here.")
    return name


def write_status(status: str) -> bytes:
    """Write one step."""
    return jsontext.ascii_line({"status": status})


def write_pull_step(step: PullProgress) -> bytes:
    """Write one step of a pull; the parts of a model are shown as one."""
    if step.total is None:
        return write_status(step.said or step.status)
    digest = hashlib.sha256(step.model.encode()).hexdigest()
    counts = {"digest": f"sha256:{digest}", "total": step.total, "completed": step.completed}
    status = f"pulling {digest[:12]}" if step.status == "downloading" else step.said or step.status
    return jsontext.ascii_line({"status": status, **counts})
