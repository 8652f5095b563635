"""What it takes to embed many texts on several servers, beside LangChain's and LlamaIndex's ways.

Each server is a process that takes a fixed time for a text and works on one request after the
other, as a graphics card does: `N times` is the speed beside that of one such server that never
waits. `embed_many` gets so many texts for each server, the others so many in all: they use one. The
memory is the most that a fresh process had, with all that it imports (Linux only).
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from layers import loopback

PACKAGES = (
    *("localmix", "langchain-core", "langchain-ollama"),
    *("llama-index-core", "llama-index-embeddings-ollama"),
)
MILLISECONDS = 5.0
TEXTS = 4_096
FOR_OTHERS = 1_024
MANY = 100_000
FEWER = 10_000
Way = Callable[[Sequence[str], Iterable[str]], int]


def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}; versions:")
    for package in PACKAGES:
        print(f"  {package} {version(package)}")
    for count in (1, 2, 4):
        with ExitStack() as stack:
            urls = [stack.enter_context(loopback(milliseconds=MILLISECONDS)) for _ in range(count)]
            print(f"\n{count} servers that take {MILLISECONDS:g} ms for a text")
            print(f"{'':38}{'texts':>10}{'texts/s':>10}{'N times':>10}")
            for name, way in WAYS.items():
                texts = TEXTS * count if way is embed_many else FOR_OTHERS
                rate = _rate(way, urls, texts)
                print(f"{name:38}{texts:>10,}{rate:>10,.0f}{rate * MILLISECONDS / 1000:>10.2f}")
    print("\nMemory, one server that answers at once")
    with loopback() as url:
        for name, texts in [("embed_many", MANY), *((name, FEWER) for name in WAYS)]:
            print(f"{name:38}{texts:>10,} texts{_memory(name, url, texts):>10,.0f} MB")


def embed_many(urls: Sequence[str], texts: Iterable[str]) -> int:
    from localmix import Client

    with Client(urls) as client:
        return sum(bool(each.vector) for each in client.embed_many(texts, model="bench"))


def our_langchain(urls: Sequence[str], texts: Iterable[str]) -> int:
    from langchain_localmix import LocalMixEmbeddings

    return len(LocalMixEmbeddings(model="bench", servers=urls).embed_documents(list(texts)))


def langchain(urls: Sequence[str], texts: Iterable[str]) -> int:
    from langchain_ollama import OllamaEmbeddings

    return len(OllamaEmbeddings(model="bench", base_url=urls[0]).embed_documents(list(texts)))


def our_llamaindex(urls: Sequence[str], texts: Iterable[str]) -> int:
    from llamaindex_localmix import LocalMixEmbedding

    return _pipeline(LocalMixEmbedding(model="bench", servers=urls), texts)


def llamaindex(urls: Sequence[str], texts: Iterable[str]) -> int:
    from llama_index.embeddings.ollama import OllamaEmbedding

    return _pipeline(OllamaEmbedding(model_name="bench", base_url=urls[0]), texts)


def _pipeline(model: Any, texts: Iterable[str]) -> int:
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.schema import TextNode

    nodes = [TextNode(text=text) for text in texts]
    pipeline = IngestionPipeline(transformations=[model], disable_cache=True)
    return len(pipeline.run(nodes=nodes))


WAYS: dict[str, Way] = {
    "embed_many": embed_many,
    "LocalMixEmbeddings.embed_documents": our_langchain,
    "OllamaEmbeddings.embed_documents": langchain,
    "IngestionPipeline, LocalMixEmbedding": our_llamaindex,
    "IngestionPipeline, OllamaEmbedding": llamaindex,
}


def numbered(count: int) -> Iterable[str]:
    return (f"text number {number}" for number in range(count))


def _rate(way: Way, urls: Sequence[str], texts: int) -> float:
    way(urls, numbered(FOR_OTHERS))  # imports; and the server writes its replies of this size
    began = time.perf_counter()
    assert way(urls, numbered(texts)) == texts
    return texts / (time.perf_counter() - began)


def _memory(name: str, url: str, texts: int) -> float:
    command = [sys.executable, __file__, name, url, str(texts)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def most_megabytes() -> float:
    """Read the most that this process has had; `getrusage` would tell of its parent."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    if sys.argv[1:]:
        assert WAYS[sys.argv[1]]([sys.argv[2]], numbered(int(sys.argv[3])))
        print(most_megabytes())
    else:
        main()
