"""Pulls over a way that stalls, breaks and comes back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.errors import (
    DownloadError,
    LocalMixError,
    ModelChangedError,
    ModelNotFoundError,
    NoServerError,
    ProtocolError,
    RequestRejectedError,
    StreamInterruptedError,
    TimedOutError,
    TransportError,
)
from localmix.settings import ServerConfig
from tests import stand_ins
from tests.either import MakeEither
from tests.lmstudio import LMStudio
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, ndjson, stay_silent, whole
from tests.management.conftest import Start

MANIFEST = {"status": "pulling manifest"}
END = ({"status": "verifying sha256 digest"}, {"status": "writing manifest"}, {"status": "success"})


def part(completed: int, total: int = 100, digest: str = "sha256:aa") -> dict[str, Any]:
    return {"status": "pulling aa", "digest": digest, "total": total, "completed": completed}


def one_after_the_other(*replies: Reply) -> Reply:
    """Answer each request with the next reply; the last one stays."""
    left = list(replies)

    def reply(exchange: Exchange) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return reply


def pulling(*replies: Reply) -> LoopbackServer:
    return stand_ins.ollama(POST__api_pull=one_after_the_other(*replies))


def test_every_step_is_told(either: MakeEither, start: Start) -> None:
    small = part(0, 20, "sha256:bb")
    server = start(pulling(ndjson(MANIFEST, part(0), part(60), part(100), small, *END)))
    steps = either(server.url).pull("new")
    assert [(step.status, step.completed, step.total) for step in steps] == [
        ("preparing", 0, None),
        ("downloading", 0, 100),
        ("downloading", 60, 100),
        ("downloading", 100, 100),
        ("downloading", 100, 120),
        ("finishing", 120, 120),
        ("finishing", 120, 120),
        ("done", 120, 120),
    ]
    assert steps[1].said == "pulling aa"
    assert {(step.server, step.model, step.breaks) for step in steps} == {(server.url, "new", 0)}
    assert server.last("POST /api/pull").json == {"model": "new", "stream": True}


def test_a_pull_that_breaks_goes_on(either: MakeEither, start: Start) -> None:
    """It may break more often than `max_retries` says, as long as it gets somewhere."""
    breaking = [ndjson(MANIFEST, part(done), end=hang_up) for done in (10, 40, 70, 90)]
    server = start(pulling(*breaking, ndjson(MANIFEST, part(95), *END)))
    steps = either(server.url, max_retries=1).pull("new")
    assert server.count("POST /api/pull") == 5
    assert [step.completed for step in steps if step.status == "downloading"] == [
        10,
        40,
        70,
        90,
        95,
    ]
    assert (steps[-1].status, steps[-1].breaks) == ("done", 4)


def test_a_pull_that_gets_nowhere_ends(either: MakeEither, start: Start) -> None:
    server = start(pulling(ndjson(MANIFEST, part(10), end=hang_up)))
    with pytest.raises(StreamInterruptedError, match="broke off"):
        either(server.url, max_retries=2).pull("new")
    assert server.count("POST /api/pull") == 4  # one that brought bytes, and three in vain


def test_a_pull_that_stalls_is_asked_for_again(either: MakeEither, start: Start) -> None:
    stalling = ndjson(MANIFEST, part(10), end=stay_silent)
    server = start(pulling(stalling, ndjson(MANIFEST, part(100), *END)))
    steps = either(server.url, first_byte_timeout=0.3).pull("new")
    assert (steps[-1].status, steps[-1].breaks) == ("done", 1)


@pytest.mark.slow
def test_a_pull_that_only_stalls_ends(either: MakeEither, start: Start) -> None:
    server = start(pulling(stay_silent))
    with pytest.raises(TimedOutError):
        either(server.url, first_byte_timeout=0.2, max_retries=1).pull("new")
    assert server.count("POST /api/pull") == 2


def test_a_server_that_is_gone_for_a_moment(either: MakeEither, start: Start) -> None:
    server = start(pulling(hang_up, ndjson(MANIFEST, part(100), *END)))
    assert either(server.url).pull("new")[-1].breaks == 1


def test_an_end_without_success_is_a_break(either: MakeEither, start: Start) -> None:
    server = start(pulling(ndjson(MANIFEST, part(100))))
    with pytest.raises(StreamInterruptedError, match="broke off the pull of new"):
        either(server.url, max_retries=0).pull("new")


def test_leaving_hangs_up(either: MakeEither, start: Start) -> None:
    """Ollama stops its pull when nobody listens; the next pull goes on."""
    gone = threading.Event()

    def until_gone(exchange: Exchange) -> None:
        if exchange.is_hung_up():
            gone.set()

    server = start(pulling(ndjson(MANIFEST, part(10), part(20), end=until_gone)))
    steps = either(server.url).pull("new", at_most=2)
    assert [step.completed for step in steps] == [0, 10]
    assert gone.wait(5)
    assert server.count("POST /api/pull") == 1


def test_leaving_before_the_first_step_sends_nothing(either: MakeEither, start: Start) -> None:
    server = start(pulling(ndjson(MANIFEST, *END)))
    assert either(server.url).pull("new", at_most=0) == []
    assert server.requests == []


def test_closing_the_client_in_another_thread_ends_the_pull(start: Start) -> None:
    """It is no break: nothing is resumed."""
    server = start(pulling(ndjson(MANIFEST, part(10), end=stay_silent)))
    client = Client(server.url)
    threading.Timer(0.3, client.close).start()
    with pytest.raises(TransportError, match="closed before the answer arrived"):
        list(client.pull("new"))
    assert server.count("POST /api/pull") == 1


def test_a_cancelled_task_hangs_up(start: Start) -> None:
    gone = threading.Event()

    def until_gone(exchange: Exchange) -> None:
        if exchange.is_hung_up():
            gone.set()

    server = start(pulling(ndjson(MANIFEST, part(10), end=until_gone)))

    async def main() -> None:
        has_begun = asyncio.Event()

        async def pull() -> None:
            async with AsyncClient(server.url) as client, client.pull("new") as steps:
                async for _ in steps:
                    has_begun.set()

        task = asyncio.create_task(pull())
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert gone.wait(5)


def test_dropping_the_iterator_hangs_up(start: Start) -> None:
    gone = threading.Event()

    def until_gone(exchange: Exchange) -> None:
        if exchange.is_hung_up():
            gone.set()

    server = start(pulling(ndjson(MANIFEST, end=until_gone)))
    with Client(server.url) as client:
        for _ in client.pull("new"):
            break
        assert gone.wait(5)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("pull model manifest: file does not exist", ModelNotFoundError),
        ("pull model manifest: dial tcp: no such host", DownloadError),
    ],
)
def test_an_error_inside_a_200_is_final(
    either: MakeEither, start: Start, said: str, error: type[Exception]
) -> None:
    server = start(pulling(ndjson(MANIFEST, {"error": said})))
    with pytest.raises(error, match=said):
        either(server.url).pull("new")
    assert server.count("POST /api/pull") == 1


def test_an_error_after_some_bytes_is_a_break(either: MakeEither, start: Start) -> None:
    failing = ndjson(MANIFEST, part(50), {"error": "max retries exceeded: unexpected EOF"})
    server = start(pulling(failing, ndjson(MANIFEST, part(100), *END)))
    assert either(server.url).pull("new")[-1].breaks == 1


def test_a_name_that_cannot_be_is_refused(either: MakeEither, start: Start) -> None:
    server = start(pulling(whole({"error": "invalid model name"}, 400)))
    with pytest.raises(RequestRejectedError, match="invalid model name"):
        either(server.url).pull("a:b:c")


def test_a_line_that_is_no_step(either: MakeEither, start: Start) -> None:
    server = start(pulling(ndjson({"state": "odd"})))
    with pytest.raises(ProtocolError):
        either(server.url).pull("new")


def test_a_pin_chooses_the_server(either: MakeEither, start: Start) -> None:
    first, second = (start(pulling(ndjson(*END))) for _ in range(2))
    servers = [{"url": first.url, "name": "one"}, {"url": second.url, "name": "two"}]
    client = either([ServerConfig.of(each) for each in servers])
    assert client.pull("new")[-1].server == first.url
    assert client.pull("two/new")[-1].server == second.url
    assert client.pull("ollama/new")[-1].model == "new"
    with pytest.raises(NoServerError, match="No server of the kind lmstudio"):
        client.pull("lmstudio/new")
    assert client.pull("someone/new")[-1].model == "someone/new"


def test_what_was_pulled_must_be_what_was_pinned(either: MakeEither, start: Start) -> None:
    server = start(pulling(ndjson(*END)))
    right, wrong = "81fbd01b23a8", "0" * 12
    assert either(server.url, digests={"tiny": right}).pull("tiny")[-1].status == "done"
    with pytest.raises(
        ModelChangedError, match="has the digest 81fbd01b23a8; it is pinned to 0000"
    ):
        either(server.url, digests={"tiny": wrong}).pull("tiny")


def missing() -> LoopbackServer:
    """An Ollama whose catalogue has nothing."""
    return pulling(ndjson(MANIFEST, {"error": "pull model manifest: file does not exist"}))


def test_the_server_fetches_that_has_it_in_its_catalogue(either: MakeEither, start: Start) -> None:
    first, second = start(missing()), start(pulling(ndjson(MANIFEST, part(100), *END)))
    steps = either([first.url, second.url]).pull("new")
    assert steps[-1].server == second.url
    assert steps[-1].status == "done"
    (attempt,) = steps[-1].attempts
    assert attempt.server == first.url
    assert isinstance(attempt.error, ModelNotFoundError)


def test_a_name_in_no_catalogue(either: MakeEither, start: Start) -> None:
    first, second = start(missing()), start(LMStudio())
    with pytest.raises(LocalMixError) as caught:
        either([first.url, second.url]).pull("new")
    assert [each.server for each in caught.value.attempts] == [first.url, second.url]
    assert first.url in str(caught.value)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("someone/new", "lmstudio"),
        ("someone/new:4b", "ollama"),
        ("hf.co/someone/new", "ollama"),
        ("new", "ollama"),
    ],
)
def test_a_name_says_whose_catalogue_it_is_from(
    either: MakeEither, start: Start, name: str, asked: str
) -> None:
    ollama = start(pulling(ndjson(MANIFEST, part(100), *END)))
    lmstudio = start(LMStudio(catalogue={"someone/new": 100}))
    last = either([ollama.url, lmstudio.url]).pull(name)[-1]
    assert last.server == (lmstudio if asked == "lmstudio" else ollama).url
    assert last.attempts == ()


def test_what_a_server_cannot_do_another_does(either: MakeEither, start: Start) -> None:
    ollama = start(pulling(ndjson(MANIFEST, part(100), *END)))
    lmstudio = start(LMStudio(catalogue={"someone/new": 100}))
    steps = either([lmstudio.url, ollama.url]).pull("someone/new", insecure=True)
    assert steps[-1].server == ollama.url
