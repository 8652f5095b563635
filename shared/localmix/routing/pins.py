"""A model that the user pinned to a digest is that model, or it is refused."""

from __future__ import annotations

from collections.abc import Mapping

from localmix.errors import ModelChangedError
from localmix.types import ModelInfo
from localmix.types.names import canonical


def broken_pin(model: ModelInfo, pins: Mapping[str, str]) -> ModelChangedError | None:
    """Give the error of a model that is pinned to another digest; `None` if it may be used."""
    by_name = {canonical(name): _bare(pin) for name, pin in pins.items()}
    wanted = by_name.get(canonical(model.name), "")
    if not wanted or (model.digest and _bare(model.digest).startswith(wanted)):
        return None
    has = f"has the digest {_bare(model.digest)[:12]}" if model.digest else "has no digest to check"
    return ModelChangedError(
        f"{model.name} at {model.server} {has}; it is pinned to {wanted[:12]}",
        server=model.server,
    )


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
