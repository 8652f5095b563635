"""What LangChain's classes cost: ours beside langchain-ollama's and langchain-openai's, in one run.

Canned servers of both kinds answer at once; ours is measured on both. `LangChain alone` is a model
that has its answer in memory: what the framework takes by itself. The jobs take turns; the median
counts, and its ratio to raw httpx. ChatOllama streams even where a whole answer is asked for.
Absolute times say nothing of another machine.
"""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from layers import QUESTION, ROUNDS, TEXTS, Job, imports, loopback, show
from loopback_server import CHUNKS, WORD

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings

PACKAGES = ("localmix", "httpx", "langchain-core", "langchain-ollama", "langchain-openai", "openai")


def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} rounds; versions:")
    for package in PACKAGES:
        print(f"  {package} {version(package)}")
    with loopback() as ollama, loopback(kind="lmstudio") as lmstudio:
        models = chat_models(ollama, lmstudio)
        raw = {"raw httpx": whole(ollama)}
        show("invoke", raw | {name: invoking(m) for name, m in models.items()}, repeat=5)
        raw = {"raw httpx": streamed(ollama)}
        show("stream, 1,001 chunks", raw | {name: streaming(m) for name, m in models.items()})
        with asyncio.Runner() as runner:
            jobs = {name: astreaming(model, runner) for name, model in models.items()}
            show("astream, 1,001 chunks", raw | jobs)
        show("256 embeddings", embeddings(ollama, lmstudio))
        show("construction", construction(ollama, lmstudio), repeat=5)
    imports("langchain_localmix", "langchain_ollama", "langchain_openai")


class Alone(BaseChatModel):
    """Answer out of memory."""

    @property
    def _llm_type(self) -> str:
        return "alone"

    def _generate(self, messages: Any, stop: Any = None, *about: Any, **more: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(WORD * 70))])

    def _stream(
        self, messages: Any, stop: Any = None, *about: Any, **more: Any
    ) -> Iterator[ChatGenerationChunk]:
        for _ in range(CHUNKS):
            yield ChatGenerationChunk(message=AIMessageChunk(content=WORD))

    async def _astream(self, messages: Any, stop: Any = None, *about: Any, **more: Any) -> Any:
        for _ in range(CHUNKS):
            yield ChatGenerationChunk(message=AIMessageChunk(content=WORD))


def chat_models(ollama: str, lmstudio: str) -> dict[str, BaseChatModel]:
    return {
        "LangChain alone": Alone(),
        "ChatLocalMix, Ollama": ChatLocalMix(model="bench", base_url=ollama),
        "ChatOllama": ChatOllama(model="bench", base_url=ollama),
        "ChatLocalMix, LM Studio": ChatLocalMix(model="bench", base_url=lmstudio),
        "ChatOpenAI": _chat_openai(lmstudio),
    }


def whole(url: str) -> Job:
    http = httpx.Client(verify=False)
    return lambda: http.post(f"{url}/api/chat", json=_body(stream=False)).json()


def streamed(url: str) -> Job:
    http = httpx.Client(verify=False)

    def job() -> None:
        with http.stream("POST", f"{url}/api/chat", json=_body(stream=True)) as response:
            for line in response.iter_lines():
                json.loads(line)

    return job


def invoking(model: BaseChatModel) -> Job:
    return lambda: model.invoke(QUESTION)


def streaming(model: BaseChatModel) -> Job:
    return lambda: list(model.stream(QUESTION))


def astreaming(model: BaseChatModel, runner: asyncio.Runner) -> Job:
    async def stream() -> None:
        async for _ in model.astream(QUESTION):
            pass

    return lambda: runner.run(stream())


def embeddings(ollama: str, lmstudio: str) -> dict[str, Job]:
    http = httpx.Client(verify=False)
    body = {"model": "bench", "input": TEXTS}
    models = {
        "LocalMixEmbeddings, Ollama": LocalMixEmbeddings(model="bench", base_url=ollama),
        "OllamaEmbeddings": OllamaEmbeddings(model="bench", base_url=ollama),
        "LocalMixEmbeddings, LM Studio": LocalMixEmbeddings(model="bench-embed", base_url=lmstudio),
        "OpenAIEmbeddings": _openai_embeddings(lmstudio),
    }
    raw: dict[str, Job] = {"raw httpx": lambda: http.post(f"{ollama}/api/embed", json=body).json()}
    return raw | {
        name: lambda model=model: model.embed_documents(TEXTS) for name, model in models.items()
    }


def construction(ollama: str, lmstudio: str) -> dict[str, Job]:
    return {
        "httpx.Client": httpx.Client,
        "ChatLocalMix": lambda: ChatLocalMix(model="bench", base_url=ollama),
        "ChatOllama": lambda: ChatOllama(model="bench", base_url=ollama),
        "ChatOpenAI": lambda: _chat_openai(lmstudio),
        "LocalMixEmbeddings": lambda: LocalMixEmbeddings(model="bench", base_url=ollama),
        "OllamaEmbeddings": lambda: OllamaEmbeddings(model="bench", base_url=ollama),
        "OpenAIEmbeddings": lambda: _openai_embeddings(lmstudio),
    }


def _chat_openai(url: str) -> Any:
    make: Any = ChatOpenAI
    return make(model="bench", base_url=f"{url}/v1", api_key="x", stream_usage=True)


def _openai_embeddings(url: str) -> Any:
    make: Any = OpenAIEmbeddings  # with what LM Studio needs
    return make(model="bench", base_url=f"{url}/v1", api_key="x", check_embedding_ctx_length=False)


def _body(*, stream: bool) -> dict[str, Any]:
    messages = [{"role": "user", "content": QUESTION}]
    return {"model": "bench", "stream": stream, "messages": messages}


if __name__ == "__main__":
    main()
