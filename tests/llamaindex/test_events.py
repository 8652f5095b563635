"""What LlamaIndex is told of a call: events, tokens, limits. Each exactly once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    LlamaDebugHandler,
    TokenCountingHandler,
)

from llamaindex_localmix import LocalMix
from localmix.errors import LocalMixError
from tests.llamaindex.conftest import Heard
from tests.llamaindex.endpoints import ASYNC, ENDPOINTS, acall, call
from tests.llamaindex.scripted import Turn


class Limiter:
    """Count who asked."""

    acquired = 0

    def acquire(self) -> None:
        self.acquired += 1

    async def async_acquire(self) -> None:
        self.acquired += 1


def no_tokenizer(text: str) -> list[int]:
    """Stand where LlamaIndex would estimate: it must not come to that."""
    raise AssertionError(f"the tokens of {text!r} were estimated")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_one_event_one_place_and_the_tokens_of_the_server(
    script: Any, heard: Heard, endpoint: str
) -> None:
    """Peer defects 1 and 25: two events and two places for a completion, tokens estimated."""
    server = script(Turn("It is sunny.", thought="Hm."))
    limiter, debug = Limiter(), LlamaDebugHandler(print_trace_on_end=False)
    counter = TokenCountingHandler(tokenizer=no_tokenizer)
    llm = LocalMix(
        base_url=server.url,
        rate_limiter=limiter,
        callback_manager=CallbackManager([debug, counter]),
    )
    if endpoint in ASYNC:
        asyncio.run(acall(llm, endpoint))
    else:
        call(llm, endpoint)

    sort = "Chat" if endpoint.endswith("chat") else "Completion"
    assert heard.names() == [f"LLM{sort}StartEvent", f"LLM{sort}EndEvent"]
    assert len(debug.get_event_pairs(CBEventType.LLM)) == 1
    assert limiter.acquired == 1
    counts = (counter.prompt_llm_token_count, counter.completion_llm_token_count)
    assert counts == (19, 26)
    assert len(counter.llm_token_counts) == 1


def test_every_chunk_is_told(script: Any, heard: Heard) -> None:
    server = script(Turn("It is sunny."))
    steps = list(LocalMix(base_url=server.url).stream_chat([ChatMessage(content="hello")]))
    names = [type(event).__name__ for event in heard.events]
    assert names.count("LLMChatInProgressEvent") == len(steps)


def test_a_failure_is_told(script: Any, heard: Heard) -> None:
    server = script()
    server.routes.clear()
    with pytest.raises(LocalMixError):
        LocalMix(base_url=server.url).complete("hello")
    assert heard.names()[-1] in ("ExceptionEvent", "SpanDropEvent")


def test_a_budget_of_tokens_that_is_spent_ends_the_call(script: Any) -> None:
    server = script(Turn("Hi."))
    counter = TokenCountingHandler(tokenizer=no_tokenizer, token_budget=20)
    llm = LocalMix(base_url=server.url, callback_manager=CallbackManager([counter]))
    with pytest.raises(Exception, match="(?i)budget"):
        llm.complete("hello")
