"""Figures, as Prometheus' own parser reads them: they equal what was sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from localmix.proxy import metrics, survey
from tests import stand_ins
from tests.lmstudio.server import LMStudio
from tests.loopback import Exchange, LoopbackServer, hang_up
from tests.proxy.served import Proxy, proxy

Start = Callable[[LoopbackServer], LoopbackServer]
Labels = dict[str, str]
HELLO = [{"role": "user", "content": "Hi"}]


def figures(front: Proxy) -> list[tuple[str, Labels, float]]:
    reply = front.ask("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(reply.body.decode())
    return [(each.name, each.labels, each.value) for family in families for each in family.samples]


def total(front: Proxy, name: str, **labels: str) -> float:
    found = [each for each in figures(front) if each[0] == f"localmix_{name}"]
    return sum(value for _, shown, value in found if labels.items() <= shown.items())


def chat(front: Proxy, model: str = "tiny", *, stream: bool = False) -> int:
    body = {"model": model, "messages": HELLO, "stream": stream}
    return front.ask("POST", "/api/chat", body).status


@pytest.fixture(autouse=True)
def _every_look_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "FRESH", 0.0)
    monkeypatch.setattr("localmix.proxy.inventory._FRESH", 0.0)
    # On a busy machine a look may take its time, and must not be an old one.
    monkeypatch.setattr(survey, "PATIENCE", 30.0)
    monkeypatch.setattr("localmix.proxy.inventory.PATIENCE", 30.0)


def test_counts_equal_what_was_sent(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front:
        for _ in range(3):
            assert chat(front) == 200
        for _ in range(2):
            assert chat(front, stream=True) == 200
        body = {"model": "tiny", "messages": HELLO}
        assert front.ask("POST", "/v1/chat/completions", body).status == 200
        assert front.ask("POST", "/api/embed", {"model": "embed", "input": "Hi"}).status == 200
        assert front.ask("GET", "/api/tags").status == 200
        assert chat(front, "nobody's") == 404
        assert front.ask("GET", "/nothing").status == 404
        assert front.ask("GET", "/", Host="evil.example").status == 403
        place = {"server": behind.url, "model": "tiny:latest"}
        asked = {"endpoint": "/api/chat", **place}
        assert total(front, "requests_total", outcome="answered", **asked) == 5
        assert total(front, "requests_total", endpoint="/v1/chat/completions", **place) == 1
        assert total(front, "requests_total", endpoint="/api/embed", outcome="answered") == 1
        assert total(front, "requests_total", endpoint="/api/tags", server="", model="") == 1
        assert total(front, "requests_total", endpoint="/api/chat", outcome="refused") == 1
        assert total(front, "requests_total", endpoint="other", outcome="refused") == 2
        assert total(front, "request_duration_seconds_count", **asked) == 5
        assert total(front, "time_to_first_token_seconds_count", **asked) == 2
        assert total(front, "tokens_total", direction="input", **place) == 6 * 19
        assert total(front, "tokens_total", direction="output", **place) == 6 * 26
        assert total(front, "in_flight") == total(front, "queued") == 0
        assert total(front, "server_up", server=behind.url) == 1


@pytest.mark.slow
def test_a_server_that_fails_is_counted_with_its_state(start: Start) -> None:
    first = start(stand_ins.ollama(POST__api_chat=hang_up))
    second = start(stand_ins.ollama())
    with proxy([first.url, second.url], max_failures=1) as front:
        assert chat(front) == 200
        left = {"server": first.url, "reason": "ConnectError"}
        assert total(front, "failovers_total", **left) == total(front, "failovers_total") == 1
        assert total(front, "requests_total", server=second.url, outcome="answered") == 1
        second.stop()
        assert chat(front) in (502, 503)
        assert total(front, "requests_total", endpoint="/api/chat", outcome="failed") == 1
        assert total(front, "server_up", server=second.url) == 0
        for each in (first, second):
            assert total(front, "server_state", server=each.url) == 1


def test_a_stream_that_breaks_has_failed_whatever_its_status(start: Start) -> None:
    def break_off(exchange: Exchange) -> None:
        exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
        exchange.chunk(b'{"model":"tiny","message":{"content":"H"},"done":false}\n')
        exchange.connection.close()

    behind = start(stand_ins.ollama(POST__api_chat=break_off))
    with proxy([behind.url]) as front:
        assert chat(front, stream=True) == 200
        assert total(front, "requests_total", endpoint="/api/chat", outcome="failed") == 1
        assert total(front, "requests_total", endpoint="/api/chat") == 1


def test_who_waits_for_an_answer_is_seen_and_who_leaves_is_counted(start: Start) -> None:
    asked: list[Exchange] = []

    def wait(exchange: Exchange) -> None:
        asked.append(exchange)
        exchange.is_hung_up(30)

    behind = start(stand_ins.ollama(POST__api_chat=wait))
    with proxy([{"url": behind.url, "limit": 1}]) as front:  # type: ignore[list-item]
        body = b'{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}'
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with front.connect() as one, front.connect() as other:
            for connection in (one, other):
                connection.sendall(head.encode() + body)
            _until(lambda: total(front, "queued") == 1)
            assert total(front, "in_flight", server=behind.url) == 1
        _until(lambda: total(front, "requests_total", outcome="left") == 2)
        assert total(front, "in_flight") == total(front, "queued") == 0


def test_loads_and_unloads_have_their_reasons(start: Start) -> None:
    behind = start(LMStudio())
    with proxy([behind.url]) as front:
        name = front.ask("GET", "/v1/models").json["data"][0]["id"]
        body = {"model": name, "stream": False}
        assert front.ask("POST", "/api/generate", body).status == 200
        assert total(front, "loads_total", reason="asked", server=behind.url) == 1
        assert total(front, "model_loaded") == 1
        assert front.ask("POST", "/api/generate", {**body, "keep_alive": 0}).status == 200
        assert total(front, "unloads_total", reason="asked") == 1
        assert total(front, "model_loaded") == 0
        assert total(front, "loads_total") == total(front, "unloads_total") == 1


def test_a_server_that_loads_and_unloads_by_itself_is_seen(start: Start) -> None:
    behind = start(stand_ins.ollama())
    empty = behind.routes["GET /api/ps"]
    full = stand_ins.ollama(loaded=("tiny:latest",)).routes["GET /api/ps"]
    with proxy([behind.url]) as front:
        assert total(front, "loads_total") == 0
        behind.routes["GET /api/ps"] = full
        assert total(front, "loads_total", reason="server", model="tiny:latest") == 1
        behind.routes["GET /api/ps"] = empty
        assert total(front, "unloads_total", reason="server") == 1
        assert chat(front) == 200
        behind.routes["GET /api/ps"] = full
        assert total(front, "loads_total", reason="request") == 1
        behind.stop()
        assert total(front, "unloads_total") == 1  # it went with its server


def test_no_caller_makes_up_labels(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_PLACES", 3)
    names = [f"m{number}:latest" for number in range(6)]
    behind = start(stand_ins.ollama(*names))
    with proxy([behind.url]) as front:
        for name in names:
            assert chat(front, name) == 200
        for number in range(6):
            assert chat(front, f"made-up-{number}") == 404
            assert front.ask("GET", f"/made-up-{number}").status == 404
        said = front.ask("GET", "/metrics").body.decode()
        assert "made-up" not in said
        assert sum(f'model="{name}"' in said for name in names) == 3
        assert total(front, "requests_total", model="other") == 3
        assert total(front, "requests_total", endpoint="/api/chat") == 12


def test_names_of_servers_cannot_break_the_format(start: Start) -> None:
    name = 'ti"ny\\n'
    behind = start(stand_ins.openai(name))
    with proxy([behind.url]) as front:
        assert chat(front, name) == 200
        assert total(front, "requests_total", model=name, outcome="answered") == 1


def test_the_newer_format_is_there_for_who_asks_for_it(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front:
        assert chat(front) == 200
        accept = "application/openmetrics-text; version=1.0.0"
        reply = front.ask("GET", "/metrics", Accept=accept)
        assert reply.headers["content-type"].startswith("application/openmetrics-text")
        read = openmetrics.text_string_to_metric_families
        families = list(read(reply.body.decode()))  # type: ignore[no-untyped-call]
        assert "localmix_requests" in {family.name for family in families}


def test_figures_are_behind_the_token(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url], proxy_token="correct-horse") as front:
        assert front.ask("GET", "/metrics").status == 401
        assert front.ask("GET", "/metrics", Authorization="Bearer correct-horse").status == 200


def _until(is_so: Callable[[], bool]) -> None:
    """Ask again until it is so; the test's own time-out ends what never comes."""
    while not is_so():
        pass
