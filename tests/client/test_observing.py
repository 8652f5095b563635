"""Observers are told the life of every request, and the log is one of them."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from localmix import Client
from localmix.errors import LocalMixError, NoServerError
from localmix.observing import Accepted, Began, Ended, Event, Failed, Skipped, Spoke, Tried
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import hang_up, ndjson

SECRET = "the prompt that nobody may read"
NOWHERE = "http://127.0.0.1:9"


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_whole_answer(either: MakeEither, start: Any) -> None:
    url, events = start(stand_ins.ollama()).url, list[Event]()
    result = either(url, observers=[events.append]).chat("hello", model="tiny")
    began, tried, accepted, ended = events
    assert isinstance(began, Began)
    assert not began.is_streamed
    assert began.request.model == "tiny"
    assert isinstance(tried, Tried)
    assert (tried.server.url, tried.model) == (url, "tiny:latest")
    assert isinstance(accepted, Accepted)
    assert accepted.route == result.route
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.result, ended.error) == ("answered", result, None)
    assert len({event.number for event in events}) == 1


def test_a_streamed_one(either: MakeEither, start: Any) -> None:
    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[events.append])
    client.stream("hello", model="tiny")
    assert names(events) == ["Began", "Tried", "Accepted", "Spoke", "Ended"]
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert ended.outcome == "answered"
    assert ended.result is not None
    assert ended.result.route is not None
    spoke = events[3]
    assert isinstance(spoke, Spoke)
    assert 0 <= spoke.seconds <= ended.seconds


def test_one_that_is_left(either: MakeEither, start: Any) -> None:
    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[events.append])
    client.stream("hello", model="tiny", at_most=1)
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.error) == ("left", None)


def test_vectors(either: MakeEither, start: Any) -> None:
    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[events.append])
    client.embed(["one", "two"], model="embed", chunk_size=1)
    assert names(events) == ["Began", "Tried", "Accepted", "Ended"] * 2
    assert len({event.number for event in events}) == 2


def test_a_failover(either: MakeEither, start: Any) -> None:
    bad, good = start(stand_ins.ollama(POST__api_chat=hang_up)), start(stand_ins.ollama())
    events: list[Event] = []
    either([bad.url, good.url], observers=[events.append]).chat("hello", model="tiny")
    assert names(events) == ["Began", "Tried", "Failed", "Tried", "Accepted", "Ended"]
    failed = events[2]
    assert isinstance(failed, Failed)
    assert failed.server.url == bad.url
    assert isinstance(failed.error, LocalMixError)


def test_a_server_that_is_passed_over(either: MakeEither, start: Any) -> None:
    there, events = start(stand_ins.ollama()).url, list[Event]()
    either([NOWHERE, there], observers=[events.append]).chat("hello", model="tiny")
    (skipped,) = (event for event in events if isinstance(event, Skipped))
    assert skipped.server == NOWHERE
    assert "Connection refused" in skipped.reason


def test_a_request_that_fails(either: MakeEither) -> None:
    events: list[Event] = []
    with pytest.raises(NoServerError) as caught:
        either(NOWHERE, observers=[events.append]).chat("hello")
    assert names(events) == ["Began", "Ended"]
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.error) == ("failed", caught.value)


def test_a_stream_that_breaks_off(either: MakeEither, start: Any) -> None:
    broken = ndjson(stand_ins.ollama_says(content="Once upon"), end=hang_up)
    events: list[Event] = []
    client = either(start(stand_ins.ollama(POST__api_chat=broken)).url, observers=[events.append])
    with pytest.raises(LocalMixError):
        client.stream("hello", model="tiny")
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert ended.outcome == "failed"
    assert ended.result is not None
    assert ended.result.content == "Once upon"  # type: ignore[union-attr]


def test_an_observer_that_fails_harms_nobody(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(event: Event) -> None:
        raise ZeroDivisionError

    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[fails, events.append])
    client.chat("hello", model="tiny")
    assert len(events) == len(caplog.records) == 4


def test_events_show_no_prompt_and_no_answer(either: MakeEither, start: Any) -> None:
    events: list[Event] = []
    client = either(start(stand_ins.ollama()).url, observers=[events.append])
    answer = client.chat(SECRET, model="tiny").content
    shown = "".join(map(repr, events))
    assert SECRET not in shown
    assert answer
    assert answer not in shown


def test_a_copy_in_another_process_keeps_them() -> None:
    copied = pickle.loads(pickle.dumps(Client(NOWHERE, observers=[print])))
    assert copied.settings.servers[0].url == NOWHERE
    assert copied.__getstate__()["observers"] == (print,)


def log_of(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_the_log_has_one_line_a_request(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = either(url := start(stand_ins.ollama()).url)
    client.chat("hello", model="tiny")
    assert not caplog.records
    caplog.set_level(logging.INFO, "localmix")
    client.chat(SECRET, model="tiny")
    ((level, line),) = log_of(caplog)
    assert level == logging.INFO
    assert f"tiny:latest at {url}" in line
    assert "tokens read" in line
    assert SECRET not in line


@pytest.mark.parametrize("observers", [(), (lambda event: None,)], ids=["alone", "beside others"])
def test_a_failover_is_a_warning(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture, observers: Any
) -> None:
    bad, good = start(stand_ins.ollama(POST__api_chat=hang_up)), start(stand_ins.ollama())
    either([bad.url, good.url], observers=observers).chat("hello", model="tiny")
    ((level, line),) = log_of(caplog)
    assert level == logging.WARNING
    assert f"{bad.url} failed" in line
    assert f"at {good.url}" in line


def test_each_step_for_those_who_look_closely(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "localmix")
    bad, good = start(stand_ins.ollama(POST__api_chat=hang_up)), start(stand_ins.ollama())
    either([NOWHERE, bad.url, good.url]).stream(SECRET, model="tiny")
    lines = "\n".join(line for _, line in log_of(caplog))
    for step in ("ChatRequest for tiny", f"asks {bad.url}", f"{bad.url} failed after",
                 f"skips {NOWHERE}", "received the first piece"):  # fmt: skip
        assert step in lines
    assert SECRET not in lines


def test_what_servers_prove_and_why_a_place_is_taken(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "localmix")
    first, second = start(stand_ins.ollama()).url, start(stand_ins.openai()).url
    servers = [{"url": first, "token": SECRET}, {"url": second}, {"url": NOWHERE}]
    digests = {
        "tiny": next(m.digest for m in either(first).models_by_server() if m.name == "tiny:latest")
    }
    client = either(servers, digests=digests)
    client.servers()
    lines = "\n".join(line for _, line in log_of(caplog))
    for found in (
        f"{first} is ollama 0.32.15, by its reply to /api/version, with 2 models",
        f"{second} is openai, by its reply to /v1/models, with ",
        f"{NOWHERE} cannot be used: ",
    ):
        assert found in lines
    caplog.clear()
    client.chat("hello", model="tiny")
    lines = "\n".join(line for _, line in log_of(caplog))
    assert f"tiny: not {second}: " in lines  # it tells no digest
    assert f"tiny: tiny:latest at {first} (" in lines
    assert SECRET not in lines


def test_the_order_of_places_is_told(
    either: MakeEither, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "localmix.routing")
    first, second = start(stand_ins.ollama()).url, start(stand_ins.ollama()).url
    either([first, second]).chat("hello", model="tiny")
    ((_, line),) = log_of(caplog)
    assert line.index(f"tiny:latest at {first} (") < line.index(f"then tiny:latest at {second} (")
