"""`localmix serve` as a process: what it says, how it listens, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.loopback import Exchange

pytestmark = pytest.mark.slow

_LISTENS = re.compile(r"at (http://127\.0\.0\.1:(\d+)) ")


@contextmanager
def serving(*words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localmix.cli", "serve", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def address(said: IO[str] | None) -> str:
    assert said
    line = said.readline()
    match = _LISTENS.search(line)
    assert match, line
    return match[1]


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as reply:
        return bytes(reply.read())


def test_it_says_where_it_listens_and_what_stands_behind(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with serving("--port", "0", "--server", behind.url) as process:
        url = address(process.stdout)
        assert get(url) == b"Ollama is running"
        assert process.stdout
        said = [process.stdout.readline() for _ in range(7)]
        assert behind.url in said[2]
        assert said[4].endswith(f"{url}\n")
        assert f"{url}/v1, as key anything" in said[5]
        assert said[6].endswith(f"{url}/localmix\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_a_program_is_told_in_json(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with serving("--port", "0", "--json", "--server", behind.url) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert get(told["url"]) == b"Ollama is running"
        assert [server["url"] for server in told["servers"]] == [behind.url]


def test_everything_can_be_set_by_variables(start: Start) -> None:
    behind = start(stand_ins.ollama())
    variables = {
        "LOCALMIX_SERVERS": behind.url,
        "LOCALMIX_PROXY_PORT": "0",
        "LOCALMIX_PROXY_TOKEN": "correct-horse-battery",
    }
    with serving(**variables) as process:
        url = address(process.stdout)
        request = urllib.request.Request(f"{url}/api/tags")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=30)
        request.add_header("Authorization", "Bearer correct-horse-battery")
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert json.load(reply)["models"]


def test_running_answers_finish_when_it_is_told_to_end(start: Start) -> None:
    told = threading.Event()

    def slowly(exchange: Exchange) -> None:
        exchange.head(200, "application/x-ndjson", Transfer_Encoding="chunked")
        exchange.chunk(json.dumps(stand_ins.ollama_says(content="H")).encode() + b"\n")
        told.wait(20)
        exchange.chunk(json.dumps(stand_ins.ollama_says(content="i.")).encode() + b"\n")
        exchange.chunk(json.dumps(stand_ins.OLLAMA_DONE).encode() + b"\n")
        exchange.chunk(b"")

    behind = start(stand_ins.ollama(POST__api_chat=slowly))
    with serving("--port", "0", "--server", behind.url) as process:
        url = address(process.stdout)
        body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]})
        request = urllib.request.Request(f"{url}/api/chat", body.encode())
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert json.loads(reply.readline())["message"]["content"] == "H"
            process.send_signal(signal.SIGTERM)
            while _is_open(url):
                pass
            told.set()
            rest = [json.loads(line) for line in reply]
        assert rest[-1]["done"] is True
        assert process.wait(30) == 0


def _is_open(url: str) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def test_a_port_that_is_taken_is_named_with_who_has_it(start: Start, run: Run) -> None:
    for kind, name in ((stand_ins.ollama, "Ollama"), (stand_ins.lmstudio, "LM Studio")):
        taken = start(kind())
        ended = run("serve", "--port", taken.url.rpartition(":")[2])
        assert ended.code == 2
        assert f"{name} is already listening on {taken.url}. Use another port: --port" in " ".join(
            ended.err.split()
        )


def test_another_host_needs_a_token(run: Run) -> None:
    ended = run("serve", "--host", "0.0.0.0", "--port", "0")
    assert ended.code == 2
    assert "LOCALMIX_PROXY_TOKEN" in ended.err


def test_quiet_says_nothing(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving("--quiet", "--port", str(port), "--server", behind.url) as process:
        while not _is_open(f"http://127.0.0.1:{port}"):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (out, err) == ("", "")


def test_what_is_logged_at_a_higher_level(start: Start) -> None:
    behind = start(stand_ins.ollama())
    with serving("--port", "0", "--log-level", "info", "--server", behind.url) as process:
        get(f"{address(process.stdout)}/api/version")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert "INFO GET '/api/version' '' 200" in err


def test_what_was_asked_and_answered_can_be_written_down(start: Start, tmp_path: Path) -> None:
    behind, file = start(stand_ins.ollama()), tmp_path / "requests.jsonl"
    words = ("--port", "0", "--log-level", "info", "--log-requests", str(file))
    with serving(*words, "--server", behind.url) as process:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "stream": False}
        request = urllib.request.Request(
            f"{address(process.stdout)}/api/chat", json.dumps(body).encode()
        )
        urllib.request.urlopen(request, timeout=30).close()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["answer"]["message"]["content"] == "Hi."
    assert err.count("\n") == 1  # a call is one line of the log
