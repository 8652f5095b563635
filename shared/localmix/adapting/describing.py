"""What a framework may know of a model before it is asked anything."""

from __future__ import annotations

from localmix.dialects import KINDS
from localmix.types import ModelInfo


def window_of(model: ModelInfo | None, num_ctx: int | None = None) -> int | None:
    """Give the tokens that the server will take: those it has allocated, else will at least.

    Args:
        model: What is known of the model.
        num_ctx: The window that will be asked for.

    Returns:
        `None` where nothing is known.
    """
    if model is None:
        return num_ctx
    if not num_ctx and model.loaded_context_length:
        return model.loaded_context_length
    window = num_ctx or model.own_context_length or KINDS[model.kind].least_window
    return min(window, model.context_length or window) if window else None
