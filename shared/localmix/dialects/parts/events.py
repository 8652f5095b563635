"""Server-sent events that say their type twice, as agents' dialects do."""

from __future__ import annotations

from typing import Any

from localmix.wire import jsontext


def event(kind: str, **said: Any) -> bytes:
    """Write one event."""
    return b"event: %b\ndata: %b\n\n" % (
        kind.encode("ascii"),
        jsontext.ascii_line({"type": kind, **said}),
    )
