"""The programs of the pages that serve: as their users use them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import stand_ins
from tests.docs.blocks import ROOT
from tests.docs.machine import Machine
from tests.loopback import Exchange, LoopbackServer, ndjson, whole

pytestmark = pytest.mark.slow

Start = Callable[[LoopbackServer], LoopbackServer]
HOWTO = ROOT / "docs" / "howto"


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Path:
    """Give the page that a class is about."""
    return HOWTO / str(request.cls.page_name)


class TestFastAPI:
    page_name = "fastapi.md"

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("fastapi")
        pytest.importorskip("uvicorn")

    def test_an_answer_comes_as_it_is_written(self, machine: Machine) -> None:
        with app_served(machine) as url:
            question = {"question": "What is the capital of France?"}
            reply = httpx.get(f"{url}/answer", params=question, trust_env=False, timeout=30)
        assert reply.status_code == 200
        assert "Paris" in reply.text

    def test_a_client_that_leaves_stops_the_server(self, machine: Machine, start: Start) -> None:
        left = threading.Event()

        def go_on(exchange: Exchange) -> None:
            if exchange.is_hung_up(timeout=20):
                left.set()

        hello = ndjson(stand_ins.ollama_says(content="Hello"), end=go_on)
        server = start(stand_ins.ollama("qwen3:8b", POST__api_chat=hello))
        with app_served(machine, LOCALMIX_SERVERS=server.url) as url:
            asked = httpx.stream("GET", f"{url}/answer?question=Hi", trust_env=False, timeout=30)
            with asked as reply:
                words = reply.iter_text()  # kept: it hangs up when nobody holds it any more
                assert next(words) == "Hello"
                assert not left.is_set()
            assert left.wait(20)

    def test_an_error_before_the_first_word_has_a_status(
        self, machine: Machine, start: Start
    ) -> None:
        broken = whole({"error": "out of memory"}, 500)
        server = start(stand_ins.ollama("qwen3:8b", POST__api_chat=broken))
        with app_served(machine, LOCALMIX_SERVERS=server.url, LOCALMIX_MAX_RETRIES="0") as url:
            reply = httpx.get(f"{url}/answer?question=Hi", trust_env=False, timeout=30)
        assert reply.status_code == 503
        assert server.url not in reply.text


class TestStreamlit:
    page_name = "streamlit.md"

    def test_a_conversation(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        testing = pytest.importorskip("streamlit.testing.v1")
        for name, value in machine.variables.items():
            monkeypatch.setenv(name, value)
        app = testing.AppTest.from_file(str(machine.folder / "app.py"), default_timeout=60).run()
        app.chat_input[0].set_value("What is the capital of France?").run()
        assert not app.exception
        assert [message.name for message in app.chat_message] == ["user", "assistant"]
        assert "Paris" in app.chat_message[1].markdown[0].value


@contextmanager
def app_served(machine: Machine, **variables: str) -> Iterator[str]:
    """Serve `app.py` of the page as the page says, on a free port."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0", "--no-access-log"]
    with subprocess.Popen(
        command,
        cwd=machine.folder,
        env={**machine.environment(), **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr
        try:
            running = next(line for line in server.stderr if "running on" in line)
            yield running.partition("running on ")[2].split()[0]
        finally:
            server.terminate()
            server.stderr.read()
