"""Spans and metrics by OpenTelemetry's conventions, read back from the SDK's own exporters."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from localmix import Client, Message
from localmix.errors import LocalMixError, NoServerError
from localmix.settings import Settings
from localmix.types import Image, ToolCall
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.loopback import hang_up, ndjson, whole

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from localmix.observing import Event
from localmix.observing.enabling import with_telemetry
from localmix.observing.telemetry import Telemetry

SECRET = "the prompt that nobody may read"
NOWHERE = "http://127.0.0.1:9"
SECONDS = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"


class Heard:
    """What an application's own exporters get."""

    def __init__(self, **options: Any) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracers = TracerProvider(**options)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._metrics])
        self.tracer = self.tracers.get_tracer("the application")

    def observer(self, **options: Any) -> Telemetry:
        return Telemetry(self.tracers, self.meters, **options)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._spans.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        (span,) = [one for one in self.spans if one.kind is SpanKind.CLIENT]
        return span

    def points(self, name: str) -> list[Any]:
        return [point for _, point in self.points_by_scope(name)]

    def points_by_scope(self, name: str) -> list[tuple[str, Any]]:
        told = self._metrics.get_metrics_data()
        return [
            (scope.scope.name, point)
            for resource in (told.resource_metrics if told else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def of(url: str) -> dict[str, Any]:
    host, port = url.removeprefix("http://").split(":")
    return {"server.address": host, "server.port": int(port)}


def said(thing: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in thing.attributes.items()
    }


def test_the_span_of_a_chat(either: MakeEither, start: Any, heard: Heard) -> None:
    url = start(stand_ins.ollama()).url
    client = either(url, observers=[heard.observer()])
    client.chat(SECRET, model="tiny", temperature=0, max_tokens=9, seed=7, stop=["x"])
    span = heard.span
    assert (span.name, span.kind) == ("chat tiny", SpanKind.CLIENT)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "localmix"
    attributes = said(span)
    assert attributes.pop("localmix.reason")
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "tiny",
        "gen_ai.request.temperature": 0,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.response.model": "tiny:latest",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 19,
        "gen_ai.usage.output_tokens": 26,
        "localmix.outcome": "answered",
        **of(url),
    }
    assert span.status.status_code is StatusCode.UNSET


def test_the_metrics_of_a_chat(either: MakeEither, start: Any, heard: Heard) -> None:
    url = start(stand_ins.ollama()).url
    either(url, observers=[heard.observer()]).chat("hello", model="tiny")
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "tiny",
        "gen_ai.response.model": "tiny:latest",
        **of(url),
    }
    (duration,) = heard.points(SECONDS)
    assert said(duration) == common
    assert list(duration.explicit_bounds)[:3] == [0.01, 0.02, 0.04]
    assert list(duration.explicit_bounds)[-1] == 81.92
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in heard.points(TOKENS)}
    assert tokens == {"input": 19, "output": 26}
    assert list(heard.points(TOKENS)[0].explicit_bounds)[-1] == 67108864
    (attempts,) = heard.points("localmix.attempts")
    assert attempts.value == 1
    (queue,) = heard.points("localmix.queue.wait")
    assert (queue.count, said(queue)) == (1, said(attempts))


def test_a_stream(either: MakeEither, start: Any, heard: Heard) -> None:
    either(start(stand_ins.ollama()).url, observers=[heard.observer()]).stream("hi", model="tiny")
    attributes = said(heard.span)
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    first = attributes["gen_ai.response.time_to_first_chunk"]
    (point,) = heard.points("gen_ai.client.operation.time_to_first_chunk")
    assert point.sum == first
    assert 0 < first <= heard.points(SECONDS)[0].sum


def test_vectors_and_completions(either: MakeEither, start: Any, heard: Heard) -> None:
    client = either(start(stand_ins.ollama()).url, observers=[heard.observer()])
    client.embed("hello", model="embed", dimensions=2)
    client.complete("Once", model="tiny")
    vectors, completion = map(said, heard.spans)
    assert vectors["gen_ai.operation.name"] == "embeddings"
    assert vectors["gen_ai.embeddings.dimension.count"] == 2
    assert completion["gen_ai.operation.name"] == "text_completion"
    assert [span.name for span in heard.spans] == ["embeddings embed", "text_completion tiny"]


@pytest.mark.parametrize(
    ("server", "provider"),
    [(stand_ins.lmstudio, "lm_studio"), (stand_ins.openai, "openai_compatible")],
)
def test_a_provider_is_never_taken_for_openai(
    start: Any, heard: Heard, server: Callable[[], Any], provider: str
) -> None:
    with Client(start(server()).url, observers=[heard.observer()]) as client:
        client.chat("hello", model="tiny")
    assert said(heard.span)["gen_ai.provider.name"] == provider


