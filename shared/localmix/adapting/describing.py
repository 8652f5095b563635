"""What a framework may know of a model before it is asked anything."""

from __future__ import annotations

import asyncio

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


def is_in_a_loop() -> bool:
    """Tell whether an event loop runs here, which must not wait for a server."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
