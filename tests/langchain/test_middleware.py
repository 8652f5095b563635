"""`create_agent` with every middleware that LangChain ships, on a real model."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent, middleware
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_localmix import ChatLocalMix
from tests import stand_ins
from tests.lmstudio.server import CHAT
from tests.loopback import Exchange, whole

WEATHER = "What is the weather in Paris?"
SUNNY = "It is sunny in Paris."


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


Make = Callable[[ChatLocalMix, Path], Any]
MIDDLEWARE: dict[str, Make] = {
    "ContextEditingMiddleware": lambda model, folder: middleware.ContextEditingMiddleware(),
    "FilesystemFileSearchMiddleware": lambda model, folder: (
        middleware.FilesystemFileSearchMiddleware(root_path=str(folder), use_ripgrep=False)
    ),
    "HumanInTheLoopMiddleware": lambda model, folder: middleware.HumanInTheLoopMiddleware(
        interrupt_on={"another_tool": True}
    ),
    "LLMToolEmulator": lambda model, folder: middleware.LLMToolEmulator(tools=[], model=model),
    "LLMToolSelectorMiddleware": lambda model, folder: middleware.LLMToolSelectorMiddleware(
        model=model, always_include=["get_weather"]
    ),
    "ModelCallLimitMiddleware": lambda model, folder: middleware.ModelCallLimitMiddleware(
        run_limit=5
    ),
    "ModelFallbackMiddleware": lambda model, folder: middleware.ModelFallbackMiddleware(model),
    "ModelRefusalMiddleware": lambda model, folder: middleware.ModelRefusalMiddleware(),
    "ModelRetryMiddleware": lambda model, folder: middleware.ModelRetryMiddleware(),
    "PIIMiddleware": lambda model, folder: middleware.PIIMiddleware("email"),
    "ProviderToolSearchMiddleware": lambda model, folder: middleware.ProviderToolSearchMiddleware(),
    "ShellToolMiddleware": lambda model, folder: middleware.ShellToolMiddleware(folder),
    "SummarizationMiddleware": lambda model, folder: middleware.SummarizationMiddleware(
        model, trigger=("fraction", 0.8), keep=("messages", 20)
    ),
    "TodoListMiddleware": lambda model, folder: middleware.TodoListMiddleware(),
    "ToolCallLimitMiddleware": lambda model, folder: middleware.ToolCallLimitMiddleware(
        run_limit=5
    ),
    "ToolErrorMiddleware": lambda model, folder: middleware.ToolErrorMiddleware(
        on_error=lambda request, error: None
    ),
    "ToolRetryMiddleware": lambda model, folder: middleware.ToolRetryMiddleware(),
}
# They add tools and a prompt of two thousand tokens, which is too much for the tiny model.
TOO_MUCH = ("FilesystemFileSearchMiddleware", "ShellToolMiddleware", "TodoListMiddleware")
# These two ask a decision model, which is no chat model.
ASK_ANOTHER = {"AutoModeMiddleware", "ModelRouterMiddleware"}


def talks_after_the_tool(exchange: Exchange) -> None:
    """Call the tool, then answer, as qwen3 does."""
    call = {"function": {"name": "get_weather", "arguments": {"location": "Paris"}}}
    has_result = exchange.json["messages"][-1]["role"] == "tool"
    message = {"content": SUNNY} if has_result else {"content": "", "tool_calls": [call]}
    whole({**stand_ins.OLLAMA_DONE, "message": message})(exchange)


@pytest.fixture
def scripted(start: Any) -> ChatLocalMix:
    return ChatLocalMix(base_url=start(stand_ins.ollama(POST__api_chat=talks_after_the_tool)).url)


@pytest.fixture
def model(engine_alone: None) -> ChatLocalMix:
    return ChatLocalMix(model=CHAT, temperature=0.0)


def test_none_is_left_out() -> None:
    shipped = {
        name
        for name, kind in vars(middleware).items()
        if inspect.isclass(kind) and issubclass(kind, AgentMiddleware)
    }
    assert shipped - {"AgentMiddleware"} <= MIDDLEWARE.keys() | ASK_ANOTHER


@pytest.mark.parametrize("name", [name for name in MIDDLEWARE if name not in TOO_MUCH])
def test_an_agent_with_it(model: ChatLocalMix, name: str, tmp_path: Path) -> None:
    answers_with(name, model, tmp_path)


# LangChain's shell leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", TOO_MUCH)
def test_an_agent_with_more_than_the_tiny_model_can_read(
    scripted: ChatLocalMix, name: str, tmp_path: Path
) -> None:
    answers_with(name, scripted, tmp_path)


def answers_with(name: str, model: ChatLocalMix, folder: Path) -> None:
    if not hasattr(middleware, name):
        pytest.skip("this LangChain does not have it")
    agent: Any = create_agent(model, [get_weather], middleware=[MIDDLEWARE[name](model, folder)])
    asked = {"messages": [HumanMessage(WEATHER)]}
    for state in (agent.invoke(asked), asyncio.run(agent.ainvoke(asked))):
        assert state["messages"][-1].text == SUNNY
        assert any(isinstance(message, ToolMessage) for message in state["messages"])


# That they do their work, too


def test_another_model_takes_over(model: ChatLocalMix, start: Any) -> None:
    refused = whole({"error": "model is broken"}, status=500)
    broken = ChatLocalMix(
        base_url=start(stand_ins.ollama(POST__api_chat=refused)).url, max_retries=0
    )
    fallback = middleware.ModelFallbackMiddleware(model)
    agent: Any = create_agent(broken, [get_weather], middleware=[fallback])
    assert agent.invoke({"messages": [HumanMessage(WEATHER)]})["messages"][-1].text == SUNNY


def test_a_tool_is_made_up(model: ChatLocalMix) -> None:
    emulator = middleware.LLMToolEmulator(model=model)
    agent: Any = create_agent(model, [get_weather], middleware=[emulator])
    state = agent.invoke({"messages": [HumanMessage(WEATHER)]})
    (made_up,) = [each for each in state["messages"] if isinstance(each, ToolMessage)]
    assert made_up.text
    assert made_up.text != "It's sunny."


def test_tools_are_selected_by_a_schema(start: Any) -> None:
    """The selector asks for a list of names that the schema holds the model to."""

    def reply(exchange: Exchange) -> None:
        if "format" not in exchange.json:
            talks_after_the_tool(exchange)
            return
        message = {"content": '{"tools": ["get_weather"]}'}
        whole({**stand_ins.OLLAMA_DONE, "message": message})(exchange)

    @tool
    def get_time(place: str) -> str:
        """Get the time at a place."""
        return "noon"

    server = start(stand_ins.ollama(POST__api_chat=reply))
    model = ChatLocalMix(base_url=server.url)
    selector = middleware.LLMToolSelectorMiddleware(max_tools=1)
    agent: Any = create_agent(model, [get_weather, get_time], middleware=[selector])
    assert agent.invoke({"messages": [HumanMessage(WEATHER)]})["messages"][-1].text == SUNNY
    offered = server.last("POST /api/chat").json["tools"]
    assert [each["function"]["name"] for each in offered] == ["get_weather"]


def test_a_person_is_asked_first(model: ChatLocalMix) -> None:
    asks = middleware.HumanInTheLoopMiddleware(interrupt_on={"get_weather": True})
    agent: Any = create_agent(model, [get_weather], middleware=[asks], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    state = agent.invoke({"messages": [HumanMessage(WEATHER)]}, config)
    (asked,) = state["__interrupt__"]
    assert asked.value["action_requests"][0]["args"] == {"location": "Paris"}
    answer: Any = Command(resume={"decisions": [{"type": "approve"}]})
    assert agent.invoke(answer, config)["messages"][-1].text == SUNNY
