"""What identifies the weights of a model, so that nothing of two models is ever mixed."""

from __future__ import annotations

import json

from localmix.types import ModelInfo


def weights_of(model: ModelInfo) -> str:
    """Say what identifies the weights of a model; empty where its server tells too little.

    A digest does so wherever the model is. Else its facts do, at that server: a name alone may
    stand for other weights tomorrow, and what runs in a cloud may change at any time.
    """
    if model.remote:
        return ""
    if model.digest:
        return f"digest {model.digest.removeprefix('sha256:')}"
    if not model.size_bytes:
        return ""
    facts = (model.server, model.name, model.size_bytes, model.quantization, model.parameters)
    return json.dumps(["facts", *facts, model.family, str(model.modified_at or "")])
