"""What happens to requests, told to whoever wants to know: logs, telemetry, figures, a page."""

from localmix.observing.events import (
    Accepted,
    Began,
    Ended,
    Event,
    Failed,
    Observer,
    Outcome,
    Skipped,
    Spoke,
    Tried,
)
from localmix.observing.watch import Watch

__all__ = [
    "Accepted",
    "Began",
    "Ended",
    "Event",
    "Failed",
    "Observer",
    "Outcome",
    "Skipped",
    "Spoke",
    "Tried",
    "Watch",
]
