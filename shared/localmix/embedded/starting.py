"""Waiting for the embedded engine, for no longer than the request may take."""

from __future__ import annotations

from localmix.embedded.engine import URL, Engine
from localmix.errors import TimedOutError
from localmix.wire.flows import Flow, call, wait


def started(
    engine: Engine, name: str, seconds: float, window: int | None = None
) -> Flow[tuple[str, dict[str, str]]]:
    """Serve a model, wait until it is loaded, and give its base URL and headers.

    Raises:
        ModelCrashedError: It cannot be loaded.
        TimedOutError: It takes longer; it goes on loading, for whoever asks next.
    """
    served = yield from call(lambda: engine.begin(name, window))
    if not (yield from wait(seconds, served.ready)):
        raise TimedOutError(
            f"The embedded engine did not load {name} within {max(seconds, 0):.3g} s.",
            server=URL,
            hint="It is still loading: ask again, or raise `timeout` or `first_byte_timeout`.",
        )
    return (yield from call(served.address))
