"""Programs that fork, are interrupted, end, and drop what they made: real processes."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from localmix import AsyncClient, Client
from localmix.embedded import engine
from localmix.embedded.engine import Engine
from localmix.errors import LocalMixError, ModelCrashedError, TimedOutError
from localmix.servers import MEMORY
from localmix.transport import Transport
from localmix.wire.flows import call, together, wait
from tests import stand_ins
from tests.conftest import TINY_MODELS
from tests.faults.test_soak import sockets_to
from tests.faults.waiting import until, wait_until
from tests.loopback import Exchange, LoopbackServer, Reply, stay_silent

pytestmark = pytest.mark.slow

MUCH_LATER = 5.0


def run(code: str, **names: object) -> subprocess.CompletedProcess[str]:
    """Run a program; what it says on standard error is a failure."""
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    done = subprocess.run(
        [sys.executable, "-u", "-c", head + textwrap.dedent(code)],  # a fork copies buffers
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done


# Forks

_CHILD = """
    def child(ask):
        began = time.monotonic()
        if (pid := os.fork()) == 0:
            try:
                print(ask(), time.monotonic() - began < 5, flush=True)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
"""
_BEGIN = "import os, time, threading\nfrom localmix import Client\n" + textwrap.dedent(_CHILD)


def test_a_fork_with_a_slot_taken(start: Any) -> None:
    server = start(stand_ins.ollama())
    done = run(
        _BEGIN
        + """
client = Client([{"url": url, "limit": 1}])
stream = client.stream("hello", model="tiny")
print(next(stream).content)
child(lambda: client.chat("hello", model="tiny").content)
print("".join(delta.content for delta in stream))
print(client.chat("hello", model="tiny").content)
client.close()
""",
        url=server.url,
    )
    assert done.stdout.split("\n") == ["H", "Hi. True", "i.", "Hi.", ""]


def once_silent(reply: Reply) -> Reply:
    """Keep silent to the first who asks."""
    asked: list[Exchange] = []

    def respond(exchange: Exchange) -> None:
        asked.append(exchange)
        (stay_silent if len(asked) == 1 else reply)(exchange)

    return respond


def test_a_fork_with_a_probe_under_way(start: Any) -> None:
    server = start(stand_ins.ollama())
    server.routes["GET /api/version"] = once_silent(server.routes["GET /api/version"])
    done = run(
        _BEGIN
        + """
client = Client(url, probe_timeout=30)
threading.Thread(target=client.servers, daemon=True).start()
time.sleep(0.5)
child(lambda: client.chat("hello", model="tiny").content)
""",
        url=server.url,
    )
    assert done.stdout == "Hi. True\n"


def test_a_fork_with_the_engines_start_under_way(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
    quick = engine._SERVE.read_text()
    slow = "import os, time\nif not os.path.exists(__file__ + '.1'):\n"
    slow += "    open(__file__ + '.1', 'w').close()\n    time.sleep(30)\n"
    (tmp_path / "serve.py").write_text(slow + quick.replace("from __future__", "# "))
    done = run(
        _BEGIN
        + """
from pathlib import Path
from localmix.embedded import engine
engine._SERVE, engine._GRACE_SECONDS = Path(folder) / "serve.py", 0.1
client = Client("127.0.0.1:9", models_path=folder)
ask = lambda: bool(client.chat("hello", model="embedded/m", max_tokens=3).route)
threading.Thread(target=ask, daemon=True).start()
while not os.path.exists(folder + "/serve.py.1"):
    time.sleep(0.01)
