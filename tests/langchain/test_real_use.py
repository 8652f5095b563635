"""LangChain as people use it, on the embedded engine with a real model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware, SummarizationMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableField, RunnablePassthrough
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT

WEATHER = "What is the weather in Paris?"
FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


@tool
def magic_function(input: int) -> int:
    """Apply a magic function to an input."""
    return input + 2


class Capital(BaseModel):
    """A country and its capital."""

    country: str
    capital: str


class Weather(BaseModel):
    """The weather somewhere."""

    city: Literal["Paris", "Tokyo"]
    is_sunny: bool


@pytest.fixture(params=["embedded", "lmstudio"])
def model(request: pytest.FixtureRequest, engine_alone: None) -> ChatLocalMix:
    """Give the tiny model, as the embedded engine and as an LM Studio serve it."""
    if request.param == "embedded":
        return ChatLocalMix(model=CHAT, temperature=0.0)
    start = request.getfixturevalue("start")
    return ChatLocalMix(model=CHAT, temperature=0.0, base_url=start(LMStudio()).url)


def asked(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(question)]}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (WEATHER, "It is sunny in Paris."),
        ("What is magic_function(3)?", "The value of magic_function(3) is 5."),
    ],
)
def test_an_agent_with_two_tools(model: ChatLocalMix, question: str, answer: str) -> None:
    agent: Any = create_agent(model, [get_weather, magic_function])
    for state in (agent.invoke(asked(question)), asyncio.run(agent.ainvoke(asked(question)))):
        assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
        assert state["messages"][-1].text == answer


@pytest.mark.parametrize("tools", [[], [get_weather]], ids=["no tools", "tools"])
@pytest.mark.parametrize("form", [ProviderStrategy(Capital), Capital], ids=["provider", "auto"])
def test_an_agent_with_a_response_format(model: ChatLocalMix, tools: Any, form: Any) -> None:
    agent: Any = create_agent(model, tools, response_format=form)
    for state in (agent.invoke(asked(FRANCE)), asyncio.run(agent.ainvoke(asked(FRANCE)))):
        assert state["structured_response"] == Capital(country="France", capital="Paris")


def test_an_agent_that_answers_by_a_tool(model: ChatLocalMix) -> None:
    agent: Any = create_agent(model, response_format=ToolStrategy(Capital))
    for state in (agent.invoke(asked(FRANCE)), asyncio.run(agent.ainvoke(asked(FRANCE)))):
        assert isinstance(state["structured_response"], Capital)  # the model is too small for more


def test_a_tool_is_called_before_the_structured_answer(model: ChatLocalMix) -> None:
    agent: Any = create_agent(model, [get_weather], response_format=ProviderStrategy(Weather))
    state = agent.invoke(asked(WEATHER))
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][1].tool_calls[0]["name"] == "get_weather"
    assert isinstance(state["structured_response"], Weather)


def test_a_long_conversation_is_summed_up(model: ChatLocalMix) -> None:
    brief = model.model_copy(update={"num_ctx": 256, "max_tokens": 20, "reasoning": False})
    middleware = SummarizationMiddleware(brief, trigger=("fraction", 0.8), keep=("messages", 2))
    agent: Any = create_agent(brief, middleware=[middleware])
    history = [HumanMessage("Count to ten. " * 40, id=str(number)) for number in range(2)]
    state = agent.invoke({"messages": [*history, AIMessage("1, 2, 3"), HumanMessage(FRANCE)]})
    assert "summary of the conversation" in state["messages"][0].text
    assert [message.type for message in state["messages"]] == ["human", "ai", "human", "ai"]


def test_langgraph_streams_tokens(model: ChatLocalMix) -> None:
    agent: Any = create_agent(model, [get_weather])
    said = [
        chunk
        for chunk, about in agent.stream(asked(WEATHER), stream_mode="messages")
        if about["langgraph_node"] == "model"
    ]
    assert "".join(chunk.text for chunk in said) == "It is sunny in Paris."
    assert len(said) > 5
    assert any(chunk.tool_call_chunks for chunk in said)

    async def main() -> str:
        stream = agent.astream(asked(WEATHER), stream_mode="messages")
        return "".join([chunk.text async for chunk, about in stream if chunk.type != "tool"])

    assert asyncio.run(main()) == "It is sunny in Paris."


def test_retrieval(engine_alone: None) -> None:
    texts = [
        "Mira Okafor designed the red bridge, which was finished in 1987.",
        "The bakery on Mill Lane sells rye bread on Tuesdays and honey cake on Fridays.",
    ]
    store = InMemoryVectorStore.from_texts(texts, LocalMixEmbeddings())
    prompt = ChatPromptTemplate.from_template(
        "Answer the question using only the context.\n\nContext:\n{context}\n\nQuestion: {question}"
    )
    context = store.as_retriever(search_kwargs={"k": 1}) | (lambda found: found[0].page_content)
    chain = (
        {"context": context, "question": RunnablePassthrough()}
        | prompt
        | ChatLocalMix(temperature=0.0)
        | StrOutputParser()
    )
    question = "Who designed the red bridge?"
    answer = "Mira Okafor designed the red bridge."
    assert chain.invoke(question) == "".join(chain.stream(question)) == answer
    assert asyncio.run(chain.ainvoke(question)) == answer


def test_fallbacks_keep_their_tools(model: ChatLocalMix) -> None:
    dead = ChatLocalMix(model=CHAT, base_url="http://127.0.0.1:9", max_retries=0)
    both: Any = dead.with_fallbacks([model])
    called = both.bind_tools([get_weather]).invoke(WEATHER)
    assert called.tool_calls[0]["args"] == {"location": "Paris"}
    value = both.with_structured_output(Capital).invoke(FRANCE)
    assert value == Capital(country="France", capital="Paris")


def test_fields_that_are_chosen_later(model: ChatLocalMix) -> None:
    length = ConfigurableField(id="length")
    chosen = model.configurable_fields(max_tokens=length)
    short = chosen.invoke(FRANCE, {"configurable": {"length": 3}})
    assert short.response_metadata["finish_reason"] == "length"
    assert chosen.invoke(FRANCE).text == PARIS


class ChatHistory(BaseChatMessageHistory):
    """Keep messages in a list."""

    def __init__(self) -> None:
        self.messages: list[BaseMessage] = []

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self.messages += messages

    def clear(self) -> None:
        self.messages = []


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")
def test_a_conversation_with_a_memory(model: ChatLocalMix) -> None:
    memory = ChatHistory()
    prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("user", "{question}")])
    chain = RunnableWithMessageHistory(
        prompt | model,
        lambda session_id: memory,
        input_messages_key="question",
        history_messages_key="history",
    )
    config: Any = {"configurable": {"session_id": "a"}}
    assert chain.invoke({"question": FRANCE}, config).text == PARIS
    answer = chain.invoke({"question": "What is the capital of Italy?"}, config)
    assert answer.text == "The capital of Italy is Rome."
    assert len(memory.messages) == 4


def test_what_may_pass_is_tried_again(start: Any) -> None:
    from tests import stand_ins
    from tests.loopback import Exchange, whole

    times = 0

    def reply(exchange: Exchange) -> None:
        nonlocal times
        times += 1
        if times % 2:
            whole({"error": "server busy"}, 503)(exchange)
        else:
            stand_ins.ollama().routes["POST /api/chat"](exchange)

    model = ChatLocalMix(base_url=start(stand_ins.ollama(POST__api_chat=reply)).url, max_retries=0)
    assert model.with_retry(wait_exponential_jitter=False).invoke("hello").text == "Hi."
    retrying = ModelRetryMiddleware(initial_delay=0, jitter=False, on_failure="error")
    agent: Any = create_agent(model, middleware=[retrying])
    assert agent.invoke(asked("hello"))["messages"][-1].text == "Hi."


class Trace(BaseCallbackHandler):
    """Keep what a tracer is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.metadata: dict[str, Any] = {}

    def on_chat_model_start(self, serialized: Any, messages: Any, **about: Any) -> None:
        self.events.append("start")
        self.metadata = about["metadata"]

    def on_llm_end(self, response: Any, **about: Any) -> None:
        self.events.append("end")


