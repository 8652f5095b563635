"""`num_ctx` in front of LM Studio: no model is loaded anew for it, until a request needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, whole
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
LONG = [{"role": "user", "content": "long"}]
SHORT = [{"role": "user", "content": "short"}]
REFUSAL = (
    "The number of tokens to keep from the initial prompt is greater than the context length"
    " (n_keep: 6000>= n_ctx: {window}). Try to load the model with a larger context length, or"
    " provide a shorter input."
)


class Windowed:
    """An LM Studio whose model has a window, into which what is called long needs 6,000 tokens."""

    def __init__(self, start: Start) -> None:
        self.window = 4096
        self.loads: list[int] = []
        self.server = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
        self._entry = stand_ins._lmstudio_entry("tiny", True)
        self._hello = self.server.routes["POST /v1/chat/completions"]
        self.server.routes |= {
            "GET /api/v1/models": self._list,
            "POST /api/v1/models/load": self._load,
            "POST /api/v1/models/unload": self._unload,
            "POST /v1/chat/completions": self._chat,
        }

    def _list(self, exchange: Exchange) -> None:
        for instance in self._entry["loaded_instances"]:
            instance["config"] = {"context_length": self.window}
        whole({"models": [self._entry]})(exchange)

    def _load(self, exchange: Exchange) -> None:
        self.window = exchange.json["context_length"]
        self.loads.append(self.window)
        self._entry["loaded_instances"] = [{"id": "tiny"}]
        whole({"type": "llm", "instance_id": "tiny", "status": "loaded"})(exchange)

    def _unload(self, exchange: Exchange) -> None:
        self._entry["loaded_instances"] = []
        whole({"instance_id": "tiny"})(exchange)

    def _chat(self, exchange: Exchange) -> None:
        if exchange.json["messages"] == LONG and self.window < 6000:
            refusal = {"error": REFUSAL.format(window=self.window)}
            whole(refusal, status=400)(exchange)
        else:
            self._hello(exchange)


def ask(front: Any, messages: Any, window: int | None, *, stream: bool = False) -> int:
    options = {"num_ctx": window} if window else {}
    body = {"model": "tiny", "messages": messages, "options": options, "stream": stream}
    status: int = front.ask("POST", "/api/chat", body).status
    return status


@pytest.mark.parametrize("stream", [False, True])
def test_a_window_grows_when_a_request_needs_it_and_never_shrinks(
    start: Start, *, stream: bool
) -> None:
    behind = Windowed(start)
    with proxy([behind.server.url]) as front:
        assert ask(front, SHORT, 9000, stream=stream) == 200
        assert behind.loads == []
        assert ask(front, LONG, 9000, stream=stream) == 200
        assert behind.loads == [12288]
        assert ask(front, SHORT, 2048, stream=stream) == 200
        assert ask(front, LONG, 10_000, stream=stream) == 200
    assert behind.loads == [12288]


def test_it_grows_once_for_however_many(start: Start) -> None:
    behind = Windowed(start)
    answers: list[int] = []
    with proxy([behind.server.url]) as front:
        threads = [
            threading.Thread(target=lambda: answers.append(ask(front, LONG, 8192)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert answers == [200] * 4
    assert behind.loads == [8192]


@pytest.mark.parametrize("window", [None, 4096])
def test_a_request_that_asks_for_no_wider_window_is_refused(
    start: Start, window: int | None
) -> None:
    behind = Windowed(start)
    with proxy([behind.server.url]) as front:
        assert ask(front, LONG, window) == 400
    assert behind.loads == []


def test_whoever_may_only_read_makes_no_window_grow(start: Start) -> None:
    behind = Windowed(start)
    with proxy([behind.server.url], proxy_read_only=True) as front:
        assert ask(front, LONG, 9000) == 400
    assert behind.loads == []
