"""What makes two requests the same: the weights, every option, and every word."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from localmix.dialects.parts.passing import said_of
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
)

# What is kept under keys of one form is read in one way: another form of either is a new number.
_FORM = "localmix 1"
# How texts are sent, and what becomes of the model afterwards, makes no other vector.
_NOT_IN_A_VECTOR = {
    *("texts", "model", "cache", "keep_alive"),
    *("skip_bad", "chunk_size", "concurrency", "spread"),
}


def may_be_kept(request: GenerationRequest | EmbedRequest) -> bool:
    """Tell whether an answer may stand for the next one to the same request.

    The caller's word counts; else a vector may, and an answer that is the same each time: with
    temperature 0 or a seed. Nobody knows what is asked for in `extra`.
    """
    if isinstance(request, EmbedRequest):
        return request.cache is not False
    if isinstance(request, ChatRequest | CompletionRequest) and request.cache is not None:
        return request.cache
    return not request.extra and (request.temperature == 0 or request.seed is not None)


def answer_key(weights: str, request: GenerationRequest) -> bytes:
    """Name the answer to a request."""
    said = request.model_dump(exclude={"model", "cache"})
    kind = "completion" if isinstance(request, CompletionRequest) else "chat"
    passed = said_of(request)
    verbatim = (passed.path, passed.body) if passed else ()
    return _hashed(kind, weights, said, verbatim).digest()


def vector_keys(weights: str, request: EmbedRequest) -> list[bytes]:
    """Name the vectors of the texts of a request."""
    head = _hashed("vector", weights, vector_options(request))
    keys = []
    for text in request.texts:
        whole = head.copy()
        whole.update(text.encode("utf-8", "surrogatepass"))
        keys.append(whole.digest())
    return keys


def vector_options(request: EmbedRequest) -> dict[str, Any]:
    """Give the options that a vector hangs on."""
    return request.model_dump(exclude=_NOT_IN_A_VECTOR)


def _hashed(*parts: object) -> hashlib._Hash:
    """Hash some values. The order of keys counts: in a schema it is that of the answer."""
    told = json.dumps([_FORM, *parts], default=_of_bytes)
    return hashlib.sha256(told.encode())


def _of_bytes(value: object) -> object:
    """Say what JSON cannot: images are bytes, schemas may hold sets and the like."""
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else repr(value)