def test_tracing(model: ChatLocalMix) -> None:
    trace = Trace()
    model.invoke(FRANCE, {"callbacks": [trace]})
    assert trace.events == ["start", "end"]
    assert trace.metadata["ls_provider"] == "localmix"
    assert trace.metadata["ls_model_name"] == CHAT
    assert trace.metadata["ls_temperature"] == 0
    assert "localmix" in trace.metadata["lc_versions"]


def test_batches_are_bounded_and_keep_their_order(model: ChatLocalMix) -> None:
    questions: list[Any] = [
        f"What is the capital of {country}?" for country in ("France", "Italy", "Japan")
    ]
    answers = [message.text for message in model.batch(questions, {"max_concurrency": 2})]
    assert [answer.split()[-1] for answer in answers] == ["Paris.", "Rome.", "Tokyo."]
    found = asyncio.run(model.abatch(questions, {"max_concurrency": 2}))
    assert [message.text for message in found] == answers


def test_the_conveniences(model: ChatLocalMix) -> None:
    route = model.preload()
    assert route is not None
    assert route.model == CHAT
    assert CHAT in [each.name for each in model.list_models()]
    assert model.route(needs=["tools"]).model == CHAT
    assert (model.profile or {}).get("max_input_tokens") == 2048
    with model:
        assert model.invoke(FRANCE).text == PARIS