def test_where_no_model_is_named_the_one_that_is_asked_for(start: Any, heard: Heard) -> None:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        client.chat("hello")
    assert heard.span.name == "chat tiny:latest"
    assert said(heard.span)["gen_ai.request.model"] == "tiny:latest"


def test_a_failover(either: MakeEither, start: Any, heard: Heard) -> None:
    bad, good = start(stand_ins.ollama(POST__api_chat=hang_up)), start(stand_ins.ollama())
    client = either([bad.url, good.url], observers=[heard.observer()])
    (attempt,) = route_of(client.chat(SECRET, model="tiny")).attempts
    (failed,) = heard.span.events
    assert failed.name == "localmix.attempt.failed"
    about = said(failed)
    assert about.items() >= {"error.type": type(attempt.error).__name__, **of(bad.url)}.items()
    assert said(heard.span).items() >= of(good.url).items()
    assert "error.type" not in said(heard.span)
    (failure,) = heard.points("localmix.attempt.failures")
    assert failure.attributes["server.port"] == about["server.port"]
    (failover,) = heard.points("localmix.failovers")
    assert failover.attributes["server.port"] == of(good.url)["server.port"]
    assert len(heard.points("localmix.attempts")) == 2


def test_a_server_that_is_passed_over(either: MakeEither, start: Any, heard: Heard) -> None:
    client = either([NOWHERE, start(stand_ins.ollama()).url], observers=[heard.observer()])
    client.chat("hello", model="tiny")
    (skipped,) = heard.span.events
    assert skipped.name == "localmix.server.skipped"
    assert said(skipped).items() >= of(NOWHERE).items()


def test_a_request_that_fails(either: MakeEither, heard: Heard) -> None:
    with pytest.raises(NoServerError):
        either(NOWHERE, observers=[heard.observer()]).chat(SECRET, model="tiny")
    span = heard.span
    assert span.status.status_code is StatusCode.ERROR
    assert said(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "localmix",
        "gen_ai.request.model": "tiny",
        "error.type": "NoServerError",
        "localmix.outcome": "failed",
    }
    assert heard.points(SECONDS)[0].attributes["error.type"] == "NoServerError"


def test_a_stream_that_breaks_off(either: MakeEither, start: Any, heard: Heard) -> None:
    broken = ndjson(stand_ins.ollama_says(content="Once upon"), end=hang_up)
    url = start(stand_ins.ollama(POST__api_chat=broken)).url
    with pytest.raises(LocalMixError):
        either(url, observers=[heard.observer()]).stream("hello", model="tiny")
    assert heard.span.status.status_code is StatusCode.ERROR
    assert "gen_ai.response.time_to_first_chunk" in said(heard.span)


def test_one_that_is_left_is_no_error(either: MakeEither, start: Any, heard: Heard) -> None:
    client = either(start(stand_ins.ollama()).url, observers=[heard.observer()])
    client.stream("hello", model="tiny", at_most=1)
    assert said(heard.span)["localmix.outcome"] == "left"
    assert heard.span.status.status_code is StatusCode.UNSET


# Content


def test_nothing_shows_what_was_said(either: MakeEither, start: Any, heard: Heard) -> None:
    bad = start(stand_ins.ollama(POST__api_chat=whole({"error": SECRET}, status=500)))
    client = either([bad.url, start(stand_ins.ollama()).url], observers=[heard.observer()])
    answer = client.chat(SECRET, model="tiny").content
    shown = "".join(span.to_json() for span in heard.spans)
    assert "attempt.failed" in shown
    assert SECRET not in shown
    assert answer not in shown


def test_what_was_said_if_that_is_wanted(either: MakeEither, start: Any, heard: Heard) -> None:
    client = either(start(stand_ins.ollama()).url, observers=[heard.observer(shows_content=True)])
    call = ToolCall(name="time", arguments='{"zone": "UTC"}', id="1")
    messages = [
        Message(role="user", content=("Look:", Image(data=b"png"))),
        Message(role="assistant", reasoning="Hm.", tool_calls=(call,)),
        Message(role="tool", content="12:30", tool_call_id="1", tool_name="time"),
    ]
    client.chat(messages, model="tiny")
    asked, called, told = json.loads(said(heard.span)["gen_ai.input.messages"])
    assert asked["parts"] == [
        {"type": "text", "content": "Look:"},
        {"type": "image", "mime_type": "image/png", "bytes": 3},
    ]
    assert called["parts"] == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "tool_call", "id": "1", "name": "time", "arguments": {"zone": "UTC"}},
    ]
    assert told["parts"][0].items() >= {"type": "tool_call_response", "response": "12:30"}.items()
    assert json.loads(said(heard.span)["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Hi."}],
            "finish_reason": "stop",
        }
    ]


