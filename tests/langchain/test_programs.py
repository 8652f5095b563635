"""Programs that people build on LangChain: deep agents, graphs, MCP servers, extraction."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt
from pydantic import BaseModel, Field

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.lmstudio.server import CHAT
from tests.loopback import Exchange, LoopbackServer, whole

WEATHER = "What is the weather in Paris?"
SUNNY = "It is sunny in Paris."
Call = tuple[str, dict[str, Any]]


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


@pytest.fixture
def model(engine_alone: None) -> ChatLocalMix:
    return ChatLocalMix(model=CHAT, temperature=0.0)


def asked(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(question)]}


def calling(*calls: Call, then: str) -> LoopbackServer:
    """Be an Ollama with a model of a large window that calls one tool after another."""

    def reply(exchange: Exchange) -> None:
        results = [each for each in exchange.json["messages"] if each["role"] == "tool"]
        message: dict[str, Any] = {"content": then}
        if len(results) < len(calls):
            name, arguments = calls[len(results)]
            call = {"function": {"name": name, "arguments": arguments}}
            message = {"content": "", "tool_calls": [call]}
        whole({**stand_ins.OLLAMA_DONE, "message": message})(exchange)

    entry = stand_ins._ollama_entry("tiny:latest")
    entry["details"]["context_length"] = 131_072
    entry["capabilities"] = ["completion", "tools"]
    shown = {"capabilities": ["completion", "tools"], "model_info": {}}
    server = stand_ins.ollama(POST__api_chat=reply, POST__api_show=whole(shown))
    server.routes["GET /api/tags"] = whole({"models": [entry]})
    return server


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_deep_agent(start: Any) -> None:
    """It keeps files, and sizes what it sends by the profile (deepagents 444)."""
    create_deep_agent = pytest.importorskip("deepagents").create_deep_agent
    server = start(
        calling(
            ("get_weather", {"location": "Paris"}),
            ("write_file", {"file_path": "/notes.txt", "content": "sunny"}),
            then=SUNNY,
        )
    )
    model = ChatLocalMix(model="tiny", base_url=server.url, num_ctx=32_768)
    agent = create_deep_agent(model, [get_weather])
    state = agent.invoke(asked(WEATHER))
    assert state["messages"][-1].text == SUNNY
    assert "/notes.txt" in state["files"]
    assert {each["options"]["num_ctx"] for each in _chats(server)} == {32_768}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_deep_agent_is_not_given_more_than_the_window(start: Any) -> None:
    """Without the profile it would fill 170,000 tokens, and lose the beginning of all."""
    create_deep_agent = pytest.importorskip("deepagents").create_deep_agent
    server = start(calling(then=SUNNY))
    agent = create_deep_agent(ChatLocalMix(model="tiny", base_url=server.url), [get_weather])
    agent.invoke(asked("word " * 50_000))
    (sent,) = _chats(server)
    assert len(json.dumps(sent)) / 4 < 4096
    assert "too large" in sent["messages"][-1]["content"]


def _chats(server: LoopbackServer) -> Iterator[dict[str, Any]]:
    return (each.json for each in server.requests if each.path == "/api/chat")


def test_a_graph_that_waits_for_a_person(model: ChatLocalMix) -> None:
    """The state is kept by a checkpointer; another process could go on with it."""

    def ask_the_model(state: MessagesState) -> Any:
        return {"messages": [model.bind_tools([get_weather]).invoke(state["messages"])]}

    def ask_a_person(state: MessagesState) -> Any:
        call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]
        if interrupt(call["args"]) == "yes":
            return Command(goto="tools")
        refusal = ToolMessage("Not allowed.", tool_call_id=call["id"], status="error")
        return Command(goto="model", update={"messages": [refusal]})

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask_the_model)
    graph.add_node("person", ask_a_person)
    graph.add_node("tools", ToolNode([get_weather]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition, {"tools": "person", "__end__": "__end__"})
    graph.add_edge("tools", "model")
    app: Any = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    state = app.invoke(asked(WEATHER), config)
    assert state["__interrupt__"][0].value == {"location": "Paris"}
    final = app.invoke(Command(resume="yes"), config)
    assert final["messages"][-1].text == SUNNY
    assert app.get_state(config).values["messages"][-1].text == SUNNY


@contextmanager
def detecting() -> Iterator[None]:
    """Raise where the event loop is blocked, as `langgraph dev` does."""
    detector = pytest.importorskip("blockbuster").BlockBuster(excluded_modules=[])
    detector.activate()
    try:
        yield
    finally:
        detector.deactivate()


def test_nothing_blocks_the_loop_of_an_agent(start: Any) -> None:
    class Said(BaseModel):
        """What is said."""

        text: str

    server = start(calling(("get_weather", {"location": "Paris"}), then=SUNNY))
    model = ChatLocalMix(model="tiny", base_url=server.url)
    summing = SummarizationMiddleware(model, trigger=("fraction", 0.8), keep=("messages", 20))
    agent: Any = create_agent(model, [get_weather], middleware=[summing])

    async def use() -> None:
        state = await agent.ainvoke(asked(WEATHER))
        assert state["messages"][-1].text == SUNNY
        async for _ in agent.astream(asked(WEATHER), stream_mode="messages"):
            pass
        async for _ in agent.astream_events(asked(WEATHER), version="v2"):
            pass
        assert dict(model.profile or {})["max_input_tokens"] == 4096
        await model.aload_profile()
        structured = model.with_structured_output(Said, include_raw=True)
        assert (await structured.ainvoke("Hello"))["raw"].text

    with detecting():
        asyncio.run(use())


@pytest.mark.slow
def test_the_tools_of_a_real_mcp_server(model: ChatLocalMix) -> None:
    """It runs as a process of its own, and speaks over stdio."""
    client_of = pytest.importorskip("langchain_mcp_adapters.client").MultiServerMCPClient
    connection = {"command": sys.executable, "args": ["-m", "tests.mcp_server"]}

    async def use() -> Any:
        client = client_of({"weather": {**connection, "transport": "stdio"}})
        tools = await client.get_tools()
        weather = [each for each in tools if each.name == "get_weather"]
        agent: Any = create_agent(model, weather)
        return await agent.ainvoke(asked(WEATHER))

    state = asyncio.run(use())
    assert state["messages"][-1].text == SUNNY
    result: Any
    (result,) = [each.content for each in state["messages"] if isinstance(each, ToolMessage)]
    assert [block["text"] for block in result] == ["It's sunny."]  # a list of blocks


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    city: Literal["Paris", "Rome"]


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int = Field(ge=0)
    addresses: list[Address]


ANN: dict[str, Any] = {
    "name": "Ann",
    "age": 7,
    "addresses": [{"street": "Rue de Rivoli", "city": "Paris"}],
}


def test_nested_models_are_extracted_and_corrected(start: Any) -> None:
    """`trustcall` has the model patch what does not fit."""
    extractor_of = pytest.importorskip("trustcall").create_extractor
    wrong = {**ANN, "age": -7}
    patch = {
        "json_doc_id": "?",
        "planned_edits": "Make the age positive.",
        "patches": [{"op": "replace", "path": "/age", "value": 7}],
    }

    def reply(exchange: Exchange) -> None:
        messages = exchange.json["messages"]
        call: dict[str, Any] = {"name": "Person", "parameters": wrong}
        if called := next((each for each in messages if each.get("tool_calls")), None):
            patch["json_doc_id"] = called["tool_calls"][0]["id"]
            call = {"name": exchange.json["tools"][0]["function"]["name"], "parameters": patch}
        done = {**stand_ins.OLLAMA_DONE, "message": {"content": json.dumps(call)}}
        whole(done)(exchange)

    server = start(stand_ins.ollama(POST__api_chat=reply))
    extractor = extractor_of(
        ChatLocalMix(base_url=server.url), tools=[Person], tool_choice="Person"
    )
    (person,) = extractor.invoke("Ann is seven, and lives in the Rue de Rivoli in Paris.")[
        "responses"
    ]
    assert person == Person(**ANN)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_nested_models_are_asked_for_again(start: Any, method: Any) -> None:
    """As `instructor` does: the model is told which field is wrong."""
    answers = iter([{**ANN, "addresses": [{"street": "Rue de Rivoli"}]}, ANN])

    def reply(exchange: Exchange) -> None:
        said: Any = next(answers)
        if method == "function_calling":
            said = {"name": "Person", "parameters": said}
        done = {**stand_ins.OLLAMA_DONE, "message": {"content": json.dumps(said)}}
        whole(done)(exchange)

    server = start(stand_ins.ollama(POST__api_chat=reply))
    structured = ChatLocalMix(base_url=server.url).with_structured_output(Person, method=method)
    assert structured.invoke("Who is Ann?") == Person(**ANN)
    told = server.last("POST /api/chat").json["messages"][-1]["content"]
    assert "addresses[0].city: Field required" in told


class Capital(BaseModel):
    """A country and its capital."""

    country: str
    capital: str


class Capitals(BaseModel):
    """Some capitals."""

    of: list[Capital] = Field(min_length=1, max_length=1)


def test_nested_models_live(model: ChatLocalMix) -> None:
    structured = model.with_structured_output(Capitals)
    (found,) = structured.invoke("What is the capital of France?").of
    assert isinstance(found, Capital)
