"""Context windows that callers ask for, where the model's server does not make them by itself.

Programs made for Ollama send `num_ctx` with nearly every request, each its own. LM Studio loads a
model anew for another window, which takes long, and takes it from whoever uses it. So the window
that stands serves everybody, until a request does not fit into it; then it grows, for all of them,
and it never shrinks.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from localmix import AsyncClient
from localmix.dialects import KINDS
from localmix.errors import LocalMixError
from localmix.types import ModelInfo

# Windows grow by whole steps, so that requests of nearly one size do not each load the model anew.
_STEP = 4096


class Windows:
    """Wider windows, for which each model is loaded once for however many need it."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._growing: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def grow(self, model: str, place: ModelInfo, wanted: int, narrow: int | None) -> bool:
        """Have a model loaded with a wider window than the one that a request did not fit into.

        Args:
            model: The name that it was asked for by.
            place: What was known of it when it was asked.
            wanted: Tokens of the window that the caller asks for.
            narrow: Tokens of the window that is too narrow, where the server has said so.

        Returns:
            Whether its window is wider now.
        """
        if not KINDS[place.kind].widens_by_load:
            return False
        narrow = narrow or place.loaded_context_length or 0
        async with self._growing[place.server, place.name]:
            now = self._client.known_model(model) or place
            if (now.loaded_context_length or 0) > narrow:
                return True  # somebody else needed it as well
            window = -(-wanted // _STEP) * _STEP
            window = min(window, now.context_length or window)
            if window <= narrow:
                return False
            try:
                await self._client.load(model, num_ctx=window)
            except LocalMixError:
                return False  # that the request does not fit tells more
            return True
