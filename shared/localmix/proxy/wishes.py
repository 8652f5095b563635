"""Options that a caller would like, and that no request should fail for.

Programs made for Ollama send the same options to every model: a window of their own with nearly
every request, ways of sampling that some servers cannot be told. Where the server refuses one, it
is left out; that is said once, in the log.
"""

from __future__ import annotations

import logging
from typing import TypeVar, cast

from localmix.errors import UnsupportedFeatureError
from localmix.types import EmbedRequest, GenerationRequest, ModelInfo

R = TypeVar("R", bound=GenerationRequest | EmbedRequest)
WISHES = frozenset(
    {
        *("min_p", "typical_p", "top_k", "repeat_penalty", "repeat_last_n", "num_keep", "seed"),
        *("presence_penalty", "frequency_penalty", "num_ctx", "keep_alive", "truncate"),
    }
)
_log = logging.getLogger("localmix.proxy")


class Wishes:
    """What servers could not be told so far, by server and model."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str], frozenset[str]] = {}

    def eased(self, request: R, place: ModelInfo | None) -> R:
        """Leave out what the model's server has refused; ask for no window that it never has."""
        if place is None:
            return request
        defaults = type(request).model_fields
        refused = self._refused.get(_key(place), frozenset()) & defaults.keys()
        changes = {name: defaults[name].default for name in refused if getattr(request, name)}
        window = getattr(request, "num_ctx", None)
        if window and "num_ctx" not in changes and place.context_length:
            changes |= {"num_ctx": min(window, place.context_length)}
        return cast("R", request.model_copy(update=changes)) if changes else request

    def learn(self, error: UnsupportedFeatureError, place: ModelInfo | None) -> bool:
        """Remember what was refused; tell whether the request can go without it."""
        options = frozenset(error.options)
        if place is None or not options or not options <= WISHES:
            return False
        known = self._refused.get(_key(place), frozenset())
        if options <= known:
            return False
        _log.warning("%r is asked without %s.", place.name, ", ".join(sorted(options - known)))
        self._refused[_key(place)] = known | options
        return True


def without(request: R, wishes: frozenset[str]) -> R:
    """Leave out what a caller would only like, whatever a server may do with it."""
    fields = type(request).model_fields
    changes = {name: fields[name].default for name in wishes & fields.keys()}
    return cast("R", request.model_copy(update=changes)) if changes else request


def _key(place: ModelInfo) -> tuple[str, str]:
    return place.server, place.name
