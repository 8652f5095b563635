"""Serve one model with llama.cpp, until the program that asked for it ends.

Run by path in a process of its own, so that a model that crashes takes nothing else down. It
imports nothing of localmix. Order and settings come as one line of JSON on standard input; the
answer, an address or an error, goes as one line of JSON to standard output. When standard input
ends, or the parent is gone, so is this process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

_POLL_SECONDS = 0.5


def main() -> None:
    """Load the model, say where it is served, and wait for the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to understand
    parent = os.getppid()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # llama.cpp's own words go to the log
    order = json.loads(sys.stdin.readline())
    try:
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