child(lambda: (ask(), engine.stop_all())[0])
engine.stop_all()
os._exit(0)
""",
        folder=str(tmp_path),
    )
    assert done.stdout.startswith("True")


# Interruptions


@pytest.mark.usefixtures("ctrl_c")
def test_a_key_ends_chunks_at_once(start: Any) -> None:
    server = start(stand_ins.ollama())
    proper = server.routes["POST /api/embed"]
    asked: list[Exchange] = []

    def respond(exchange: Exchange) -> None:
        asked.append(exchange)
        (proper if len(asked) == 1 else stay_silent)(exchange)

    server.routes["POST /api/embed"] = respond

    def interrupt() -> None:
        wait_until(lambda: len(asked) > 2)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    with Client(server.url) as client:
        pressing.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.embed(["text"] * 9, model="embed", chunk_size=1)
        assert time.monotonic() < began + MUCH_LATER
        pressing.join()
        wait_until(lambda: MEMORY.vitals(server.url).slots.in_flight == 0)
        wait_until(lambda: sockets_to([server.url]) <= 1)  # the first may be kept


@pytest.mark.usefixtures("ctrl_c")
def test_a_program_that_is_interrupted_ends(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_embed=stay_silent))
    code = "from localmix import Client\nprint('begun', flush=True)\n"
    code += f"Client({server.url!r}).embed(['t'] * 9, model='embed', chunk_size=1)"
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: server.count("POST /api/embed"), 20)
    program.send_signal(signal.SIGINT)
    _, complaint = program.communicate(timeout=MUCH_LATER)
    assert complaint.strip().endswith("KeyboardInterrupt")


# Ends


@pytest.mark.parametrize("how", ["dropped", "kept"])
def test_a_program_with_a_monitor_ends_silently(start: Any, how: str) -> None:
    server = start(stand_ins.ollama())
    began = time.monotonic()
    run(
        """
        import time
        from localmix import Client
        client = Client(url, monitor_every=0.01)
        client.chat("hello", model="tiny")
        time.sleep(0.2)
        if how == "dropped":
            del client
            time.sleep(0.2)
        """,
        url=server.url,
        how=how,
    )
    assert time.monotonic() < began + 30


def test_a_monitor_ends_with_its_client(start: Any) -> None:
    server = start(stand_ins.ollama())
    client = Client(server.url, monitor_every=0.02)
    client.chat("hello", model="tiny")
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    wait_until(lambda: not _ours())
    assert sockets_to([server.url]) == 0


def test_a_monitor_ends_with_its_asynchronous_client(start: Any) -> None:
    server = start(stand_ins.ollama())

    async def watch() -> None:
        client = AsyncClient(server.url, monitor_every=0.02)
        await client.chat("hello", model="tiny")
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    asyncio.run(watch())
    assert sockets_to([server.url]) == 0


def _ours() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "localmix"]


def test_a_program_ends_though_a_port_never_answers(start: Any) -> None:
    def ping(exchange: Exchange) -> None:
        while not exchange.is_hung_up(timeout=0.05):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    bad = LoopbackServer(dict.fromkeys(("GET /api/version", "GET /v1/models"), ping))
    start(bad)
    good = start(stand_ins.ollama())
    began = time.monotonic()
    run(
        "from localmix import Client\nClient([bad, good], timeout=5).chat('hello', model='tiny')",
        bad=bad.url,
        good=good.url,
    )
    assert time.monotonic() < began + 60  # the port never answers


# Loops


def test_nobody_waits_for_a_blocked_loop(start: Any) -> None:
    """A probe that was begun in a loop that is blocked is not the last word."""
    server = start(stand_ins.ollama())
    server.routes["GET /api/version"] = once_silent(server.routes["GET /api/version"])
    blocked, unblock = threading.Event(), threading.Event()

    async def block() -> None:
        async with AsyncClient(server.url, probe_timeout=30) as client:
            task = asyncio.ensure_future(client.servers())
            await asyncio.sleep(0.3)
            blocked.set()
            unblock.wait(30)
            task.cancel()
            await asyncio.wait([task])

    thread = threading.Thread(target=asyncio.run, args=(block(),))
    thread.start()
    blocked.wait(30)
    began = time.monotonic()
    with Client(server.url, probe_timeout=30) as client:
        assert client.chat("hello", model="tiny").content == "Hi."
    assert time.monotonic() < began + MUCH_LATER
    unblock.set()
    thread.join()


def test_context_travels_into_threads() -> None:
    name: ContextVar[str] = ContextVar("name")
    name.set("of the caller")
    transport = Transport()
    said = transport.run(together([call(name.get) for _ in range(3)]))
    transport.close()
    assert said == ["of the caller"] * 3


def test_so_many_at_once_and_the_next_when_one_has_ended() -> None:
    running, most = [0], [0]

    def work(number: int) -> Any:
        running[0] += 1
        most[0] = max(most[0], running[0])
        yield from wait(0.3 if number == 0 else 0.05)
        running[0] -= 1
        return number

    transport = Transport()
    began = time.monotonic()
    assert transport.run(together([work(n) for n in range(7)], at_most=2)) == list(range(7))
    transport.close()
    assert most == [2]
    assert time.monotonic() < began + 0.9


# The engine


@pytest.fixture
def slow_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve a model whose loading takes longer than any test here waits."""
    (tmp_path / "m.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
    serve = tmp_path / "serve.py"
    serve.write_text(
        engine._SERVE.read_text().replace("    import xllamacpp\n", "    time.sleep(60)\n")
    )
    monkeypatch.setattr(engine, "_SERVE", serve)
    monkeypatch.setattr(engine, "_GRACE_SECONDS", 0.1)
    return tmp_path


def test_the_engines_start_is_bounded(either: Any, slow_engine: Path) -> None:
    client = either("127.0.0.1:9", models_path=slow_engine, timeout=0.5, max_retries=0)
    client.servers()
    began = time.monotonic()
    with pytest.raises(TimedOutError, match=r"did not load m within 0\.[0-9]+ s"):
        client.chat("hello", model="embedded/m")
    assert time.monotonic() < began + MUCH_LATER
    # The load goes on, for whoever asks next.
    (served,) = [each for path, each in engine._served.items() if path.parent == slow_engine]
    assert served.process.poll() is None
    Engine((slow_engine,)).stop("m")


def test_a_closed_client_does_not_wait_for_the_engine(slow_engine: Path) -> None:
    client = Client("127.0.0.1:9", models_path=slow_engine)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            client.chat("hello", model="embedded/m")
        except LocalMixError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: any(path.parent == slow_engine for path in engine._served), 20)
    client.close()
    asking.join(MUCH_LATER)
    assert "closed" in str(errors[0])
    Engine((slow_engine,)).stop("m")


