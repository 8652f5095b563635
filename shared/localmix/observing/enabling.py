"""Whether OpenTelemetry is told of requests: as the user says, or as the program imports it."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec

from localmix.observing.events import Observer
from localmix.settings import Settings

_API = "opentelemetry.trace"
_log = logging.getLogger("localmix")


def with_telemetry(observers: tuple[Observer, ...], settings: Settings) -> tuple[Observer, ...]:
    """Add telemetry to some observers, if it is wanted and can be had, and is not among them.

    This is the only moment at which OpenTelemetry is imported: when a client reads its settings,
    which is done off the event loop. Where nobody has said whether it is wanted, it is in programs
    that have imported it themselves: those that have not pay nothing.
    """
    wanted = _API in sys.modules if settings.telemetry is None else settings.telemetry
    if not wanted:
        return observers
    if _API not in sys.modules and not find_spec("opentelemetry"):
        _log.warning("Telemetry is on, but OpenTelemetry is missing: pip install 'localmix[otel]'")
        return observers
    from localmix.observing.telemetry import Telemetry

    if any(isinstance(each, Telemetry) for each in observers):
        return observers
    return (*observers, Telemetry(shows_content=settings.telemetry_content))
