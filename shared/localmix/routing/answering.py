"""Whatever gets answers: from one server after the other, or by way of what does."""

from __future__ import annotations

from typing import Protocol

from localmix.servers.progress import Progress
from localmix.types import ChatResult, EmbedRequest, EmbedResult, GenerationRequest
from localmix.wire.flows import Flow, Source


class Answering(Protocol):
    """Whatever answers requests; what wraps one of these is one itself."""

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""
        ...

    def stream(self, request: GenerationRequest, progress: Progress) -> Source[None]:
        """Get an answer as it is written, every delta by way of `progress`."""
        ...

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of some texts, all from one model."""
        ...
