"""One face for both colours, so that each behaviour is written once and run in both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from localmix import (
    AsyncClient,
    ChatResult,
    Client,
    Delta,
    Embedded,
    EmbedResult,
    ModelInfo,
    PullProgress,
    Route,
    RunResult,
    Server,
)


class Either:
    """Drive a `Client`, or an `AsyncClient` in a loop of its own, and return plain values."""

    def __init__(self, colour: str, servers: Any = None, **settings: Any) -> None:
        self._runner = asyncio.Runner() if colour == "async" else None
        self.client: Any = (AsyncClient if self._runner else Client)(servers, **settings)

    def servers(self) -> list[Server]:
        result: list[Server] = self._do(self.client.servers())
        return result

    def models_by_server(self) -> list[ModelInfo]:
        result: list[ModelInfo] = self._do(self.client.models_by_server())
        return result

    def route(self, model: str | None = None, **options: Any) -> Route:
        result: Route = self._do(self.client.route(model, **options))
        return result

    def show(self, model: str) -> ModelInfo:
        result: ModelInfo = self._do(self.client.show(model))
        return result

    def look_up(self, model: str | None = None, **options: Any) -> Any:
        return self._do(self.client.look_up(model, **options))

    def chat(self, messages: Any, **options: Any) -> ChatResult:
        result: ChatResult = self._do(self.client.chat(messages, **options))
        return result

    def run(self, messages: Any, tools: Any, **options: Any) -> RunResult:
        result: RunResult = self._do(self.client.run(messages, tools, **options))
        return result

    def complete(self, prompt: str, **options: Any) -> ChatResult:
        result: ChatResult = self._do(self.client.complete(prompt, **options))
        return result

    def embed(self, texts: Any, **options: Any) -> EmbedResult:
        result: EmbedResult = self._do(self.client.embed(texts, **options))
        return result

    def embed_many(
        self, texts: Any, *, at_most: int | None = None, **options: Any
    ) -> list[Embedded]:
        """Collect the vectors; with `at_most`, leave early."""
        found: list[Embedded] = self._collect(self.client.embed_many(texts, **options), at_most)
        return found

    def manage(self, method: str, *args: Any, **options: Any) -> Any:
        """Call one of the managing methods."""
        return self._do(getattr(self.client, method)(*args, **options))

    def pull(self, model: str, *, at_most: int | None = None, **options: Any) -> list[PullProgress]:
        """Collect the steps of a pull; with `at_most`, leave early."""
        steps: list[PullProgress] = self._collect(self.client.pull(model, **options), at_most)
        return steps

    def stream(self, messages: Any, *, at_most: int | None = None, **options: Any) -> list[Delta]:
        """Collect the deltas; with `at_most`, leave early."""
        deltas: list[Delta] = self._collect(self.client.stream(messages, **options), at_most)
        return deltas

    def stream_complete(self, prompt: str, **options: Any) -> list[Delta]:
        deltas: list[Delta] = self._collect(self.client.stream_complete(prompt, **options), None)
        return deltas

    def close(self) -> None:
        """Close the client; the fixture ends its loop."""
        self._do(self.client.close())

    def end(self) -> None:
        self.close()
        if self._runner:
            self._runner.close()

    def _do(self, value: Any) -> Any:
        return self._runner.run(value) if self._runner else value

    def _collect(self, stream: Any, at_most: int | None) -> list[Any]:
        if self._runner:
            return self._runner.run(_collect_async(stream, at_most))
        with stream:
            return [step for _, step in zip(_limit(at_most), stream, strict=False)]


MakeEither = Callable[..., Either]


def route_of(answer: ChatResult | Delta) -> Route:
    """Give the route that every answer carries."""
    assert answer.route is not None
    return answer.route


async def _collect_async(stream: Any, at_most: int | None) -> list[Any]:
    steps: list[Any] = []
    async with stream:
        for _ in _limit(at_most):
            step = await anext(stream, None)
            if step is None:
                break
            steps.append(step)
    return steps


def _limit(at_most: int | None) -> range:
    return range(at_most if at_most is not None else 10**9)
