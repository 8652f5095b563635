"""What a user writes, as type checkers see it; `test_types.py` has them read it.

It is read, never run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from pydantic import BaseModel

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings, LocalMixLLM
from llamaindex_localmix import LocalMix, LocalMixEmbedding
from localmix import (
    AsyncClient,
    ChatRequest,
    ChatResult,
    Client,
    CompletionRequest,
    Delta,
    Embedded,
    EmbedRequest,
    EmbedResult,
    Image,
    Message,
    Model,
    ModelInfo,
    PullProgress,
    Route,
    RunResult,
    Server,
    ServerConfig,
    Settings,
    Tool,
    ToolCall,
)
from localmix.errors import LocalMixError, StreamInterruptedError, TurnLimitError
from localmix.observing import Ended, Event


class City(BaseModel):
    """A city."""

    name: str


def temperature(city: str) -> float:
    """Tell how warm it is."""
    return len(city) + 0.5


def seen(event: Event) -> None:
    """Look at what happens."""
    if isinstance(event, Ended):
        print(event)


def clients() -> Client:
    """Make clients in every way."""
    Client("http://127.0.0.1:11434", timeout=60, max_retries=1)
    Client(ServerConfig(url="http://127.0.0.1:1234", token="x"))
    Client({"url": "http://127.0.0.1:1234", "limit": 2})
    Client(
        ["127.0.0.1:11434", ServerConfig(url="gpu:11434", weight=2, headers={"X-Team": "a"})],
        prefer="ollama,lmstudio",
        aliases={"small": ["qwen3:4b", "gemma3:4b"]},
        cache=True,
        observers=[seen],
    )
    assert_type(Client().settings, Settings)
    assert_type(Client().as_async(), AsyncClient)
    return Client()


def answers(client: Client) -> None:
    """Get text."""
    assert_type(client.chat("Hello", model="qwen3:8b", temperature=0, keep_alive="5m"), ChatResult)
    assert_type(client.chat("Hello", response_format=City).parsed, City)
    assert_type(client.chat("Hello", response_format="json").content, str)
    assert_type(client.chat({"role": "user", "content": "Hello"}, stop="."), ChatResult)
    picture = Message(role="user", content=["What is it?", Image(data=b"x")])
    answer = client.chat([{"role": "system", "content": "Be brief."}, picture], think="low")
    assert_type(answer.tool_calls, tuple[ToolCall, ...])
    assert_type(answer.route, Route | None)
    client.chat(ChatRequest(messages=[picture], tools=[temperature]), seed=1)
    client.chat("Hello", tools=[temperature, City, Tool(name="t"), {"type": "function"}])
    assert_type(client.complete("Once upon", suffix="the end", max_tokens=5), ChatResult)
    assert_type(client.complete(CompletionRequest(prompt="Once")), ChatResult)
    with client.stream("Hello", num_ctx=8192) as stream:
        for delta in stream:
            assert_type(delta, Delta)
        assert_type(stream.result, ChatResult)


def runs(client: Client) -> None:
    """Let the model call functions."""
    try:
        assert_type(client.run("How warm?", [temperature], max_turns=3), RunResult)
        run = client.run("How warm?", tools=[temperature], response_format=City)
        assert_type(run.parsed, City)
        assert_type(run.messages, tuple[Message, ...])
    except TurnLimitError as error:
        print(error.partial)
    except StreamInterruptedError as error:
        print(error.hint)
    except LocalMixError as error:
        print(error.attempts)


def vectors(client: Client) -> None:
    """Embed."""
    assert_type(client.embed(["a", "b"], dimensions=64), EmbedResult)
    assert_type(client.embed(EmbedRequest(texts=("a",))).vectors[0], list[float])
    for each in client.embed_many((str(n) for n in range(9)), progress=True, chunk_size=3):
        assert_type(each, Embedded)


def models(client: Client) -> None:
    """Manage models."""
    assert_type(client.models(), list[Model])
    assert_type(client.servers(), list[Server])
    assert_type(client.load("qwen3:8b", num_ctx=8192, keep_alive="1h"), ModelInfo)
    assert_type(client.preload("a", "b", keep_alive=-1), list[ModelInfo])
    assert_type(client.route("a", needs=["tools"]), Route)
    for step in client.pull("qwen3:8b", progress=True, insecure=False):
        assert_type(step, PullProgress)


async def asynchronous() -> None:
    """Do the same without blocking."""
    async with AsyncClient(timeout=60) as client:
        assert_type(await client.chat("Hello", response_format=City), ChatResult[City])
        assert_type(await client.run("How warm?", [temperature]), RunResult)
        async for delta in client.stream("Hello"):
            assert_type(delta, Delta)
        async for each in client.embed_many(["a"], progress=print):
            assert_type(each, Embedded)
        async for step in client.pull("a"):
            assert_type(step, PullProgress)
        assert_type(await client.load("a"), ModelInfo)


def langchain() -> None:
    """Use LangChain."""
    model = ChatLocalMix(model="qwen3:8b", temperature=0, num_predict=100, base_url="http://h")
    assert_type(model.invoke("Hello"), AIMessage)
    model.bind_tools([temperature]).invoke("How warm?")
    assert_type(LocalMixLLM(model="qwen3:8b").invoke("Once"), str)
    assert_type(LocalMixEmbeddings(model="a").embed_query("x"), list[float])


def llamaindex() -> None:
    """Use LlamaIndex."""
    llm = LocalMix(model="qwen3:8b", request_timeout=60, context_window=8192)
    said: Sequence[ChatMessage] = [ChatMessage(content="Hello")]
    answer: ChatResponse = llm.chat(said)
    print(answer)
    LocalMixEmbedding(model="a", dimensions=64).get_text_embedding("x")
