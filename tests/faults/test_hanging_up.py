"""A caller who stops stops the server: on a real engine, by what the engine itself says."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localmix import AsyncClient, Client
from localmix.embedded import engine
from localmix.embedded.engine import Engine
from localmix.errors import LocalMixError, TimedOutError, TransportError
from tests.conftest import TINY_MODELS
from tests.faults.waiting import until, wait_until
from tests.lmstudio import CHAT, LMStudio

# An answer that takes the tiny model much longer than any test here waits.
LONG: dict[str, Any] = {
    "model": CHAT,
    "response_format": {"type": "array", "items": {"type": "string"}, "minItems": 2000},
    "think": False,
    "temperature": 0.0,
}
# The engine must stop within this many seconds of the caller.
SOON = 1.0


class Watched:
    """Ask the engine which of its slots are at work."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine((folder,))
        self.url, self._headers = self.engine.start(CHAT)
        self._http = httpx.Client(trust_env=False, verify=False)

    def is_at_work(self) -> bool:
        slots = self._http.get(f"{self.url}/slots", headers=self._headers).json()
        return any(slot["is_processing"] for slot in slots)

    def stops_soon(self) -> None:
        assert wait_until(lambda: not self.is_at_work()) < SOON

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run the engine as the client does, but have it tell what its slots do."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / f"{CHAT}.gguf").symlink_to(TINY_MODELS / f"{CHAT}.gguf")
    script = folder / "serve.py"
    hidden, shown = "endpoint_slots = False", "endpoint_slots = True"
    assert hidden in engine._SERVE.read_text()
    script.write_text(engine._SERVE.read_text().replace(hidden, shown))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_SERVE", script)
        found = Watched(folder)
    yield found
    found.close()


@pytest.fixture(params=["engine", "lmstudio"])
def place(request: pytest.FixtureRequest, watched: Watched, start: Any) -> dict[str, Any]:
    """Give the arguments of a client: the engine itself, or LM Studio's ways in front of it."""
    if request.param == "engine":
        (folder,) = watched.engine.folders
        return {"servers": "127.0.0.1:9", "models_path": folder}
    server = LMStudio()
    server._engine = watched.engine
    return {"servers": start(server).url}


@pytest.fixture
def pinned(place: dict[str, Any]) -> dict[str, Any]:
    """Name the model where the engine serves only what is pinned to it."""
    return LONG | {"model": f"embedded/{CHAT}" if "models_path" in place else CHAT}


def test_a_stream_that_is_closed(
    watched: Watched, place: dict[str, Any], pinned: dict[str, Any]
) -> None:
    with Client(**place) as client:
        with client.stream("Count.", **pinned) as stream:
            for _ in range(3):
                next(stream)
            assert watched.is_at_work()
        watched.stops_soon()


def test_an_asynchronous_stream_that_is_closed(
    watched: Watched, place: dict[str, Any], pinned: dict[str, Any]
) -> None:
    async def read_a_little() -> None:
        async with AsyncClient(**place) as client:
            async with client.stream("Count.", **pinned) as stream:
                for _ in range(3):
                    await anext(stream)
            await asyncio.to_thread(watched.stops_soon)

    asyncio.run(read_a_little())


def test_a_task_that_is_cancelled(
    watched: Watched, place: dict[str, Any], pinned: dict[str, Any]
) -> None:
    async def ask() -> None:
        async with AsyncClient(**place) as client:
            task = asyncio.ensure_future(client.chat("Count.", **pinned))
            await until(watched.is_at_work)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(watched.stops_soon)

    asyncio.run(ask())


def test_a_client_that_another_thread_closes(
    watched: Watched, place: dict[str, Any], pinned: dict[str, Any]
) -> None:
    """A call that waits cannot be stopped from within; closing the client stops it."""
    errors: list[LocalMixError] = []
    client = Client(**place)

    def ask() -> None:
        with pytest.raises(TransportError, match="closed") as caught:
            client.chat("Count.", **pinned)
        errors.append(caught.value)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(watched.is_at_work)
    client.close()
    watched.stops_soon()
    asking.join()
    assert len(errors) == 1


def test_a_key_that_interrupts_the_program(
    watched: Watched, place: dict[str, Any], pinned: dict[str, Any]
) -> None:
    def interrupt() -> None:
        wait_until(watched.is_at_work)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    with Client(**place) as client:
        client.models()
        pressing.start()
        with pytest.raises(KeyboardInterrupt):
            client.chat("Count.", **pinned)
        watched.stops_soon()
    pressing.join()


def test_a_timeout(watched: Watched, place: dict[str, Any], pinned: dict[str, Any]) -> None:
    with Client(timeout=1.0, **place) as client:
        with pytest.raises(TimedOutError):
            client.chat("Count.", **pinned)
        watched.stops_soon()


def test_the_answer_would_have_gone_on(watched: Watched) -> None:
    """The tests above prove nothing if the answer is short."""
    (folder,) = watched.engine.folders
    pinned = LONG | {"model": f"embedded/{CHAT}"}
    with Client("127.0.0.1:9", models_path=folder) as client:
        with client.stream("Count.", **pinned) as stream:
            next(stream)
            with pytest.raises(AssertionError, match="did not happen"):
                wait_until(lambda: not watched.is_at_work(), seconds=2 * SOON)
        watched.stops_soon()
