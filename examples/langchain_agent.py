"""LangChain: an agent that calls a tool."""

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from langchain_localmix import ChatLocalMix


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return f"It's sunny in {location}."


def answer(question: str, model: str | None = None) -> list[AIMessage]:
    """Let the agent work, and return what the model said at each turn."""
    agent = create_agent(ChatLocalMix(model=model, temperature=0), [get_weather])
    state = agent.invoke({"messages": [HumanMessage(question)]})
    return [message for message in state["messages"] if isinstance(message, AIMessage)]


if __name__ == "__main__":
    print(answer("What is the weather in Paris?")[-1].text)
