"""What LlamaIndex costs on our layers, beside the other integrations, in one run.

Canned servers of both kinds answer at once, so that what is measured is the client. Each job runs
as often as in `layers.py`, the candidates taking turns; the median counts, and its ratio to raw
httpx. `LlamaIndex alone` makes the same responses with the framework's own decorators and without
any I/O: what no integration can go below. Absolute times say nothing about another machine.
"""

from __future__ import annotations

import asyncio
import json
import platform
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import httpx
from layers import QUESTION, ROUNDS, TEXTS, Job, imports, loopback, show
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen, TextBlock
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.mock import MockLLM
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.llms.lmstudio import LMStudio
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai_like import OpenAILike
from loopback_server import CHUNKS, WORD

from llamaindex_localmix import LocalMix, LocalMixEmbedding

PACKAGES = (
    "localmix",
    "llama-index-core",
    "llama-index-llms-ollama",
    "llama-index-llms-lmstudio",
    "llama-index-llms-openai-like",
    "llama-index-embeddings-ollama",
    "pydantic",
    "httpx",
)
MESSAGES = [ChatMessage(QUESTION)]
SAID = [{"role": "user", "content": QUESTION}]


class Alone(MockLLM):
    """Answer with what is known beforehand."""

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return _response(WORD * 70)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        def steps() -> ChatResponseGen:
            text = ""
            for _ in range(CHUNKS):
                text += WORD
                yield _response(text, WORD)

        return steps()


def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} rounds; versions:")
    for package in PACKAGES:
        print(f"  {package} {version(package)}")
    for kind in ("ollama", "lmstudio"):
        with loopback(kind=kind) as url:
            llms = candidates(kind, url)
            show(f"Whole answer, {kind}", whole(kind, url, llms))
            show(f"Stream of 1,001 chunks, {kind}", streams(kind, url, llms))
            show(f"Stream of 1,001 chunks, {kind}, asynchronous", async_streams(llms))
    with loopback() as url:
        show("Vectors of 256 texts", vectors(url))
    show("Construction of an LLM", construction(), repeat=20)
    show("Construction of an embedding model", construction_of_embeddings())
    imports(
        *("llama_index.core", "llamaindex_localmix", "llama_index.llms.ollama"),
        *("llama_index.llms.lmstudio", "llama_index.llms.openai_like"),
        "llama_index.embeddings.ollama",
    )


def candidates(kind: str, url: str) -> dict[str, Any]:
    ours = LocalMix(model="bench", base_url=url)
    if kind == "ollama":
        return {
            "LocalMix": ours,
            "Ollama": Ollama(model="bench", base_url=url, context_window=4096),
        }
    openai_like = OpenAILike(
        model="bench", api_base=f"{url}/v1", api_key="none", is_chat_model=True, max_retries=0
    )
    lmstudio = LMStudio(model_name="bench", base_url=f"{url}/v1")
    return {"LocalMix": ours, "LMStudio": lmstudio, "OpenAILike": openai_like}


def whole(kind: str, url: str, llms: dict[str, Any]) -> dict[str, Job]:
    http = httpx.Client(verify=False)
    path, body = _request(kind, url, stream=False)
    jobs: dict[str, Job] = {"raw httpx": lambda: http.post(path, json=body).json()}
    jobs["LlamaIndex alone"] = lambda: Alone(max_tokens=None).chat(MESSAGES)
    return jobs | {name: _chatting(llm) for name, llm in llms.items()}


def streams(kind: str, url: str, llms: dict[str, Any]) -> dict[str, Job]:
    http = httpx.Client(verify=False)
    path, body = _request(kind, url, stream=True)

    def raw() -> None:
        with http.stream("POST", path, json=body) as response:
            for line in response.iter_lines():
                text = line.removeprefix("data: ")
                if text and text != "[DONE]":
                    json.loads(text)

    jobs: dict[str, Job] = {"raw httpx": raw}
    jobs["LlamaIndex alone"] = _streaming(Alone(max_tokens=None))
    return jobs | {name: _streaming(llm) for name, llm in llms.items()}


def async_streams(llms: dict[str, Any]) -> dict[str, Job]:
    """Stream in a new loop each time, as `asyncio.run` does; some peers cannot."""

    def streaming(llm: Any) -> Job:
        async def main() -> None:
            async for _ in await llm.astream_chat(MESSAGES):
                pass

        return lambda: asyncio.run(main())

    return {name: streaming(llm) for name, llm in llms.items() if name in ("LocalMix", "LMStudio")}


def vectors(url: str) -> dict[str, Job]:
    http = httpx.Client(verify=False)
    body = {"model": "bench", "input": TEXTS}
    ours = LocalMixEmbedding(model="bench", base_url=url)
    theirs = OllamaEmbedding(model_name="bench", base_url=url)
    alike = OllamaEmbedding(model_name="bench", base_url=url, embed_batch_size=512)
    return {
        "raw httpx": lambda: http.post(f"{url}/api/embed", json=body).json(),
        "LocalMixEmbedding": lambda: ours.get_text_embedding_batch(TEXTS),
        "OllamaEmbedding": lambda: theirs.get_text_embedding_batch(TEXTS),
        "OllamaEmbedding, batches of 512": lambda: alike.get_text_embedding_batch(TEXTS),
    }


def construction() -> dict[str, Job]:
    url = "http://127.0.0.1:9"
    return {
        "LlamaIndex alone": lambda: Alone(max_tokens=None),
        "LocalMix": lambda: LocalMix(model="bench", base_url=url),
        "Ollama": lambda: Ollama(model="bench", base_url=url),
        "LMStudio": lambda: LMStudio(model_name="bench", base_url=url),
        "OpenAILike": lambda: OpenAILike(model="bench", api_base=url, api_key="none"),
    }


def construction_of_embeddings() -> dict[str, Job]:
    """Stand apart: what one of them leaves to the garbage collector would disturb the others."""
    url = "http://127.0.0.1:9"
    return {
        "LocalMixEmbedding": lambda: LocalMixEmbedding(model="bench", base_url=url),
        "OllamaEmbedding": lambda: OllamaEmbedding(model_name="bench", base_url=url),
    }


def _response(text: str, delta: str | None = None) -> ChatResponse:
    message = ChatMessage(role="assistant", blocks=[TextBlock(text=text)])
    return ChatResponse(message=message, delta=delta, raw={})


def _request(kind: str, url: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    path = "api/chat" if kind == "ollama" else "v1/chat/completions"
    return f"{url}/{path}", {"model": "bench", "stream": stream, "messages": SAID}


def _chatting(llm: Any) -> Job:
    return lambda: llm.chat(MESSAGES)


def _streaming(llm: Any) -> Job:
    return lambda: deque(llm.stream_chat(MESSAGES), maxlen=0)  # nobody keeps them all


if __name__ == "__main__":
    main()
