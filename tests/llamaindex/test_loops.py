"""Event loops, threads, and callers who leave early."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core.async_utils import asyncio_run
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock

from llamaindex_localmix import LocalMix, LocalMixEmbedding
from tests import stand_ins
from tests.llamaindex.endpoints import ASYNC, SYNC, acall, call, text_of
from tests.llamaindex.scripted import PATHS, Turn
from tests.loopback import Exchange, LoopbackServer, whole
from tests.stand_ins import OLLAMA_DONE, OPENAI_USAGE, ollama_says, openai_says

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


def test_one_loop_after_another(script: Any) -> None:
    """Peer defect 18: the second loop met the connections of the first."""
    server = script(*[Turn("Hi.")] * 3 * len(ASYNC))
    llm = LocalMix(base_url=server.url)
    for _ in range(3):
        for endpoint in ASYNC:
            assert text_of(asyncio.run(acall(llm, endpoint))[-1]) == "Hi."


def test_a_loop_inside_a_loop(script: Any) -> None:
    """Core runs a loop in a thread of its own where one is running already."""
    server = script(*[Turn("Hi.")] * 4)
    llm = LocalMix(base_url=server.url)

    async def main() -> list[str]:
        inner = [text_of(asyncio_run(acall(llm, "achat"))[-1]) for _ in range(2)]
        outer = [text_of((await acall(llm, "astream_complete"))[-1])]
        return [*inner, *outer, text_of(call(llm, "complete")[-1])]

    assert asyncio.run(main()) == ["Hi."] * 4


def test_many_threads_share_one(script: Any) -> None:
    server = script(*[Turn("Hi.")] * 32)
    llm = LocalMix(base_url=server.url)

    def ask(number: int) -> str:
        endpoint = (*SYNC, *ASYNC)[number % 8]
        if endpoint in ASYNC:
            return text_of(asyncio.run(acall(llm, endpoint))[-1])
        return text_of(call(llm, endpoint)[-1])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(32))) == {"Hi."}


def test_vectors_in_one_loop_after_another(start: Any) -> None:
    reply = whole({"model": "embed", "embeddings": [[1.0, 0.0]]})
    server = start(stand_ins.ollama("embed", POST__api_embed=reply))
    model = LocalMixEmbedding(base_url=server.url)
    for _ in range(3):
        assert asyncio.run(model.aget_text_embedding("lamp")) == [1.0, 0.0]
        assert asyncio.run(model.aget_text_embedding_batch(["lamp"])) == [[1.0, 0.0]]


class Paced:
    """Stream a word, then wait until the test has had its turn."""

    def __init__(self, kind: str, words: int) -> None:
        self._kind = kind
        self._words = words
        self.go_on = threading.Semaphore(0)
        self.was_left = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        is_ollama = self._kind == "ollama"
        exchange.head(200, "text/event-stream", Transfer_Encoding="chunked")
        for _ in range(self._words):
            self._send(
                exchange, ollama_says(content="x") if is_ollama else openai_says(content="x")
            )
            if not self.go_on.acquire(timeout=10):
                return
        for frame in [OLLAMA_DONE] if is_ollama else [openai_says("stop"), OPENAI_USAGE]:
            self._send(exchange, frame)
        exchange.chunk(b"" if is_ollama else b"data: [DONE]\n\n")
        if not is_ollama:
            exchange.chunk(b"")

    def endless(self, exchange: Exchange) -> None:
        """Stream until the caller hangs up."""
        exchange.head(200, "text/event-stream", Transfer_Encoding="chunked")
        frame = ollama_says(content="x") if self._kind == "ollama" else openai_says(content="x")
        self._send(exchange, frame)
        if exchange.is_hung_up(10):
            self.was_left.set()

    def _send(self, exchange: Exchange, frame: Any) -> None:
        import json

        text = json.dumps(frame)
        line = f"{text}\n" if self._kind == "ollama" else f"data: {text}\n\n"
        exchange.chunk(line.encode())


@pytest.fixture
def paced(kind: str, start: Any) -> tuple[LoopbackServer, Paced]:
    """Start a server of the kind that streams at the pace of the test."""
    reply = Paced(kind, words=5)
    make = stand_ins.ollama if kind == "ollama" else stand_ins.lmstudio
    server = start(make("tiny", loaded=("tiny",)))
    server.routes[PATHS[kind]] = reply
    return server, reply


@pytest.mark.parametrize("endpoint", ["astream_chat", "astream_complete"])
def test_the_loop_goes_on_while_an_answer_is_streamed(paced: Any, endpoint: str) -> None:
    """Peer defect 3: the stream ran on the loop, and nothing else did.

    The server sends the next word only when a task of the loop has run: a blocked loop ends in a
    timeout.
    """
    server, reply = paced
    llm = LocalMix(base_url=server.url)

    async def tick() -> None:
        while True:
            reply.go_on.release()
            await asyncio.sleep(0.005)

    async def main() -> list[Any]:
        ticking = asyncio.create_task(tick())
        try:
            return await acall(llm, endpoint)
        finally:
            ticking.cancel()

    assert text_of(asyncio.run(main())[-1]) == "xxxxx"


def test_the_loop_goes_on_while_a_picture_is_fetched(start: Any) -> None:
    asked = threading.Event()

    def picture(exchange: Exchange) -> None:
        assert asked.wait(10)
        whole(PNG, content_type="image/png")(exchange)

    pictures = start(LoopbackServer({"GET /a.png": picture}))
    shown = whole({"capabilities": ["completion", "vision"], "model_info": {}})
    server = start(stand_ins.ollama("tiny", POST__api_show=shown))
    server.routes["GET /api/tags"] = whole({"models": [{"name": "tiny", "digest": "a"}]})
    llm = LocalMix(base_url=server.url, allow_urls=True)
    blocks = [TextBlock(text="What?"), ImageBlock(url=f"{pictures.url}/a.png")]

    async def main() -> str:
        answer = asyncio.create_task(llm.achat([ChatMessage(role="user", blocks=blocks)]))
        await asyncio.sleep(0.05)
        asked.set()
        return str((await answer).message.content)

    assert asyncio.run(main()) == "Hi."


@pytest.mark.parametrize("endpoint", ["stream_chat", "stream_complete"])
def test_who_leaves_stops_the_server(paced: Any, kind: str, endpoint: str) -> None:
    server, reply = paced
    server.routes[PATHS[kind]] = reply.endless
    llm = LocalMix(base_url=server.url)
    steps = getattr(llm, endpoint)("hello" if "complete" in endpoint else [ChatMessage("hello")])
    assert text_of(next(steps)) == "x"
    steps.close()
    assert reply.was_left.wait(5)


@pytest.mark.parametrize("endpoint", ["astream_chat", "astream_complete"])
@pytest.mark.parametrize("way", ["close", "cancel"])
def test_who_leaves_a_loop_stops_the_server(paced: Any, kind: str, endpoint: str, way: str) -> None:
    server, reply = paced
    server.routes[PATHS[kind]] = reply.endless
    llm = LocalMix(base_url=server.url)

    async def main() -> None:
        said: Any = "hello" if "complete" in endpoint else [ChatMessage("hello")]
        steps = await getattr(llm, endpoint)(said)
        assert text_of(await anext(steps)) == "x"
        if way == "close":
            await steps.aclose()
        else:
            waiting = asyncio.create_task(anext(steps))
            await asyncio.sleep(0.02)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await asyncio.to_thread(reply.was_left.wait, 5)

    asyncio.run(main())
