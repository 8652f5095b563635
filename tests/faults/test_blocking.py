"""Nothing blocks the event loop, by a detector set as `langgraph dev` sets it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from localmix import AsyncClient
from tests import stand_ins
from tests.conftest import TINY_MODELS

blockbuster = pytest.importorskip("blockbuster")


def test_nothing_blocks_the_loop(start: Any) -> None:
    server = start(stand_ins.ollama())
    by_name = server.url.replace("127.0.0.1", "localhost")
    client = AsyncClient([by_name], models_path=TINY_MODELS, monitor_every=0.05)

    async def use() -> None:
        async with client:
            assert (await client.chat("hello", model="tiny")).content == "Hi."
            assert [delta async for delta in client.stream("hello", model="tiny")]
            assert (await client.embed(["text"] * 3, model="embed", chunk_size=1)).vectors
            for ask in (client.servers, client.listing, client.models, client.running):
                assert await ask() is not None
            assert await client.route("tiny")
            assert (await client.show("embedded/localmix-tiny")).name == "localmix-tiny"
            await asyncio.sleep(0.2)
        assert await client.servers()
        await client.close()

    detector = blockbuster.BlockBuster(excluded_modules=[])
    detector.activate()
    try:
        asyncio.run(use())
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
