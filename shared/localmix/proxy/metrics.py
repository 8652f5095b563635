"""Figures for Prometheus, with bounded labels: no caller can make up more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from localmix.proxy.activity import Activity
from localmix.proxy.calls import OTHER, Call
from localmix.proxy.survey import Survey
from localmix.types import Server
from localmix.types.words import State

F = TypeVar("F", Counter, Histogram)
# The most pairs of server and model that have figures of their own.
MOST_PLACES = 200
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_PLACE = ("server", "model")


class Metrics:
    """What happens, counted and written for Prometheus."""

    def __init__(self, activity: Activity, survey: Survey) -> None:
        self._registry = CollectorRegistry()
        self._places: set[tuple[str, str]] = set()
        self._figures: dict[tuple[object, tuple[str, ...]], Any] = {}
        labels = ("endpoint", *_PLACE)
        self._requests = self._counter("requests", "Finished calls.", (*labels, "outcome"))
        self._seconds = self._histogram("request_duration", "How long calls took.", labels)
        self._first_token = self._histogram(
            "time_to_first_token", "Time until the first piece of a streamed answer.", labels
        )
        self._tokens = self._counter("tokens", "Tokens read and written.", (*_PLACE, "direction"))
        self._failovers = self._counter(
            "failovers", "Requests that moved to another server.", ("server", "reason")
        )
        self._registry.register(_Now(activity, survey, self._bounded))

    def count(self, call: Call) -> None:
        """Count a call that is over."""
        place = self._bounded(call.server, call.model)
        labels = (call.endpoint, *place)
        self._of(self._requests, *labels, call.outcome).inc()
        self._of(self._seconds, *labels).observe(call.seconds)
        if call.first_token is not None:
            self._of(self._first_token, *labels).observe(call.first_token)
        if call.input_tokens or call.output_tokens:
            self._of(self._tokens, *place, "input").inc(call.input_tokens)
            self._of(self._tokens, *place, "output").inc(call.output_tokens)
        for server, reason in call.failovers:
            self._of(self._failovers, server, reason).inc()

    def write(self, accept: str) -> tuple[bytes, str]:
        """Write all figures in the format that is asked for; give its content type with them."""
        write, content_type = choose_encoder(accept)
        return write(self._registry), content_type

    def _of(self, family: F, *labels: str) -> F:
        """Give the figure with some labels; its family would take much longer to find it."""
        key = family, labels
        found: F | None = self._figures.get(key)
        if found is None:
            found = self._figures[key] = family.labels(*labels)
        return found

    def _bounded(self, server: str, model: str) -> tuple[str, str]:
        """Give the labels of a place; beyond the bound all models are one."""
        place = server, model
        if model and place not in self._places:
            if len(self._places) >= MOST_PLACES:
                return server, OTHER
            self._places.add(place)
        return place

    def _counter(self, name: str, about: str, labels: Iterable[str]) -> Counter:
        return Counter(f"localmix_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, labels: Iterable[str]) -> Histogram:
        full = f"localmix_{name}_seconds"
        return Histogram(full, about, labels, registry=self._registry, buckets=_SECONDS)


_Bounded = Callable[[str, str], tuple[str, str]]


class _Now(Collector):
    """What is the case when somebody asks."""

    def __init__(self, activity: Activity, survey: Survey, bounded: _Bounded) -> None:
        self._activity = activity
        self._survey = survey
        self._bounded = bounded

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Give the gauges, and the counters that others keep."""
        seen, in_flight = self._survey.seen, self._activity.in_flight
        flight = GaugeMetricFamily(
            "localmix_in_flight", "Requests in progress at a server.", labels=["server"]
        )
        for url in dict.fromkeys([*(server.url for server in seen.servers), *in_flight]):
            flight.add_metric([url], in_flight[url])
        yield flight
        queued = "Requests waiting for a server."
        yield GaugeMetricFamily("localmix_queued", queued, self._activity.queued)
        yield from _states(seen.servers)
        loaded = GaugeMetricFamily("localmix_model_loaded", "Models in memory.", labels=_PLACE)
        for place in sorted({self._bounded(*place) for place in seen.loaded}):
            loaded.add_metric(place, 1)
        yield loaded
        yield from self._moves()

    def _moves(self) -> Iterator[CounterMetricFamily]:
        labels = [*_PLACE, "reason"]
        about = "Models loaded", "Models unloaded"
        for step, said in zip(("load", "unload"), about, strict=True):
            family = CounterMetricFamily(f"localmix_{step}s", f"{said}.", labels=labels)
            sums: dict[tuple[str, ...], int] = {}
            for move, count in self._survey.moves.items():
                if move.step == step:
                    key = *self._bounded(move.server, move.model), str(move.reason)
                    sums[key] = sums.get(key, 0) + count
            for values, count in sums.items():
                family.add_metric(values, count)
            yield family


def _states(servers: Iterable[Server]) -> Iterator[GaugeMetricFamily]:
    up = GaugeMetricFamily("localmix_server_up", "Whether it answers.", labels=["server"])
    states = GaugeMetricFamily(
        "localmix_server_state",
        "Its health: 1 for the current state.",
        labels=["server", "state"],
    )
    for server in servers:
        up.add_metric([server.url], bool(server.kind))
        for state in get_args(State):
            states.add_metric([server.url, state], state == server.state)
    yield up
    yield states
