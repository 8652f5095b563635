"""The metrics: those of OpenTelemetry's conventions for generative AI, and our own."""

from __future__ import annotations

from opentelemetry.metrics import MeterProvider, get_meter

from localmix.observing import conventions
from localmix.observing.conventions import Attributes
from localmix.observing.events import Ended

# What the conventions advise: seconds that double, and counts that grow by four.
_SECONDS = [0.01 * 2**step for step in range(14)]
_COUNTS = [float(4**step) for step in range(14)]


class Instruments:
    """The figures of requests, measured.

    Args:
        provider: Where the figures go; without one, to the provider of the process.
    """

    def __init__(self, provider: MeterProvider | None, version: str) -> None:
        meter = get_meter("localmix", version, provider)
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "Duration of a request.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time until the first piece of a streamed answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens read and written for a request.",
            explicit_bucket_boundaries_advisory=_COUNTS,
        )
        self._attempts = meter.create_counter(
            "localmix.attempts", "{attempt}", "Servers that were asked."
        )
        self._failures = meter.create_counter(
            "localmix.attempt.failures", "{attempt}", "Servers that did not answer as they should."
        )
        self._failovers = meter.create_counter(
            "localmix.failovers", "{request}", "Requests that were answered after a server failed."
        )
        self._queue = meter.create_histogram(
            "localmix.queue.wait",
            "s",
            "Time that a request waited for a free slot.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def tried(self, place: Attributes, waited: float) -> None:
        """Count a server that is asked."""
        self._attempts.add(1, place)
        self._queue.record(waited, place)

    def failed(self, place: Attributes, error: Exception) -> None:
        """Count one that has failed."""
        self._failures.add(1, place | conventions.of_error(error))

    def failed_over(self, place: Attributes) -> None:
        """Count a request that another server has answered."""
        self._failovers.add(1, place)

    def ended(self, common: Attributes, event: Ended, first_chunk: float | None) -> None:
        """Measure a request that is over, by the conventions.

        Args:
            common: What the figures are told apart by.
            event: Its end.
            first_chunk: The seconds until the first piece of a stream.
        """
        error = conventions.of_error(event.error) if event.error else {}
        self._duration.record(event.seconds, common | error)
        if first_chunk is not None:
            self._first_chunk.record(first_chunk, common)
        for kind, count in conventions.tokens_of(event.result).items():
            self._tokens.record(count, {**common, conventions.TOKEN_TYPE: kind})
