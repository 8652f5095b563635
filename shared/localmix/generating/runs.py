"""A conversation with tools, run to its end: ask, call what the model calls, tell it, ask again.

A run is a generator that yields what is to be done and is sent what came of it; drivers of either
colour work it off.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from localmix.errors import ConfigError, TurnLimitError
from localmix.types import ChatRequest, ChatResult, Message, RunResult, ToolCall
from localmix.types.functions import Function

Work = Callable[[], Any]
Answer = ChatResult[Any]
Steps = Generator[ChatRequest | list[Work], Any, RunResult[Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """A conversation to be run.

    Attributes:
        request: The first turn, which offers the tools.
        functions: What the model may call, by its name.
        max_turns: The most answers to ask for.
    """

    request: ChatRequest
    functions: Mapping[str, Function]
    max_turns: int

    @classmethod
    def of(cls, request: ChatRequest, tools: Sequence[Callable[..., Any]], max_turns: int) -> Run:
        """Take the functions that can be called.

        Raises:
            ConfigError: Something else is among them, or two have one name, or there are no turns.
        """
        if max_turns < 1:
            raise ConfigError("max_turns must be at least 1.")
        for tool in tools:
            if isinstance(tool, type) or not callable(tool):
                raise ConfigError(
                    f"{tool!r} cannot be called in a run.",
                    hint="Pass functions, or use chat() and carry out result.tool_calls yourself.",
                )
        functions = {each.name: each for each in map(Function, tools)}
        if len(functions) < len(tools):
            raise ConfigError("Two tools have the same name.", hint="Rename one of the functions.")
        return cls(request, functions, max_turns)

    def without_waiting(self) -> Run:
        """Check that no function has to be awaited.

        Raises:
            ConfigError: One has to be.
        """
        if waiting := [each.name for each in self.functions.values() if each.is_asynchronous]:
            raise ConfigError(f"{waiting[0]} is asynchronous.", hint="Use AsyncClient.run().")
        return self

    def steps(self) -> Steps:
        """Yield requests and calls; be sent an answer, and the texts that calls gave."""
        request, whole = self.request, None
        for turn in range(1, self.max_turns + 1):
            answer: Answer = yield request
            whole = answer.after(whole) if whole else answer
            messages = (*request.messages, answer.message)
            if not (answer.tool_calls and self.functions):
                break
            if turn == self.max_turns:
                raise TurnLimitError(
                    f"The model still calls tools after {turn} turns.",
                    partial=_ended(whole, messages),
                )
            told: list[str] = yield [self._work(call) for call in answer.tool_calls]
            results = map(_result, answer.tool_calls, told)
            request = _next(request, answer, (*messages, *results))
        return _ended(cast("Answer", whole), messages)

    def _work(self, call: ToolCall) -> Work:
        function = self.functions.get(call.name)
        if function is None:
            names = ", ".join(self.functions)
            return lambda: f"Error: there is no tool {call.name}. There are: {names}."
        return function.bound(call.parsed)


def finish(steps: Steps, ask: Callable[[ChatRequest], Answer]) -> RunResult[Any]:
    """Work a run off, one call after the other."""
    came: Any = None
    try:
        while True:
            step = steps.send(came)
            came = ask(step) if isinstance(step, ChatRequest) else [*map(_here, step)]
    except StopIteration as end:
        return cast("RunResult[Any]", end.value)


async def afinish(steps: Steps, ask: Callable[[ChatRequest], Awaitable[Answer]]) -> RunResult[Any]:
    """Work a run off, the calls of one answer side by side."""
    came: Any = None
    try:
        while True:
            step = steps.send(came)
            if isinstance(step, ChatRequest):
                came = await ask(step)
            else:
                came = await asyncio.gather(*map(_aside, step))
    except StopIteration as end:
        return cast("RunResult[Any]", end.value)


def _here(work: Work) -> Any:
    """Do some work; what has to be awaited gets a loop of its own."""
    return asyncio.run(work()) if inspect.iscoroutinefunction(work) else work()


async def _aside(work: Work) -> Any:
    """Do some work without holding up the loop."""
    return await (work() if inspect.iscoroutinefunction(work) else asyncio.to_thread(work))


def _next(request: ChatRequest, answer: Answer, messages: tuple[Message, ...]) -> ChatRequest:
    """Ask the same model; a call that was required has been made."""
    choice = "none" if request.tool_choice == "none" else "auto"
    model = request.model or (answer.route.model if answer.route else None)
    update = {"messages": messages, "tool_choice": choice, "model": model}
    return request.model_copy(update=update)


def _result(call: ToolCall, told: str) -> Message:
    return Message(role="tool", content=told, tool_call_id=call.id, tool_name=call.name)


def _ended(answer: Answer, messages: tuple[Message, ...]) -> RunResult[Any]:
    known = {each.name: getattr(answer, each.name) for each in fields(ChatResult)}
    return RunResult(**known, messages=messages)
