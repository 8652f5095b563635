"""What the drivers want of an HTTP library, in both colours; another one has this to do.

A wire raises our errors alone, asks the patience it is given before and after every read, and
never decompresses. When the patience's `end` opens, whoever waits for the wire or for one of its
replies is woken by an error. A reply is closed by whoever opened it, on every way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from localmix.transport.patience import Patience
from localmix.wire.flows import Request


class Head(Protocol):
    """The head of a reply; header names are in lower case."""

    @property
    def status(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...


class Reply(Head, Protocol):
    """A reply, and its body piece by piece."""

    def read(self) -> bytes | None:
        """Wait for the next piece of the body; `None` at its end."""
        ...

    def close(self) -> None:
        """Let go of the connection; what has not been read to its end is hung up on."""
        ...


class Wire(Protocol):
    """A way to servers, from any thread."""

    def open(self, request: Request, patience: Patience) -> Reply:
        """Send a request and wait for the head of its reply."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncReply(Head, Protocol):
    """The same as `Reply`."""

    async def read(self) -> bytes | None:
        """Wait for the next piece of the body; `None` at its end."""
        ...

    async def close(self) -> None:
        """Let go of the connection; what has not been read to its end is hung up on."""
        ...


class AsyncWire(Protocol):
    """A way to servers, within one event loop."""

    async def open(self, request: Request, patience: Patience) -> AsyncReply:
        """Send a request and wait for the head of its reply."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
