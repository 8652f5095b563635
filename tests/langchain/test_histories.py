"""Histories as programs keep, trim, filter, merge and convert them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
    convert_to_openai_messages,
    filter_messages,
    merge_message_runs,
    trim_messages,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.loopback import LoopbackServer, ndjson

CALL: dict[str, Any] = {"name": "f", "args": {"x": 1}, "id": "a", "type": "tool_call"}


@pytest.fixture
def server(start: Any) -> LoopbackServer:
    served: LoopbackServer = start(stand_ins.ollama())
    return served


@pytest.fixture
def model(server: LoopbackServer) -> ChatLocalMix:
    return ChatLocalMix(base_url=server.url)


def sent(server: LoopbackServer) -> list[tuple[str, str]]:
    """Give the roles and texts of the last request."""
    messages = server.last("POST /api/chat").json["messages"]
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")
def test_a_history_that_is_filled_by_streams(server: LoopbackServer, model: ChatLocalMix) -> None:
    """It holds chunks then (langchain 14511, 24660)."""
    history = InMemoryChatMessageHistory()
    chain: Any = RunnableWithMessageHistory(model, lambda: history, history_factory_config=[])
    list(chain.stream([HumanMessage("One")]))
    assert isinstance(history.messages[-1], AIMessageChunk)

    async def once_more() -> None:
        async for _ in chain.astream([HumanMessage("Two")]):
            pass

    asyncio.run(once_more())
    chain.invoke([HumanMessage("Three")])
    assert sent(server) == [
        ("user", "One"),
        ("assistant", "Hi."),
        ("user", "Two"),
        ("assistant", "Hi."),
        ("user", "Three"),
    ]


def test_a_history_that_is_trimmed(server: LoopbackServer, model: ChatLocalMix) -> None:
    said = [
        SystemMessage("Be brief."),
        HumanMessage("One " * 200),
        AIMessage("Two " * 200),
        HumanMessage("Three"),
    ]
    trimmer = trim_messages(max_tokens=60, token_counter=model, include_system=True)
    (trimmer | model).invoke(said)
    assert sent(server) == [("system", "Be brief."), ("user", "Three")]


def test_a_history_that_is_filtered_and_merged(server: LoopbackServer, model: ChatLocalMix) -> None:
    said = [
        SystemMessage("Be brief."),
        HumanMessage("One", name="ann"),
        HumanMessage("Two"),
        AIMessage("Three", id="3"),
        HumanMessage([{"type": "text", "text": "Four"}]),
    ]
    (filter_messages(exclude_ids=["3"]) | merge_message_runs() | model).invoke(said)
    assert sent(server) == [("system", "Be brief."), ("user", "One\nTwo\nFour")]


def test_messages_that_are_removed(server: LoopbackServer, model: ChatLocalMix) -> None:
    def forget(state: MessagesState) -> Any:
        return {"messages": [RemoveMessage(id=str(each.id)) for each in state["messages"][:-1]]}

    def ask(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("forget", forget)
    graph.add_node("ask", ask)
    graph.add_edge(START, "forget")
    graph.add_edge("forget", "ask")
    app: Any = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    app.invoke({"messages": [HumanMessage("One")]}, config)
    app.invoke({"messages": [HumanMessage("Two")]}, config)
    assert sent(server) == [("user", "Two")]
    with pytest.raises(ValueError, match="role 'remove'"):
        model.invoke([RemoveMessage(id="1")])


def test_messages_as_openai_writes_them_and_back(model: ChatLocalMix, server: Any) -> None:
    said = [
        SystemMessage("Be brief."),
        HumanMessage([{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]),
        AIMessage("", tool_calls=[CALL]),
        ToolMessage([{"type": "text", "text": "7"}], tool_call_id="a"),
    ]
    model.invoke(said)
    direct = server.last("POST /api/chat").json
    for form in ("string", "block"):
        written: Any = convert_to_openai_messages(said, text_format=form)
        model.invoke(written)
        assert server.last("POST /api/chat").json == direct
        model.invoke(convert_to_messages(written))
        assert server.last("POST /api/chat").json == direct


def test_blocks_of_version_1_out_and_in(start: Any) -> None:
    frames = [
        stand_ins.ollama_says(thinking="Well."),
        stand_ins.ollama_says(content="I call."),
        stand_ins.ollama_says(tool_calls=[{"function": {"name": "f", "arguments": {"x": 1}}}]),
        stand_ins.OLLAMA_DONE,
    ]
    server = start(stand_ins.ollama(POST__api_chat=ndjson(*frames)))
    model = ChatLocalMix(base_url=server.url, output_version="v1", streaming=True)
    chunks = list(model.stream("Hello"))
    merged: Any = chunks[0]
    for chunk in chunks[1:]:
        merged += chunk
    message: Any
    for message in (model.invoke("Hello"), merged):
        kinds = [block["type"] for block in message.content]
        assert kinds[:2] == ["reasoning", "text"]
        assert [call["name"] for call in message.tool_calls] == ["f"]
        model.invoke(
            [
                HumanMessage(content_blocks=[{"type": "text", "text": "Hello"}]),
                message,
                ToolMessage("7", tool_call_id=message.tool_calls[0]["id"]),
            ]
        )
        asked, said, result = server.last("POST /api/chat").json["messages"]
        assert asked["content"] == "Hello"
        assert (said["content"], said["thinking"]) == ("I call.", "Well.")
        assert [call["function"] for call in said["tool_calls"]] == [
            {"name": "f", "arguments": {"x": 1}}
        ]
        assert (result["tool_name"], result["content"]) == ("f", "7")


def test_names_reach_those_who_have_a_place_for_them(start: Any) -> None:
    server = start(stand_ins.openai())
    said = [HumanMessage("Hi", name="ann"), AIMessage("Hi", name="bot"), HumanMessage("Who am I?")]
    ChatLocalMix(base_url=server.url).invoke(said)
    messages = server.last("POST /v1/chat/completions").json["messages"]
    assert [message.get("name") for message in messages] == ["ann", "bot", None]
