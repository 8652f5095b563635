"""A caller who stops stops the server: on a real engine, by what the engine itself says."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from localmix import AsyncClient, Client
from localmix.embedded import engine
from localmix.embedded.engine import Engine
from localmix.errors import LocalMixError, TimedOutError, TransportError
from tests import stand_ins
from tests.conftest import TINY_MODELS
from tests.faults.waiting import until, wait_until
from tests.faults.wires import WIRES
from tests.lmstudio.server import CHAT, LMStudio
from tests.loopback import LoopbackServer

# An answer that takes the tiny model much longer than any test here waits.
LONG: dict[str, Any] = {
    "model": CHAT,
    "response_format": {"type": "array", "items": {"type": "string"}, "minItems": 2000},
    "think": False,
    "temperature": 0.0,
}
PINNED = LONG | {"model": f"embedded/{CHAT}"}
# Seconds within which the engine must have stopped: measured are 20 ms, and left alone it would go
# on for longer, as the last test of the engine shows.
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
        print(f"stopped after {wait_until(lambda: not self.is_at_work(), SOON):.2f} s")

    def close(self) -> None:
        self._http.close()


def write_with_a_wide_window(path: Path) -> None:
    """Copy the tiny model, claiming a window in which an answer can go on and on."""
    model = (TINY_MODELS / path.name).read_bytes()
    key, type_uint32 = b"llama.context_length", 4
    narrow, wide = (key + struct.pack("<II", type_uint32, size) for size in (2048, 8192))
    assert model.count(narrow) == 1
    path.write_bytes(model.replace(narrow, wide))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run the engine as the client does, but have it tell what its slots do."""
    folder = tmp_path_factory.mktemp("watched")
    write_with_a_wide_window(folder / f"{CHAT}.gguf")
    script = folder / "serve.py"
    hidden, shown = "endpoint_slots = False", "endpoint_slots = True"
    assert hidden in engine._SERVE.read_text()
    script.write_text(engine._SERVE.read_text().replace(hidden, shown))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_SERVE", script)
        found = Watched(folder)
    yield found
    found.close()


@pytest.fixture
def engine_place(watched: Watched) -> dict[str, Any]:
    """Give the arguments of a client that reaches the engine itself."""
    (folder,) = watched.engine.folders
    return {"servers": "127.0.0.1:9", "models_path": folder}


@pytest.fixture(params=["engine", "lmstudio"])
def place(
    request: pytest.FixtureRequest, watched: Watched, engine_place: dict[str, Any], start: Any
) -> dict[str, Any]:
    """Put LM Studio's ways in front of the engine, or not."""
    if request.param == "engine":
        return engine_place
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


def test_a_task_that_is_cancelled(watched: Watched, engine_place: dict[str, Any]) -> None:
    async def ask() -> None:
        async with AsyncClient(**engine_place) as client:
            task = asyncio.ensure_future(client.chat("Count.", **PINNED))
            await until(watched.is_at_work)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(watched.stops_soon)

    asyncio.run(ask())


def test_a_client_that_another_thread_closes(
    watched: Watched, engine_place: dict[str, Any]
) -> None:
    """A call that waits cannot be stopped from within; closing the client stops it."""
    errors: list[LocalMixError] = []
    client = Client(**engine_place)

    def ask() -> None:
        with pytest.raises(TransportError, match="closed") as caught:
            client.chat("Count.", **PINNED)
        errors.append(caught.value)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(watched.is_at_work)
    client.close()
    watched.stops_soon()
    asking.join()
    assert len(errors) == 1


@pytest.mark.usefixtures("ctrl_c")
def test_a_key_that_interrupts_the_program(watched: Watched, engine_place: dict[str, Any]) -> None:
    def interrupt() -> None:
        wait_until(watched.is_at_work)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    with Client(**engine_place) as client:
        pressing.start()
        with pytest.raises(KeyboardInterrupt):
            client.chat("Count.", **PINNED)
        watched.stops_soon()
    pressing.join()


@pytest.mark.slow
def test_a_timeout(watched: Watched, engine_place: dict[str, Any]) -> None:
    with Client(timeout=1.0, **engine_place) as client:
        with pytest.raises(TimedOutError):
            client.chat("Count.", **PINNED)
        watched.stops_soon()


@pytest.mark.slow
def test_the_answer_would_have_gone_on(watched: Watched, engine_place: dict[str, Any]) -> None:
    """The tests above prove nothing if the answer is short."""
    with Client(**engine_place) as client:
        with client.stream("Count.", **PINNED) as stream:
            next(stream)
            with pytest.raises(AssertionError, match="did not happen"):
                wait_until(lambda: not watched.is_at_work(), seconds=3 * SOON)
        watched.stops_soon()


# Servers of the other kinds stop when their connection ends: shown is that it does.


@pytest.fixture(params=list(WIRES.values()), ids=list(WIRES))
def silent(request: pytest.FixtureRequest, start: Any) -> LoopbackServer:
    """Give a server that keeps a whole answer for itself, and notes when its caller is gone."""
    wire = request.param
    server: LoopbackServer = start(wire.server())
    server.routes[wire.route("chat")] = lambda exchange: left.append(exchange.is_hung_up())
    left: list[bool] = []
    server.left = left  # type: ignore[attr-defined]
    return server


def is_asked(server: LoopbackServer) -> bool:
    return any(each.method == "POST" for each in server.requests)


def test_a_cancelled_task_hangs_up(silent: Any) -> None:
    async def ask() -> None:
        async with AsyncClient(silent.url) as client:
            task = asyncio.ensure_future(client.chat("hello", model="tiny"))
            await until(lambda: is_asked(silent))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: silent.left == [True])

    asyncio.run(ask())


def test_a_closed_client_hangs_up_and_tries_nobody_else(silent: Any, start: Any) -> None:
    other = start(stand_ins.ollama())
    client = Client([silent.url, other.url])
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.chat, "hello", model="tiny")
        wait_until(lambda: is_asked(silent))
        client.close()
        wait_until(lambda: silent.left == [True])
        assert isinstance(answer.exception(), TransportError)
    assert not is_asked(other)
    # A closed client can be used again, and the server was not to blame.
    assert {server.state for server in client.servers()} == {"available"}
    client.close()


def test_a_client_closed_by_another_task_hangs_up_and_tries_nobody_else(
    silent: Any, start: Any
) -> None:
    other = start(stand_ins.ollama())

    async def ask() -> None:
        client = AsyncClient([silent.url, other.url])
        task = asyncio.ensure_future(client.chat("hello", model="tiny"))
        await until(lambda: is_asked(silent))
        await client.close()
        with pytest.raises(TransportError, match="closed"):
            await task
        await until(lambda: silent.left == [True])
        assert {server.state for server in await client.servers()} == {"available"}
        await client.close()

    asyncio.run(ask())
    assert not is_asked(other)
