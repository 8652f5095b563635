"""A person in the loop, who answers when the program that asked has ended.

Core looks at annotations as they stand, so this file has none that are put off.
"""

import asyncio
import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.workflow import (
    Context,
    HumanResponseEvent,
    InputRequiredEvent,
    JsonPickleSerializer,
)

from llamaindex_localmix import LocalMix
from tests.llamaindex.scripted import Turn, sent

# LlamaIndex looks at its own fields in ways of old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def delete(context: Context, name: str) -> str:
    """Delete a file, if the user agrees."""
    asked = InputRequiredEvent(prefix=f"Delete {name}?")
    said = await context.wait_for_event(HumanResponseEvent, waiter_event=asked)
    return f"The user said {said.response}."


def test_a_person_answers_much_later(script: Any) -> None:
    """Meanwhile the program has ended; the call that waits is not asked for again."""
    call: Any = ("id1", "delete", {"name": "a.txt"})
    server = script(Turn(calls=(call,)), Turn("Deleted."))

    def agent() -> FunctionAgent:
        return FunctionAgent(tools=[delete], llm=LocalMix(base_url=server.url))

    async def until_it_asks() -> tuple[str, str]:
        handler = agent().run("Delete a.txt")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                stored = json.dumps(handler.ctx.to_dict(JsonPickleSerializer()))
                await handler.cancel_run()
                return event.prefix, stored
        raise AssertionError("nobody was asked")

    async def go_on(stored: str) -> str:
        workflow = agent()
        context = Context.from_dict(workflow, json.loads(stored), JsonPickleSerializer())
        handler = workflow.run(ctx=context)
        handler.ctx.send_event(HumanResponseEvent(response="yes"))
        return str(await handler)

    question, stored = asyncio.run(until_it_asks())
    assert question == "Delete a.txt?"
    assert asyncio.run(go_on(stored)) == "Deleted."
    assert [message["role"] for message in sent(server)[-1]["messages"]] == [
        *("user", "assistant", "tool"),
    ]
    assert sent(server)[-1]["messages"][-1]["content"] == "The user said yes."
