"""Tokens counted by a real llama.cpp: as many as it then reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from localmix import Client
from localmix.types import Tool

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


@pytest.mark.parametrize("tools", [(), (WEATHER,)], ids=["a text", "with a tool"])
def test_what_is_counted_is_what_is_read(llamacpp: str, tools: tuple[Tool, ...]) -> None:
    with Client([llamacpp]) as client:
        asked = "What is the capital of France?"
        counted = client.count_tokens(asked, model="localmix-tiny", tools=tools)
        answer = client.chat(asked, model="localmix-tiny", tools=tools, max_tokens=3)
    assert answer.usage
    assert counted == answer.usage.input_tokens
