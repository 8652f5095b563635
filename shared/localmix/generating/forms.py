"""Answers that know the class they were asked for as."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from localmix.types import ChatRequest, ChatResult, GenerationRequest
from localmix.types.spellings import class_of

if TYPE_CHECKING:
    from localmix.routing.answering import Answering
    from localmix.wire.flows import Flow


def form_of(request: GenerationRequest) -> type[BaseModel] | None:
    """Give the class that the answer will be read as, if one was given."""
    return class_of(request.response_format) if isinstance(request, ChatRequest) else None


def formed(answering: Answering, request: GenerationRequest) -> Flow[ChatResult[Any]]:
    """Get a whole answer that knows its class."""
    answer = yield from answering.generate(request)
    form = form_of(request)
    return replace(answer, form=form) if form else answer
