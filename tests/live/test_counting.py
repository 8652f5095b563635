"""Tokens counted by a real llama.cpp: as many as it then reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from localmix import Client
from localmix.embedded.engine import stop_all
from localmix.types import Tool
from tests.proxy.served import proxy

WEATHER = Tool(name="weather", description="Tell the weather.")


@pytest.fixture
def llamacpp() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.replay.serve_llamacpp"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        said = iter(server.stdout)
        yield next(line for line in said if line.startswith("http")).split()[0]
        with suppress(BrokenPipeError):
            server.stdin.close()
        server.terminate()


@pytest.mark.slow
@pytest.mark.parametrize("tools", [(), (WEATHER,)], ids=["a text", "with a tool"])
def test_what_is_counted_is_what_is_read(llamacpp: str, tools: tuple[Tool, ...]) -> None:
    with Client([llamacpp]) as client:
        asked = "What is the capital of France?"
        counted = client.count_tokens(asked, model="localmix-tiny", tools=tools)
        answer = client.chat(asked, model="localmix-tiny", tools=tools, max_tokens=3)
    assert answer.usage
    assert counted == answer.usage.input_tokens


@pytest.fixture
def nothing_in_memory(engine_alone: None) -> None:
    """Stop what runs since another test: an engine is the whole program's."""
    stop_all()


@pytest.mark.slow
def test_the_embedded_engine_counts_what_is_in_memory(nothing_in_memory: None) -> None:
    asked: Any = {"messages": "What is the capital of France?", "tools": (WEATHER,)}
    with Client() as client:
        assert client.count_tokens(**asked, model="localmix-tiny") is None  # and starts nothing
        assert client.running() == []
        answer = client.chat(**asked, model="localmix-tiny", max_tokens=3)
        counted = client.count_tokens(**asked, model="localmix-tiny")
    assert answer.usage
    assert counted == answer.usage.input_tokens


def test_agents_are_told_the_count_of_the_embedded_engine(nothing_in_memory: None) -> None:
    asked = {"model": "localmix-tiny", "messages": [{"role": "user", "content": "Paris?"}]}
    with proxy() as front:
        said = front.ask("POST", "/v1/messages", {**asked, "max_tokens": 3}).json
        counted = front.ask("POST", "/v1/messages/count_tokens", asked).json
    assert counted["input_tokens"] == said["usage"]["input_tokens"] > 0
