"""A program that asks through an instrumented framework, and prints what its exporters got.

It is a process of its own: what these instrumentations do to a framework they do not undo.

    python -m tests.client.instrumented langchain
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.instrumentation.llamaindex import LlamaIndexInstrumentor

from langchain_localmix import ChatLocalMix
from llamaindex_localmix import LocalMix
from localmix import Client
from tests import stand_ins
from tests.client.test_telemetry import TOKENS, Heard
from tests.loopback import serving

HELLO = [ChatMessage(content="hello")]


async def _all(stream: Any) -> list[Any]:
    return [each async for each in stream]


async def _all_of(coming: Any) -> list[Any]:
    return await _all(await coming)


ASKS: dict[str, list[Callable[[Any], object]]] = {
    "langchain": [
        lambda llm: llm.invoke("hello"),
        lambda llm: list(llm.stream("hello")),
        lambda llm: asyncio.run(llm.ainvoke("hello")),
        lambda llm: asyncio.run(_all(llm.astream("hello"))),
    ],
    "llamaindex": [
        lambda llm: llm.chat(HELLO),
        lambda llm: list(llm.stream_chat(HELLO)),
        lambda llm: asyncio.run(llm.achat(HELLO)),
        lambda llm: asyncio.run(_all_of(llm.astream_chat(HELLO))),
    ],
}
OF: dict[str, tuple[Any, Any]] = {
    "langchain": (LangchainInstrumentor, ChatLocalMix),
    "llamaindex": (LlamaIndexInstrumentor, LocalMix),
}


def main(framework: str) -> None:
    heard = Heard()
    instrumentor, model = OF[framework]
    instrumentor().instrument(tracer_provider=heard.tracers, meter_provider=heard.meters)
    with (
        serving(stand_ins.ollama()) as server,
        Client(server.url, observers=[heard.observer()]) as client,
    ):
        for ask in ASKS[framework]:
            ask(model(model="tiny", client=client))
        client.chat("hello", model="tiny")  # of which nobody else tells
    names = {span.context.span_id: span.name for span in heard.spans if span.context}
    spans = [(span.name, span.parent and names[span.parent.span_id]) for span in heard.spans]
    tokens = [(scope, point.sum) for scope, point in heard.points_by_scope(TOKENS)]
    json.dump({"spans": spans, "tokens": tokens}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
