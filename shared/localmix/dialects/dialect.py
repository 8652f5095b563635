"""What every dialect can do: our types to bytes and back, without a socket or a loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from localmix.types import (
    ChatResult,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    ModelInfo,
)
from localmix.types.words import MAX_LISTING_BYTES, MAX_REPLY_BYTES
from localmix.wire import jsontext
from localmix.wire.flows import (
    Decoder,
    Flow,
    Request,
    Response,
    Timeouts,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The place that bytes go to: a base URL with its own token, patience and bounds.

    Attributes:
        max_bytes: The most bytes of one reply.
        max_listing_bytes: The most bytes of what the server says of itself and of its models.
    """

    url: str
    timeouts: Timeouts
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_bytes: int = MAX_REPLY_BYTES
    max_listing_bytes: int = MAX_LISTING_BYTES

    def within(self, seconds: float, by: str = "probe_timeout") -> Endpoint:
        """Give the same place, for a question that is answered soon or not at all."""
        bounds = Timeouts.within(seconds, by)
        return replace(self, timeouts=bounds, max_bytes=min(self.max_bytes, self.max_listing_bytes))

    def get(self, path: str) -> Request:
        """Build a GET request."""
        return Request(
            "GET", self.url + path, self.timeouts, headers=self.headers, max_bytes=self.max_bytes
        )

    def post(self, path: str, payload: Mapping[str, Any]) -> Request:
        """Build a POST request with a JSON body."""
        return self.post_body(path, jsontext.dump(payload))

    def post_body(self, path: str, body: bytes) -> Request:
        """Build a POST request with a body that is JSON already."""
        headers = {**self.headers, "Content-Type": "application/json"}
        return Request(
            "POST", self.url + path, self.timeouts, body, headers, max_bytes=self.max_bytes
        )


@dataclass(frozen=True, slots=True)
class Target:
    """The model that a request goes to, and the place where it is.

    Attributes:
        window: The context window to ask for, where the server loads models as a request asks.
        version: The server's own, where it tells one and is what it says it is; else empty.
    """

    endpoint: Endpoint
    model: ModelInfo
    window: int | None = None
    version: str = ""

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self.endpoint.url


@dataclass(frozen=True, slots=True)
class Listing:
    """The models of a server.

    Attributes:
        unread: How many entries of its listing could not be read.
    """

    models: list[ModelInfo]
    unread: int = 0


class Dialect(Protocol):
    """One wire format."""

    def list_models(self, endpoint: Endpoint) -> Flow[Listing]:
        """List the models of a server, loaded or not."""
        ...

    def show(self, target: Target) -> Flow[ModelInfo]:
        """Describe one model as fully as the server can."""
        ...

    def generation_request(
        self, target: Target, request: GenerationRequest, *, stream: bool
    ) -> Request:
        """Build the request of a chat or a text completion.

        Raises:
            UnsupportedFeatureError: The server would ignore something that was asked for.
        """
        ...

    def generation_decoder(self, target: Target, request: GenerationRequest) -> Decoder[Delta]:
        """Make the decoder of the streamed answer."""
        ...

    def parse_generation(
        self, target: Target, request: GenerationRequest, response: Response
    ) -> ChatResult:
        """Read a whole answer, or raise what the reply means."""
        ...

    def embed_request(self, target: Target, request: EmbedRequest) -> Request:
        """Build an embedding request.

        Raises:
            UnsupportedFeatureError: The server would ignore something that was asked for.
        """
        ...

    def parse_embed(self, target: Target, request: EmbedRequest, response: Response) -> EmbedResult:
        """Read the vectors, one for each text, or raise what the reply means."""
        ...
