"""What our layers cost: beside raw httpx and beside the peers, in one run.

One loopback server in a process of its own gives canned replies at once, so that what is measured
is the client. Each job runs `ROUNDS` times, the candidates taking turns; the median counts, and its
ratio to the first. ChatOllama streams even where a whole answer is asked for. Absolute times say
nothing about another machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import httpx

ROUNDS = 15
TEXTS = [f"text number {number}" for number in range(256)]
QUESTION = "word " * 40
Job = Callable[[], object]


def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} rounds; versions:")
    for package in (
        "localmix",
        "httpx",
        "langchain-core",
        "langchain-ollama",
        "llama-index-core",
        "llama-index-llms-ollama",
    ):
        print(f"  {package} {version(package)}")
    with loopback() as url:
        show("Whole answer", whole(url))
        show("Stream of 1,001 chunks", streams(url))
        show("Vectors of 256 texts", vectors(url))
        show("Construction", construction(url), repeat=5)
    imports("localmix", "pydantic", "httpx", "langchain_localmix", "langchain_ollama")


@contextmanager
def loopback(more_models: int = 0, kind: str = "ollama", milliseconds: float = 0) -> Iterator[str]:
    script = Path(__file__).with_name("loopback_server.py")
    command = [sys.executable, str(script), str(more_models), kind, str(milliseconds)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout
        yield server.stdout.readline().strip()
        server.kill()


def whole(url: str) -> dict[str, Job]:
    from langchain_ollama import ChatOllama
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.ollama import Ollama

    from langchain_localmix import ChatLocalMix
    from llamaindex_localmix import LocalMix
    from localmix import Client

    http = httpx.Client(verify=False)
    body = {"model": "bench", "stream": False, "messages": [{"role": "user", "content": QUESTION}]}
    ours, client = ChatLocalMix(model="bench", base_url=url), Client(url)
    theirs = ChatOllama(model="bench", base_url=url)
    our_llm = LocalMix(model="bench", base_url=url)
    their_llm = Ollama(model="bench", base_url=url, context_window=4096)
    messages = [ChatMessage(QUESTION)]
    return {
        "raw httpx": lambda: http.post(f"{url}/api/chat", json=body).json(),
        "localmix": lambda: client.chat(QUESTION, model="bench"),
        "ChatLocalMix (LangChain)": lambda: ours.invoke(QUESTION),
        "ChatOllama (LangChain)": lambda: theirs.invoke(QUESTION),
        "LocalMix (LlamaIndex)": lambda: our_llm.chat(messages),
        "Ollama (LlamaIndex)": lambda: their_llm.chat(messages),
    }


def streams(url: str) -> dict[str, Job]:
    from langchain_ollama import ChatOllama
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.ollama import Ollama

    from langchain_localmix import ChatLocalMix
    from llamaindex_localmix import LocalMix
    from localmix import Client

    http = httpx.Client(verify=False)
    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}

    def raw() -> None:
        with http.stream("POST", f"{url}/api/chat", json=body) as response:
            for line in response.iter_lines():
                json.loads(line)

    ours, client = ChatLocalMix(model="bench", base_url=url), Client(url)
    theirs = ChatOllama(model="bench", base_url=url)
    our_llm = LocalMix(model="bench", base_url=url)
    their_llm = Ollama(model="bench", base_url=url, context_window=4096)
    messages = [ChatMessage(QUESTION)]
    return {
        "raw httpx": raw,
        "localmix": lambda: list(client.stream(QUESTION, model="bench")),
        "ChatLocalMix (LangChain)": lambda: list(ours.stream(QUESTION)),
        "ChatOllama (LangChain)": lambda: list(theirs.stream(QUESTION)),
        "LocalMix (LlamaIndex)": lambda: list(our_llm.stream_chat(messages)),
        "Ollama (LlamaIndex)": lambda: list(their_llm.stream_chat(messages)),
    }


def vectors(url: str) -> dict[str, Job]:
    from langchain_ollama import OllamaEmbeddings

    from langchain_localmix import LocalMixEmbeddings
    from localmix import Client

    http = httpx.Client(verify=False)
    body = {"model": "bench", "input": TEXTS}
    client = Client(url)
    ours = LocalMixEmbeddings(model="bench", base_url=url)
    theirs = OllamaEmbeddings(model="bench", base_url=url)
    return {
        "raw httpx": lambda: http.post(f"{url}/api/embed", json=body).json(),
        "localmix": lambda: client.embed(TEXTS, model="bench"),
        "LocalMixEmbeddings (LangChain)": lambda: ours.embed_documents(TEXTS),
        "OllamaEmbeddings (LangChain)": lambda: theirs.embed_documents(TEXTS),
    }


def construction(url: str) -> dict[str, Job]:
    from langchain_ollama import ChatOllama
    from llama_index.llms.ollama import Ollama

    from langchain_localmix import ChatLocalMix
    from llamaindex_localmix import LocalMix
    from localmix import Client

    return {
        "httpx.Client": httpx.Client,
        "localmix.Client": lambda: Client(url),
        "ChatLocalMix (LangChain)": lambda: ChatLocalMix(model="bench", base_url=url),
        "ChatOllama (LangChain)": lambda: ChatOllama(model="bench", base_url=url),
        "LocalMix (LlamaIndex)": lambda: LocalMix(model="bench", base_url=url),
        "Ollama (LlamaIndex)": lambda: Ollama(model="bench", base_url=url),
    }


def show(title: str, jobs: dict[str, Job], repeat: int = 1) -> None:
    """Time the jobs in turns, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for round_ in range(ROUNDS + 1):
        for name, job in jobs.items():
            started = time.perf_counter()
            for _ in range(repeat):
                job()
            if round_:
                times[name].append((time.perf_counter() - started) / repeat)
    medians = {name: statistics.median(each) for name, each in times.items()}
    first = next(iter(medians.values()))
    print(f"\n{title}\n{'':34}{'median':>10}  {'ratio':>6}")
    for name, median in medians.items():
        print(f"{name:34}{median * 1000:>8.2f}ms  {median / first:>6.2f}")


def imports(*modules: str) -> None:
    """Time imports in fresh interpreters, less an empty one; noise only adds: the least counts."""
    print(f"\nImport in a fresh interpreter\n{'':34}{'least':>10}")
    empty = _import_time("pass")
    for module in modules:
        print(f"{module:34}{(_import_time(f'import {module}') - empty) * 1000:>8.0f}ms")


def _import_time(code: str) -> float:
    times = []
    for _ in range(9):
        started = time.perf_counter()
        # With compiled files, as an installed package has them.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
