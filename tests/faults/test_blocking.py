"""Nothing blocks the event loop, by a detector set as `langgraph dev` sets it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from langchain_localmix import ChatLocalMix
from llamaindex_localmix import LocalMix
from localmix import AsyncClient
from localmix.errors import ConfigError
from tests import stand_ins
from tests.conftest import TINY_MODELS

T = TypeVar("T")
blockbuster = pytest.importorskip("blockbuster")


@pytest.mark.slow
def test_nothing_blocks_the_loop(start: Any, tmp_path: Path) -> None:
    server = start(stand_ins.ollama())
    by_name = server.url.replace("127.0.0.1", "localhost")
    cache = tmp_path / "answers.sqlite"
    client = AsyncClient([by_name], models_path=TINY_MODELS, monitor_every=0.05, cache=cache)

    async def use() -> None:
        async with client:
            assert (await client.chat("hello", model="tiny")).content == "Hi."
            assert [delta async for delta in client.stream("hello", model="tiny")]
            assert (await client.embed(["text"] * 3, model="embed", chunk_size=1)).vectors
            for _ in range(2):
                assert [step async for step in client.stream("hello", model="tiny", seed=1)]
                assert (await client.chat("hello", model="tiny", temperature=0)).content == "Hi."
                assert (await client.embed("text", model="embed")).cached
            options: Any = {"model": "embed", "chunk_size": 1, "checkpoint": tmp_path / "part"}
            for texts in ["text"] * 3, ["text"] * 5:
                found = [step async for step in client.embed_many(texts, **options)]
                assert len(found) == len(texts)
            for ask in (client.servers, client.models_by_server, client.models, client.running):
                assert await ask() is not None
            assert await client.route("tiny")
            assert (await client.show("embedded/localmix-tiny")).name == "localmix-tiny"
            await asyncio.sleep(0.2)
        assert await client.servers()
        await client.close()

    run_watched(use())


@pytest.mark.parametrize("kind", ["client", "langchain", "llamaindex"])
def test_nothing_blocks_a_loop_in_which_it_is_made(start: Any, kind: str) -> None:
    """langgraph 4130: settings are read by the first request, and off the loop."""
    url = start(stand_ins.ollama()).url

    async def use() -> str:
        if kind == "langchain":
            return str((await ChatLocalMix(base_url=url).ainvoke("hello")).content)
        if kind == "llamaindex":
            return str(await LocalMix(base_url=url).acomplete("hello"))
        async with AsyncClient(url) as client:
            assert client.known_model() is None
            return (await client.chat("hello")).content

    assert run_watched(use()) == "Hi."


def test_wrong_arguments_are_told_at_once_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_MAX_RETRIES", "many")

    async def use() -> None:
        with pytest.raises(ConfigError, match="timeout"):
            AsyncClient(timeout=-1)
        client = AsyncClient()
        with pytest.raises(ConfigError, match="LOCALMIX_MAX_RETRIES"):
            await client.servers()

    asyncio.run(use())


def run_watched(use: Coroutine[Any, Any, T]) -> T:
    """Run under the detector."""
    detector = blockbuster.BlockBuster(excluded_modules=[])
    detector.activate()
    try:
        return asyncio.run(use)
    finally:
        detector.deactivate()


def test_the_detector_detects() -> None:
    async def block() -> None:
        Path.cwd()

    detector = blockbuster.BlockBuster(excluded_modules=[])
    detector.activate()
    try:
        with pytest.raises(blockbuster.BlockingError):
            asyncio.run(block())
    finally:
        detector.deactivate()
