"""The one list of real uses: what a program does with LlamaIndex, and what must come of it.

Each is played live on the embedded engine and on the LM Studio stand-in with its model behind, and
replayed from recordings of Ollama and of that stand-in. To record one again, on its real server:
`pytest tests/llamaindex/test_replays.py -k "ollama-0.33.0-rc2" --url http://127.0.0.1:11434`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Self, cast

from llama_index.core import Document, PromptTemplate, VectorStoreIndex
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.evaluation import FaithfulnessEvaluator
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Context
from pydantic import BaseModel

from llamaindex_localmix import LocalMix, LocalMixEmbedding

# They give an answer that is streamed to nobody before it is whole.
CORE_HOLDS_BACK = version("llama-index-core") in ("0.14.23", "0.14.24")
FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."
BRIDGE = "Who designed the red bridge?"
MIRA = "Mira Okafor designed the red bridge."
WEATHER = "What is the weather in Paris?"
TEXTS = (
    "Mira Okafor designed the red bridge, which was finished in 1987.",
    "The night train to Elmford leaves from platform four at ten past eleven.",
    "Doctor Ines Varga keeps the seed bank in the cellar at four degrees.",
)


@dataclass(frozen=True)
class Kit:
    """Hold what a program has: a model that talks, and one that embeds."""

    llm: LocalMix
    embed_model: LocalMixEmbedding

    @classmethod
    def on(cls, servers: tuple[str, ...], embedding: str = "localmix-tiny-embed") -> Self:
        """Make both so that they say the same again.

        Ollama 0.12.11 has a repeat penalty of 1.1 by default, which confuses so small a model.
        """
        llm = LocalMix(
            model="localmix-tiny",
            servers=servers,
            temperature=0,
            repeat_penalty=1.0,
            max_tokens=120,
            think=False,
        )
        return cls(llm, LocalMixEmbedding(model=embedding, servers=servers))

    def index(self) -> VectorStoreIndex:
        """Index the texts."""
        documents = [Document(text=text) for text in TEXTS]
        return VectorStoreIndex.from_documents(documents, embed_model=self.embed_model)

    def chat_engine(self, mode: str) -> Any:
        """Make a chat engine that reads the best text."""
        return self.index().as_chat_engine(
            chat_mode=mode,  # type: ignore[arg-type]
            llm=self.llm,
            similarity_top_k=1,
            memory=ChatMemoryBuffer.from_defaults(llm=self.llm),
        )

    def engine(self, **options: Any) -> Any:
        """Make a query engine that reads the best text."""
        return self.index().as_query_engine(llm=self.llm, similarity_top_k=1, **options)


Conversation = Callable[[Kit], None]
CONVERSATIONS: dict[str, Conversation] = {}


def conversation(play: Conversation) -> Conversation:
    """Enter a function in the list, under its name."""
    CONVERSATIONS[play.__name__.replace("_", "-")] = play
    return play


def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


def run(agent: Any, question: str) -> tuple[AgentOutput, list[AgentStream]]:
    """Run an agent; give its output and what it said on the way."""

    async def main() -> tuple[AgentOutput, list[AgentStream]]:
        handler = agent.run(question)
        events = [event async for event in handler.stream_events()]
        return await handler, [event for event in events if isinstance(event, AgentStream)]

    return asyncio.run(main())


@conversation
def function_agent(kit: Kit) -> None:
    output, steps = run(FunctionAgent(tools=[get_weather], llm=kit.llm), WEATHER)
    assert str(output) == "It is sunny in Paris."
    (called,) = output.tool_calls
    assert (called.tool_name, called.tool_kwargs) == ("get_weather", {"location": "Paris"})
    assert "".join(step.delta for step in steps) == "It is sunny in Paris."


@conversation
def function_agent_with_two_calls(kit: Kit) -> None:
    async def at_once(location: str) -> str:  # a thread for each would mix up their order
        return get_weather(location)

    question = "What is the weather in Paris and Tokyo?"
    tool = FunctionTool.from_defaults(get_weather, async_fn=at_once)
    output, _ = run(FunctionAgent(tools=[tool], llm=kit.llm), question)
    places = [called.tool_kwargs["location"] for called in output.tool_calls]
    assert places == ["Paris", "Tokyo"]
    assert len({called.tool_id for called in output.tool_calls}) == 2


@conversation
def react_agent(kit: Kit) -> None:
    output, _ = run(ReActAgent(tools=[get_weather], llm=kit.llm), WEATHER)
    assert str(output) == "It is sunny in Paris."
    assert [called.tool_name for called in output.tool_calls] == ["get_weather"]


@conversation
def workflow_with_a_handoff(kit: Kit) -> None:
    """The model was not taught to say `handoff`, so a tool that it knows hands over."""

    async def get_time(ctx: Context) -> str:
        """Get the current time."""
        await ctx.store.set("next_agent", "clock")
        return "12:30"

    front = FunctionAgent(name="front", description="Greets.", llm=kit.llm, tools=[get_time])
    clock = FunctionAgent(name="clock", description="Knows the time.", llm=kit.llm)
    front.can_handoff_to, clock.can_handoff_to = [], []
    output, _ = run(AgentWorkflow(agents=[front, clock], root_agent="front"), "What time is it?")
    assert (str(output), output.current_agent_name) == ("It is 12:30.", "clock")


@conversation
def agent_that_asks_an_index(kit: Kit) -> None:
    tool = QueryEngineTool.from_defaults(
        kit.engine(),
        name="query_engine_tool",
        description="Useful for running a natural language query against a knowledge base.",
    )
    output, _ = run(FunctionAgent(tools=[tool], llm=kit.llm), BRIDGE)
    assert str(output) == MIRA
    assert [called.tool_name for called in output.tool_calls] == ["query_engine_tool"]


@conversation
def query_engines(kit: Kit) -> None:
    index = kit.index()
    for mode in ("compact", "refine", "tree_summarize", "simple_summarize"):
        engine = index.as_query_engine(llm=kit.llm, similarity_top_k=1, response_mode=mode)
        response = engine.query(BRIDGE)
        assert str(response) == MIRA
        assert response.source_nodes[0].get_content() == TEXTS[0]


@conversation
def answers_that_are_streamed(kit: Kit) -> None:
    engine = kit.engine(streaming=True)
    pieces = list(engine.query(BRIDGE).response_gen)
    assert len(pieces) > 1 or CORE_HOLDS_BACK
    assert "".join(map(str, pieces)) == MIRA

    async def main() -> str:
        response = await engine.aquery(BRIDGE)
        return "".join([str(piece) async for piece in response.async_response_gen()])

    assert asyncio.run(main()) == MIRA


@conversation
def chat_engines(kit: Kit) -> None:
    simple = kit.chat_engine("simple")
    assert simple.chat(FRANCE).response == PARIS
    assert [str(message.role) for message in simple.chat_history] == [
        "MessageRole.USER",
        "MessageRole.ASSISTANT",
    ]
    context = kit.chat_engine("context")
    assert context.chat(BRIDGE).response == MIRA
    context.reset()
    assert "".join(context.stream_chat(BRIDGE).response_gen) == MIRA
    context.reset()
    assert asyncio.run(context.achat(BRIDGE)).response == MIRA


@conversation
def chat_engine_that_condenses(kit: Kit) -> None:
    """The model cannot condense, but what it says of it is searched for and answered."""
    engine = kit.chat_engine("condense_plus_context")
    assert "red bridge" in engine.chat(BRIDGE).response
    assert engine.chat("Who keeps the seed bank?").response
    assert len(engine.chat_history) == 4


class Person(BaseModel):
    name: str
    age: int


@conversation
def objects(kit: Kit) -> None:
    prompt = PromptTemplate("Extract the person: {sentence}")
    sentence = "Ada is 36 years old."

    async def main() -> list[Any]:
        steps = await kit.llm.astream_structured_predict(Person, prompt, sentence=sentence)
        whole = await kit.llm.astructured_predict(Person, prompt, sentence=sentence)
        return [whole, [step async for step in steps][-1]]

    people = [
        kit.llm.structured_predict(Person, prompt, sentence=sentence),
        list(kit.llm.stream_structured_predict(Person, prompt, sentence=sentence))[-1],
        *asyncio.run(main()),
    ]
    assert people == [Person(name="Ada", age=36)] * 4


@conversation
def thoughts(kit: Kit) -> None:
    steps = list(kit.llm.stream_chat([ChatMessage(content=FRANCE)], think=True))
    thinking, text = cast("Any", steps[-1].message.blocks)
    assert thinking.content.startswith("The user says")
    assert text.text == PARIS
    deltas = [step.additional_kwargs["thinking_delta"] or "" for step in steps]
    assert "".join(deltas) == thinking.content
    assert steps[-1].raw
    assert steps[-1].raw["usage"]["completion_tokens"] > 0


@conversation
def judgement_of_an_answer(kit: Kit) -> None:
    """The model knows no `YES`, so it fails everything; what counts is that it is asked."""
    judged = FaithfulnessEvaluator(llm=kit.llm).evaluate_response(
        response=kit.engine().query(BRIDGE)
    )
    assert judged.feedback
    assert judged.score == 0.0
