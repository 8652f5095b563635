"""The observer that tells OpenTelemetry: a span and metrics for each request.

The span is the current one until a server answers, so that what is sent meanwhile stands under it.
After that an answer may be handed out piece by piece, and the caller's own span is the current one
again: no stream leaves anything attached where it yields.

Libraries above us are instrumented too. Our span always stands, under theirs: it alone knows the
server and the fail-over. The conventions' metrics are left to whoever measures the same request
already, so that no token is counted twice; our own metrics are always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from dataclasses import dataclass, field

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
    get_tracer_provider,
)

import localmix
from localmix.observing import content, conventions
from localmix.observing.conventions import Attributes
from localmix.observing.events import (
    Accepted,
    Began,
    Ended,
    Event,
    Failed,
    Skipped,
    Spoke,
    Tried,
)
from localmix.observing.instruments import Instruments

# How instrumentations above us say that they tell of this request themselves.
_SUPPRESSED = ("suppress_language_model_instrumentation", "suppress_instrumentation")

_API = ("opentelemetry.trace", "opentelemetry.metrics")


@dataclass(slots=True)
class _Told:
    """What is kept of a request while it lasts.

    Attributes:
        common: What spans and metrics have in common.
        is_measured: Whether its figures by the conventions are ours to tell.
        attached: How the caller's context comes back; `None` once it has.
    """

    span: Span
    common: Attributes
    is_measured: bool
    attached: Token[Context] | None
    place: Attributes = field(default_factory=dict)
    first_chunk: float | None = None


class Telemetry:
    """Spans and metrics, made of the events of requests.

    Args:
        tracer_provider: Where spans go; without one, to the provider of the process, also one that
            is set later.
        meter_provider: The same for metrics.
        shows_content: Whether prompts, answers and the words of errors are told too.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        shows_content: bool = False,
    ) -> None:
        self._tracer = trace.get_tracer("localmix", localmix.__version__, tracer_provider)
        self._instruments = Instruments(meter_provider, localmix.__version__)
        self._is_for_own_providers = bool(tracer_provider or meter_provider)
        self._shows_content = shows_content
        self._requests: dict[int, _Told] = {}

    def __call__(self, event: Event) -> None:
        """Tell of an event, if there is somebody who could be told when the request begins."""
        if isinstance(event, Began):
            if self._is_heard():
                self._requests[event.number] = self._began(event)
        elif told := self._requests.get(event.number):
            self._go_on(told, event)

    def _is_heard(self) -> bool:
        """Tell whether there is anybody but the API, whose own providers do nothing."""
        providers = get_tracer_provider(), get_meter_provider()
        return self._is_for_own_providers or any(
            not type(each).__module__.startswith(_API) for each in providers
        )

    def _go_on(self, told: _Told, event: Event) -> None:
        match event:
            case Tried():
                self._tried(told, event)
            case Failed():
                self._failed(told, event)
            case Skipped():
                skipped = {"localmix.reason": event.reason}
                _note(told.span, "server.skipped", conventions.of_address(event.server) | skipped)
            case Accepted():
                self._accepted(told, event)
            case Spoke():
                told.first_chunk = event.seconds
            case Ended():
                del self._requests[event.number]
                self._ended(told, event)

    def _began(self, event: Began) -> _Told:
        common = conventions.of_operation(event.request)
        options = conventions.of_request(event.request, is_streamed=event.is_streamed)
        is_measured = not _is_told_already()
        name = _name(common)
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=common | options)
        if self._shows_content and span.is_recording():
            span.set_attributes(content.of_prompt(event.request))
        attached = context.attach(trace.set_span_in_context(span))
        return _Told(span, common, is_measured, attached)

    def _tried(self, told: _Told, event: Tried) -> None:
        told.place = conventions.of_server(event.server, event.model)
        asked_for = told.common.get(conventions.REQUEST_MODEL, event.model)
        told.common |= {**told.place, conventions.REQUEST_MODEL: asked_for}
        told.span.set_attributes({**told.common, "localmix.reason": event.reason})
        told.span.update_name(_name(told.common))
        self._instruments.tried(told.place, event.waited)

    def _failed(self, told: _Told, event: Failed) -> None:
        about = told.place | conventions.of_error(event.error) | self._words(event.error)
        _note(told.span, "attempt.failed", {**about, "localmix.seconds": event.seconds})
        self._instruments.failed(told.place, event.error)

    def _accepted(self, told: _Told, event: Accepted) -> None:
        _detach(told)
        if event.route.attempts:
            self._instruments.failed_over(told.place)

    def _ended(self, told: _Told, event: Ended) -> None:
        _detach(told)
        span = told.span
        span.set_attribute("localmix.outcome", event.outcome)
        if told.first_chunk is not None:
            span.set_attribute(conventions.FIRST_CHUNK, told.first_chunk)
        if event.result:
            result = conventions.of_result(event.result)
            span.set_attributes(result)
            if model := result.get(conventions.RESPONSE_MODEL):
                told.common[conventions.RESPONSE_MODEL] = model
            if self._shows_content and span.is_recording():
                span.set_attributes(content.of_answer(event.result))
        if event.error:
            span.set_attributes(conventions.of_error(event.error))
            words = self._words(event.error).get("exception.message")
            span.set_status(Status(StatusCode.ERROR, str(words) if words else None))
        span.end()
        if told.is_measured:
            self._instruments.ended(told.common, event, told.first_chunk)

    def _words(self, error: Exception) -> Attributes:
        return {"exception.message": str(error)} if self._shows_content else {}


def _is_told_already() -> bool:
    """Tell whether whoever called us measures the request already."""
    if any(context.get_value(key) for key in _SUPPRESSED):
        return True
    above = getattr(trace.get_current_span(), "attributes", None)
    return isinstance(above, Mapping) and conventions.OPERATION in above


def _name(common: Attributes) -> str:
    words = [common[conventions.OPERATION], common.get(conventions.REQUEST_MODEL)]
    return " ".join(str(word) for word in words if word)


def _note(span: Span, event: str, attributes: Attributes) -> None:
    span.add_event(f"localmix.{event}", attributes)


def _detach(told: _Told) -> None:
    if told.attached:
        context.detach(told.attached)
        told.attached = None
