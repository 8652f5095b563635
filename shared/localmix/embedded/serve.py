"""Serve one model with llama.cpp, until the program that asked for it ends.

Run by path in a process of its own, so that a model that crashes takes nothing else down. It
imports nothing of localmix. Order and settings come as one line of JSON on standard input; the
answer, an address or an error, goes as one line of JSON to standard output. When standard input
ends, or the parent is gone, so is this process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

_POLL_SECONDS = 0.5


def main() -> None:
    """Load the model, say where it is served, and wait for the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to understand
    parent = os.getppid()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # llama.cpp's own words go to the log
    order = json.loads(sys.stdin.readline())
    try:
        with _ending_with_input(answers):
            server = _serve(order)
    except (RuntimeError, ImportError) as error:
        print(json.dumps({"error": str(error)}), file=answers, flush=True)
        sys.exit(1)
    threading.Thread(target=_leave_when_closed, daemon=True).start()
    print(json.dumps({"url": server.listening_address}), file=answers, flush=True)
    # A child that the parent forked may hold the other end of our input open.
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(0)


@contextmanager
def _ending_with_input(answers: IO[str]) -> Iterator[None]:
    """Have this process killed when its input ends, while it cannot see that itself.

    Quirk (xllamacpp 2026.10): loading a model holds Python's lock, so no thread of ours runs.
    """
    if not hasattr(os, "fork"):
        yield
        return
    loader, watchdog = os.getpid(), os.fork()
    if watchdog == 0:
        answers.close()
        ended = select.poll()
        ended.register(0, 0)  # a closed pipe is told of without being asked for
        while os.getppid() == loader:
            if ended.poll(_POLL_SECONDS * 1000):
                os.kill(loader, signal.SIGKILL)
        os._exit(0)
    try:
        yield
    finally:
        os.kill(watchdog, signal.SIGKILL)
        os.waitpid(watchdog, 0)


def _serve(order: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    params.model_alias = {order["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["key"]]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.offline = True
    params.verbosity = 1
    params.cache_ram_mib = 256
    if order["threads"]:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    params.n_parallel = order["slots"]
    params.n_ctx = order["window"] * order["slots"]  # the window is divided among the slots
    if order["embedding"]:
        params.embedding = True
        # A text must fit one batch.
        params.n_batch = params.n_ubatch = order["window"]
    return xllamacpp.Server(params)


def _leave_when_closed() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
