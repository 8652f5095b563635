"""Ollama, as one value."""

from __future__ import annotations

from localmix.dialects.dialect import Endpoint
from localmix.dialects.kind import Proof, ServerKind
from localmix.dialects.ollama.client import OllamaDialect
from localmix.dialects.ollama.keeper import OllamaModels
from localmix.dialects.reading import Facts
from localmix.wire.flows import Flow, Response

_IMITATION = "It speaks Ollama's API, but is another program."


def _proof(version: Facts) -> Proof | None:
    number = version.text("version")
    if not number or "error" in version:
        return None
    return Proof(number, "" if len(version.said) == 1 else _IMITATION)


def _second_look(endpoint: Endpoint) -> Flow[str]:
    (root,) = yield [endpoint.get("/")]
    is_ollama = isinstance(root, Response) and root.body.strip() == b"Ollama is running"
    return "" if is_ollama else _IMITATION


OLLAMA = ServerKind(
    "ollama",
    "Ollama",
    OllamaDialect(),
    OllamaModels(),
    evidence="/api/version",
    proof=_proof,
    second_look=_second_look,
    tells_more_by_show=True,
    reloads_for_window=True,
    can_pull=True,
    least_window=4096,  # its default where memory is short
)
