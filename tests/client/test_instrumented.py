"""Our spans among those of instrumented frameworks, whose instrumentations are the real ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from llamaindex_localmix import LocalMix, LocalMixEmbedding
from localmix import Client
from tests import stand_ins

pytest.importorskip("opentelemetry.sdk")
pytest.importorskip("openinference.instrumentation.langchain")
pytest.importorskip("openinference.instrumentation.llama_index")

from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

from tests.client.test_telemetry import TOKENS, Heard, said

# They warn by themselves, and an error in their handlers leaves spans open.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
HELLO = [ChatMessage(content="hello")]


@contextmanager
def instrumented(instrumentor: Any, heard: Heard) -> Iterator[None]:
    instrumentor.instrument(tracer_provider=heard.tracers)
    try:
        yield
    finally:
        instrumentor.uninstrument()


@pytest.fixture
def client(start: Any, heard: Heard) -> Iterator[Client]:
    with Client(start(stand_ins.ollama()).url, observers=[heard.observer()]) as client:
        yield client


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.mark.parametrize(
    "ask",
    [
        lambda llm: llm.invoke("hello"),
        lambda llm: list(llm.stream("hello")),
    ],
    ids=["invoke", "stream"],
)
def test_langchain(client: Client, heard: Heard, ask: Callable[[Any], object]) -> None:
    """Its spans are never current, so that ours stands beside them, and nothing is lost."""
    with instrumented(LangChainInstrumentor(), heard):
        ask(ChatLocalMix(model="tiny", client=client))
    assert {span.name for span in heard.spans} == {"ChatLocalMix", "chat tiny"}
    assert said(heard.span)["gen_ai.usage.output_tokens"] == 26
    assert {point.sum for point in heard.points(TOKENS)} == {19, 26}


def test_langchains_vectors(client: Client, heard: Heard) -> None:
    with instrumented(LangChainInstrumentor(), heard):
        LocalMixEmbeddings(model="embed", client=client).embed_query("hello")
    assert said(heard.span)["gen_ai.operation.name"] == "embeddings"


def test_llama_index(client: Client, heard: Heard) -> None:
    with instrumented(LlamaIndexInstrumentor(), heard):
        LocalMix(model="tiny", client=client).chat(HELLO)
        LocalMixEmbedding(model_name="embed", client=client).get_text_embedding("hello")
    ours = [span for span in heard.spans if span.name in ("chat tiny", "embeddings embed")]
    theirs = {span.context.span_id for span in heard.spans if span.context and span not in ours}
    assert len(ours) == 2
    assert all(span.parent and span.parent.span_id in theirs for span in ours)
    assert len(heard.points(TOKENS)) == 2  # theirs measure nothing


def test_a_stream_of_llama_index(client: Client, heard: Heard) -> None:
    with instrumented(LlamaIndexInstrumentor(), heard):
        answer = list(LocalMix(model="tiny", client=client).stream_chat(HELLO))
    assert answer[-1].message.content == "Hi."
    assert said(heard.span)["localmix.outcome"] == "answered"


# Of the request that is made without a framework; four are made with it.
OURS_ALONE = [["localmix", 19], ["localmix", 26]]


def of_a_program(framework: str) -> tuple[Counter[tuple[str, str | None]], list[list[Any]]]:
    """Give the spans, each with the one above, and the tokens in metrics, each with its scope."""
    pytest.importorskip(f"opentelemetry.instrumentation.{framework}")
    program = [sys.executable, "-m", "tests.client.instrumented", framework]
    done = json.loads(subprocess.run(program, stdout=subprocess.PIPE, check=True).stdout)
    return Counter(map(tuple, done["spans"])), sorted(done["tokens"])


def test_traceloops_langchain() -> None:
    """It measures the tokens, so that we do not; its span is never the current one."""
    spans, tokens = of_a_program("langchain")
    assert spans == {("ChatLocalMix.chat", None): 4, ("chat tiny", None): 5}
    theirs = "opentelemetry.instrumentation.langchain"
    assert tokens == [*OURS_ALONE, [theirs, 4 * 19], [theirs, 4 * 26]]


def test_traceloops_llama_index() -> None:
    """Ours stands under its span, which has the tokens; in metrics it counts none."""
    spans, tokens = of_a_program("llamaindex")
    assert spans == {
        ("LocalMix.workflow", None): 4,
        ("chat tiny", "LocalMix.workflow"): 4,
        ("chat tiny", None): 1,
    }
    assert tokens == OURS_ALONE
