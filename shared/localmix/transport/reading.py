"""What a reply is, and what has come of it: the part of reading that has no colour."""

from __future__ import annotations

from collections import deque
from typing import Any

from localmix.errors import ProtocolError
from localmix.transport.patience import Patience
from localmix.transport.seam import Head
from localmix.wire.flows import Open, Request, Response
from localmix.wire.secrets import Redacting

_OK = 200
_WHOLE = ("application/json", "text/html")
_AS_IT_IS = ("", "identity")
# After the end mark the rest of a body is read for so long, and so many bytes, to keep the
# connection for the next request.
DRAIN_SECONDS, DRAIN_BYTES = 0.1, 65536


def is_whole(head: Head) -> bool:
    """Tell whether a reply is one JSON object, an error or a web page, and no stream."""
    media_type = head.headers.get("content-type", "").partition(";")[0].strip()
    return head.status != _OK or media_type in _WHOLE


def check_coding(head: Head, server: str) -> None:
    """Refuse a body in a coding that was not asked for: a few kilobytes may become gigabytes.

    Raises:
        ProtocolError: It is in such a coding.
    """
    coding = head.headers.get("content-encoding", "").strip().lower()
    if coding not in _AS_IT_IS:
        raise ProtocolError(
            f"{server} sent a compressed reply ({coding[:40]}); which nobody asked for.",
            server=server,
            hint="Turn compression off at the server, or at the proxy in front of it.",
        )


class _Body:
    """The bytes of a reply, counted."""

    def __init__(self, head: Head, request: Request, patience: Patience) -> None:
        check_coding(head, patience.server)
        self._request = request
        self._server = patience.server
        self._size = 0

    def count(self, data: bytes) -> None:
        """Count a piece.

        Raises:
            ProtocolError: It is more than the request allows.
        """
        self._size += len(data)
        if self._size > self._request.max_bytes:
            raise ProtocolError(
                f"{self._request.url} sent more than {self._request.max_bytes:,} bytes.",
                server=self._server,
                hint="Ask for less at once, or check that the address is a model server's."
                " The limits are max_reply_bytes and, for listings, max_listing_bytes.",
            )


class Whole(_Body):
    """A body that is read to its end."""

    def __init__(self, head: Head, request: Request, patience: Patience) -> None:
        super().__init__(head, request, patience)
        patience.expect_whole()
        self._head = head
        self._body = bytearray()

    def take(self, data: bytes) -> None:
        """Take a piece."""
        self.count(data)
        self._body += data

    @property
    def response(self) -> Response:
        """What the dialects read."""
        head = self._head
        return Response(head.status, bytes(self._body), dict(head.headers), self._request.headers)


class Intake(_Body):
    """What has come of a stream: deltas that nobody has taken yet, and whether more will come.

    The end mark ends the answer at once, whatever the connection does afterwards.
    """

    def __init__(self, head: Head, step: Open, patience: Patience) -> None:
        super().__init__(head, step.request, patience)
        self._decoder = step.decoder
        self._patience = patience
        self._deltas: deque[Any] = deque()
        self._has_spoken = False
        self._is_at_end = False
        self.is_complete = False

    def expect(self) -> None:
        """Begin to wait."""
        self._patience.expect_delta(is_first=not self._has_spoken)

    def needs_more(self) -> bool:
        """Tell whether another piece must be read before there is a delta to give."""
        if self._decoder.is_done and not self._deltas and not self._is_at_end:
            self._finish()
            self.is_complete = True
        return not self._deltas and not self._is_at_end

    def take(self, data: bytes | None) -> None:
        """Take a piece, or `None` for the end of the body."""
        if data is None:
            self._finish()
            return
        self.count(data)
        with Redacting(self._request.headers):
            self._deltas += self._decoder.feed(data)
        self._has_spoken = self._has_spoken or bool(self._deltas)

    def give(self) -> Any | None:
        """Give the next delta; `None` if there is none."""
        return self._deltas.popleft() if self._deltas else None

    def _finish(self) -> None:
        self._is_at_end = True
        with Redacting(self._request.headers):
            self._deltas += self._decoder.close()


class Drain:
    """How much more is read of a reply whose answer is complete."""

    def __init__(self, patience: Patience) -> None:
        patience.expect_end(DRAIN_SECONDS)
        self._left = DRAIN_BYTES

    def wants_more(self, data: bytes | None) -> bool:
        """Tell whether to read on."""
        self._left -= len(data or b"")
        return data is not None and self._left > 0
