"""A program that knows only Ollama, with nothing but LM Studio behind the proxy."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.lmstudio.server import CHAT, EMBED, LMStudio
from tests.loopback import LoopbackServer
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
USER = [{"role": "user", "content": "What is the capital of France?"}]


def test_a_model_that_lm_studio_will_not_load_by_itself_is_loaded_once(start: Start) -> None:
    behind = start(LMStudio(jit=False))
    answers: list[int] = []

    with proxy([behind.url]) as front:

        def ask() -> None:
            reply = front.ask("POST", "/api/chat", {"model": CHAT, "messages": USER})
            answers.append(reply.status)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert answers == [200] * 4
    assert behind.count("POST /api/v1/models/load") == 1


def test_what_is_loaded_is_seen_and_unloaded(start: Start) -> None:
    loaded = {CHAT: CHAT}
    behind = start(LMStudio(loaded=loaded))
    with proxy([behind.url]) as front:
        (entry,) = front.ask("GET", "/api/ps").json["models"]
        assert entry["name"] == f"{CHAT}:latest"
        assert entry["context_length"] == 2048
        gone = front.ask("POST", "/api/generate", {"model": entry["name"], "keep_alive": 0})
        assert gone.json["done_reason"] == "unload"
        assert front.ask("GET", "/api/ps").json["models"] == []
    assert loaded == {}


def test_the_same_names_in_every_listing(start: Start) -> None:
    behind = start(LMStudio(loaded={CHAT: CHAT, EMBED: EMBED}))
    with proxy([behind.url]) as front:
        tags = front.ask("GET", "/api/tags").json["models"]
        ps = front.ask("GET", "/api/ps").json["models"]
        assert {each["name"] for each in tags} == {each["name"] for each in ps}
        by_name = {each["name"]: each["digest"] for each in tags}
        assert by_name == {each["name"]: each["digest"] for each in ps}
        dates = [each["modified_at"] for each in front.ask("GET", "/api/tags").json["models"]]
        assert dates == [each["modified_at"] for each in tags]
        reply = front.ask("POST", "/api/embed", {"model": f"{EMBED}:latest", "input": ["a", "b"]})
        assert len(reply.json["embeddings"]) == 2