@pytest.mark.parametrize(
    ("word", "shows"),
    [("true", True), ("SPAN_ONLY", True), ("SPAN_AND_EVENT", True), ("NO_CONTENT", False),
     ("EVENT_ONLY", False), ("a word of others", False)],
)  # fmt: skip
def test_the_switch_of_the_conventions(
    monkeypatch: pytest.MonkeyPatch, word: str, shows: bool
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", word)
    assert Settings.load().telemetry_content is shows


# Among other spans


def test_ours_stands_under_the_callers(either: MakeEither, start: Any, heard: Heard) -> None:
    client = either(start(stand_ins.ollama()).url, observers=[heard.observer()])
    with heard.tracer.start_as_current_span("theirs") as theirs:
        client.chat("hello", model="tiny")
        client.stream("hello", model="tiny")
        client.embed(["one", "two", "three"], model="embed", chunk_size=1)
        assert trace.get_current_span() is theirs
    ours = [span for span in heard.spans if span.name != "theirs"]
    assert len(ours) == 5
    assert {span.parent.span_id for span in ours if span.parent} == {
        theirs.get_span_context().span_id
    }


def test_nothing_is_attached_while_a_stream_is_read(start: Any, heard: Heard) -> None:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        with heard.tracer.start_as_current_span("theirs") as theirs:
            for _ in client.stream("hello", model="tiny"):
                assert trace.get_current_span() is theirs
        stream = client.stream("hello", model="tiny")
        next(stream)
        assert not trace.get_current_span().is_recording()
        stream.close()


async def test_nor_in_an_event_loop(start: Any, heard: Heard) -> None:
    from localmix import AsyncClient

    async with AsyncClient(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        with heard.tracer.start_as_current_span("theirs") as theirs:
            async for _ in client.stream("hello", model="tiny"):
                assert trace.get_current_span() is theirs


def test_a_stream_may_be_read_in_another_thread(
    start: Any, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        stream = client.stream("hello", model="tiny")
        next(stream)
        thread = threading.Thread(target=lambda: list(stream))
        thread.start()
        thread.join()
    assert said(heard.span)["localmix.outcome"] == "answered"
    assert not caplog.records


def test_what_is_sent_stands_under_ours(either: MakeEither, start: Any, heard: Heard) -> None:
    """Probes too, which run in threads or tasks of their own."""
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.httpx")
    instrumentor = instrumentation.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=heard.tracers)
    try:
        client = either(start(stand_ins.ollama()).url, observers=[heard.observer()])
        client.stream("hello", model="tiny")
        client.close()
    finally:
        instrumentor.uninstrument()
    ours = next(span for span in heard.spans if span.name == "chat tiny")
    sent = [span for span in heard.spans if span is not ours]
    assert ours.context is not None
    assert {"GET", "POST"} <= {span.name.split(" ")[0] for span in sent}
    assert {span.parent and span.parent.span_id for span in sent} == {ours.context.span_id}


@pytest.mark.parametrize(
    "key", ["suppress_language_model_instrumentation", "suppress_instrumentation"]
)
def test_no_token_is_counted_twice(start: Any, heard: Heard, key: str) -> None:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        token = context.attach(context.set_value(key, True))
        try:
            client.chat("hello", model="tiny")
        finally:
            context.detach(token)
    assert said(heard.span)["gen_ai.usage.input_tokens"] == 19
    assert heard.points(TOKENS) == heard.points(SECONDS) == []
    assert heard.points("localmix.attempts")[0].value == 1


def test_nor_under_a_span_of_the_same_conventions(start: Any, heard: Heard) -> None:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        with heard.tracer.start_as_current_span(
            "chat", attributes={"gen_ai.operation.name": "chat"}
        ):
            client.stream("hello", model="tiny").close()
            list(client.stream("hello", model="tiny"))
        assert heard.points(TOKENS) == []
        client.chat("hello", model="tiny")
    assert len(heard.points(TOKENS)) == 2


def test_what_is_not_sampled_is_measured(start: Any) -> None:
    heard = Heard(sampler=ALWAYS_OFF)
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        client.chat("hello", model="tiny")
    assert not heard.spans
    assert len(heard.points(SECONDS)) == 1


# Whether it is on


def added(*observers: Any, **settings: Any) -> list[type]:
    return [type(each) for each in with_telemetry(observers, Settings.load(**settings))]


def test_it_is_on_if_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert added(telemetry=True) == added() == [Telemetry]
    assert added(telemetry=False) == []
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert added() == []


def test_one_that_is_handed_in_takes_its_place(heard: Heard) -> None:
    mine = heard.observer()
    assert with_telemetry((mine,), Settings.load(telemetry=True)) == (mine,)


def test_without_the_package_nothing_happens_but_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    monkeypatch.setattr("localmix.observing.enabling.find_spec", lambda name: None)
    assert added(telemetry=True) == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "localmix[otel]" in record.getMessage()


def test_without_a_tracer_nothing_happens(either: MakeEither, start: Any) -> None:
    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[events.append], telemetry=True)
    assert client.chat("hello", model="tiny").content == "Hi."
    assert events
