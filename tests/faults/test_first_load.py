"""A model is loaded once by LM Studio, however many ask for it at the same moment."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import TimedOutError
from tests import stand_ins
from tests.faults.waiting import PATIENCE, until
from tests.loopback import Exchange, LoopbackServer, stay_silent, whole

CALLERS = 8


class Loads:
    """Load a copy of the model for each request that finds none, as LM Studio does."""

    def __init__(self, *, fail_first: bool = False) -> None:
        self._lock = threading.Lock()
        self._hello = stand_ins.openai_hello()
        self._fails = fail_first
        self.count = 0
        self.is_loaded = False

    def chat(self, exchange: Exchange) -> None:
        with self._lock:
            is_first, fails = not self.is_loaded, self._fails
            self.count += is_first
            self._fails = False
        if is_first:
            time.sleep(0.3)
            if fails:
                whole({"error": "Failed to load model"}, 400)(exchange)
                return
            self.is_loaded = True
        self._hello(exchange)

    def models(self, exchange: Exchange) -> None:
        loaded = ("tiny",) if self.is_loaded else ()
        stand_ins.lmstudio("tiny", loaded=loaded).routes["GET /api/v1/models"](exchange)


def serve(start: Any, loads: Loads) -> LoopbackServer:
    server: LoopbackServer = start(
        stand_ins.lmstudio(POST__v1_chat_completions=loads.chat, GET__api_v1_models=loads.models)
    )
    return server


def all_at_once(colour: str, url: str, **settings: Any) -> list[Any]:
    """Ask from many threads or tasks; return answers and errors."""
    if colour == "tasks":

        async def ask() -> list[Any]:
            async with AsyncClient(url, **settings) as client:
                asked = (client.chat("hello", model="tiny") for _ in range(CALLERS))
                return list(await asyncio.gather(*asked, return_exceptions=True))

        return asyncio.run(ask())
    with Client(url, **settings) as client, ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(client.chat, "hello", model="tiny") for _ in range(CALLERS)]
        return [each.exception() or each.result() for each in asked]


colours = pytest.mark.parametrize("colour", ["threads", "tasks"])


@colours
def test_all_wait_for_the_one_that_loads(start: Any, colour: str) -> None:
    loads = Loads()
    answers = all_at_once(colour, serve(start, loads).url)
    assert [answer.content for answer in answers] == ["Hi."] * CALLERS
    assert loads.count == 1


@pytest.mark.slow
@colours
def test_when_the_load_fails_one_other_takes_it_on(start: Any, colour: str) -> None:
    loads = Loads(fail_first=True)
    answers = all_at_once(colour, serve(start, loads).url)
    assert [answer.content for answer in answers] == ["Hi."] * CALLERS
    assert loads.count == 2


def test_when_the_one_that_loads_is_cancelled_another_takes_it_on(start: Any) -> None:
    loads = Loads()
    url = serve(start, loads).url

    async def ask() -> str:
        async with AsyncClient(url) as client:
            first = asyncio.ensure_future(client.chat("hello", model="tiny"))
            await until(lambda: loads.count)
            second = asyncio.ensure_future(client.chat("hello", model="tiny"))
            await asyncio.sleep(0)
            first.cancel()
            return (await second).content

    assert asyncio.run(ask()) == "Hi."


@pytest.mark.slow
@colours
def test_who_waits_for_a_load_keeps_the_deadline(start: Any, colour: str) -> None:
    """Also where the server is so busy with loading that it does not list its models."""
    server = serve(start, Loads())
    listing = server.routes["GET /api/v1/models"]

    def load_for_ever(exchange: Exchange) -> None:
        server.routes["GET /api/v1/models"] = stay_silent
        stay_silent(exchange)

    server.routes["POST /v1/chat/completions"] = load_for_ever
    began = time.monotonic()
    errors = all_at_once(colour, server.url, timeout=1.5)
    assert all(isinstance(error, TimedOutError) for error in errors)
    assert time.monotonic() < began + PATIENCE
    server.routes["GET /api/v1/models"] = listing


@pytest.mark.slow
@colours
def test_who_waits_goes_on_when_the_model_is_there_not_when_the_first_answer_is(
    start: Any, colour: str
) -> None:
    loads, others_came = Loads(), threading.Event()

    def answer(exchange: Exchange) -> None:
        if not loads.is_loaded:
            loads.is_loaded = True
            assert others_came.wait(2 * PATIENCE)
        others_came.set()
        stand_ins.openai_hello()(exchange)

    server = serve(start, loads)
    server.routes["POST /v1/chat/completions"] = answer
    answers = all_at_once(colour, server.url)
    assert [answer.content for answer in answers] == ["Hi."] * CALLERS


def test_the_stand_in_loads_a_copy_for_each_who_asks_it_alone(start: Any) -> None:
    """The tests above prove nothing if their server does not have LM Studio's flaw."""
    import httpx

    loads = Loads()
    url = serve(start, loads).url + "/v1/chat/completions"
    body = json.dumps({"model": "tiny", "stream": False})
    with httpx.Client(trust_env=False, verify=False) as http, ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: http.post(url, content=body), range(3)))
    assert loads.count == 3