def test_an_engine_that_loads_ends_with_its_program(slow_engine: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from localmix.embedded import engine
        engine._SERVE = Path({str(slow_engine / "serve.py")!r})
        print(engine.Engine((Path({str(slow_engine)!r}),)).begin("m").process.pid, flush=True)
        time.sleep(60)
    """
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    pid = int(program.stdout.readline())
    time.sleep(0.5)
    program.kill()
    program.wait()
    program.stdout.close()
    wait_until(lambda: not _is_running(pid), 10)


def _is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_odd_files_are_their_own_trouble(tmp_path: Path) -> None:
    from tests.unit.test_gguf import gguf, string

    good = (TINY_MODELS / "localmix-tiny.gguf").read_bytes()
    (tmp_path / "good.gguf").write_bytes(good)
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "cut.gguf").write_bytes(good[:20])
    odd = gguf(
        ("general.architecture", 8, string("llama")), ("llama.context_length", 8, string("x"))
    )
    (tmp_path / "odd.gguf").write_bytes(odd)
    began = time.monotonic()
    found = {model.name: model.context_length for model in Engine((tmp_path,)).models()}
    assert time.monotonic() < began + MUCH_LATER
    assert found == {"good": 2048, "odd": None}


def test_long_lists_are_not_read(tmp_path: Path) -> None:
    import struct

    from localmix.embedded.gguf import read_head
    from tests.unit.test_gguf import gguf, string

    numbers = struct.pack("<IQ", 4, 1 << 22) + bytes(4 << 22)
    (tmp_path / "long.gguf").write_bytes(
        gguf(
            ("general.numbers", 9, numbers),
            ("general.architecture", 8, string("llama")),
            ("general.texts", 9, struct.pack("<IQ", 8, 1 << 23)),
        )
    )
    began = time.monotonic()
    head = read_head(tmp_path / "long.gguf")
    assert time.monotonic() < began + 1
    assert head == {"general.numbers": [], "general.architecture": "llama"}


@pytest.mark.parametrize("lack", ["folder", "descriptors"])
def test_what_the_engine_lacks_is_a_typed_error(lack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource
    import tempfile

    if lack == "folder":
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    made = Engine((TINY_MODELS,))
    made.models()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if lack == "descriptors":
        # A new descriptor is the lowest number that is free, so below that one there is none.
        with open(os.devnull) as lowest:  # noqa: PTH123  (a number, not a path)
            free = lowest.fileno()
        importlib.invalidate_caches()  # so that looking for a package takes one as well
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(ModelCrashedError) as caught:
            made.begin("localmix-tiny", 999)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        made.stop("localmix-tiny")  # lest a window of 999 be served to other tests
    assert caught.value.server == "embedded:"
