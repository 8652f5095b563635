"""What both drivers make of what comes of steps."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from localmix.errors import LocalMixError
from localmix.wire.flows import Opened, Outcome

_log = logging.getLogger("localmix.transport")


def opened_in(said: Sequence[Outcome] | Exception) -> Sequence[Opened]:
    """Give the streams that were opened, which somebody has to close."""
    return [] if isinstance(said, Exception) else [x for x in said if isinstance(x, Opened)]


@contextmanager
def last_wall() -> Iterator[None]:
    """Let nothing out of a flow beside the others, for nobody is there to be told."""
    try:
        yield
    except LocalMixError:
        pass  # the driver's end: such a flow keeps its own errors
    except Exception:  # noqa: BLE001  (it is told to the log)
        _log.exception("What ran beside the requests has failed.")
