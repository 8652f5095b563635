"""A conversation with a model: what was said, and the answers as they are written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from textwrap import shorten
from typing import Any

from rich.status import Status

from localmix import ChatRequest, ChatResult, Client, Message
from localmix.cli import saved
from localmix.cli.output import console, say, visible
from localmix.errors import ConfigError
from localmix.following import Stream
from localmix.generating.methods import MAX_TURNS
from localmix.generating.runs import Run, finish
from localmix.types import Delta, Route
from localmix.types.build import chat_request
from localmix.types.options import ChatOptions

_LINE = 60
WINDOW_FULL = (
    "The context window is full. /clear forgets the conversation, /set num_ctx N asks for a larger"
    " window, /model NAME switches to another model."
)


class Conversation:
    """What was said so far, sent again with every question."""

    def __init__(
        self,
        client: Client,
        options: ChatOptions,
        system: str = "",
        functions: Sequence[Callable[..., Any]] = (),
        *,
        is_verbose: bool = False,
    ) -> None:
        self.client = client
        self.options = options
        self.system = system
        self.is_verbose = is_verbose
        self.said: list[Message] = []
        self.route: Route | None = None
        self._functions = functions
        if functions:
            self.options["tools"] = functions

    @property
    def model(self) -> str | None:
        """The model that is asked; `None` for the usual one."""
        return self.options.get("model")

    @property
    def summary(self) -> str:
        """How many messages there are, and the last question."""
        asked = next((each.text for each in reversed(self.said) if each.role == "user"), "")
        return f"{len(self.said)} messages; the last question: {shorten(asked, _LINE) or '-'}"

    def ask(self, question: Message, write: Callable[[Stream], None] | None = None) -> ChatResult:
        """Put a question, write the answer as it comes, and remember both.

        Raises:
            LocalMixError: See `Client.run`; what had come of an answer is remembered.
        """
        before = self.said
        request = chat_request([*self._head, *before, question], self.options)
        run = Run.of(request, self._functions, MAX_TURNS)
        try:
            return finish(run.steps(), partial(self._turn, write or self._write))
        finally:
            if not _is_answered(self.said):
                self.said = before
            self._keep()

    def last_question(self) -> Message | None:
        """Forget the last answer, and give the question that it was for."""
        for index in reversed(range(len(self.said))):
            if self.said[index].role == "user":
                question = self.said[index]
                del self.said[index:]
                return question
        return None

    @property
    def _head(self) -> list[Message]:
        return [Message(role="system", content=self.system)] if self.system else []

    def _turn(self, write: Callable[[Stream], None], request: ChatRequest) -> ChatResult:
        self.said = [*request.messages[len(self._head) :]]
        with self.client.stream(request) as stream:
            try:
                write(stream)
            except BaseException:
                if stream.result.content:
                    self.said.append(Message(role="assistant", content=stream.result.content))
                raise
            finally:
                self.route = stream.route or self.route
            result = stream.result
        if result.content or result.tool_calls:
            self.said.append(result.message)
        for call in result.tool_calls if self._functions else ():
            say(f"{call.name}({call.arguments})", "dim", error=True)
        return result

    def _keep(self) -> None:
        """Remember it for `--continue`; without a place for that, it is only not remembered."""
        if self.said:
            with suppress(ConfigError):
                saved.save(saved.LAST, self.said, self.model)

    def _write(self, stream: Stream) -> None:
        last = write_answer(_with_spinner(stream, self._waiting()))
        if not (stream.result.content or stream.result.tool_calls):
            say("(no answer: the model wrote nothing)", "dim", error=True)
        if last.finish_reason == "length":
            is_limited = self.options.get("max_tokens") is not None
            said = "(cut off: the answer reached its limit)"
            say(said if is_limited else f"{said} {WINDOW_FULL}", "dim", error=True)
        if self.is_verbose:
            say(_figures(stream.result), "dim", error=True)

    def _waiting(self) -> str:
        known = self.client.known_model(self.model)
        verb = "waiting for" if known and known.loaded else "loading"
        return f"{verb} {known.name if known else self.model or 'a model'}"


def _is_answered(said: Sequence[Message]) -> bool:
    """Tell whether a conversation can go on: it ends with an answer, and no call is left open."""
    return bool(said) and said[-1].role == "assistant" and not said[-1].tool_calls


def read_silently(stream: Stream) -> None:
    """Read an answer to its end."""
    for _delta in stream:
        pass


def write_answer(deltas: Iterable[Delta]) -> Delta:
    """Write an answer as it comes; reasoning is for eyes alone, and dim. Give the last delta."""
    terminal = console()
    thinking = False
    delta, ends_line = Delta(), True
    try:
        for delta in deltas:
            if delta.reasoning and terminal.is_terminal:
                thinking, ends_line = True, False
                terminal.print(visible(delta.reasoning), end="", style="dim")
            if delta.content:
                if thinking:
                    terminal.print()
                    thinking = False
                # A pipe gets the answer as it is.
                shown = visible(delta.content) if terminal.is_terminal else delta.content
                sys.stdout.write(shown)
                ends_line = False
            sys.stdout.flush()
    except BaseException:
        if terminal.is_terminal and not ends_line:
            say("")  # so that what is said of it stands on a line of its own
        raise
    say("")
    return delta


def _with_spinner(stream: Stream, text: str) -> Iterable[Delta]:
    """Show that something is going on until the first delta is there."""
    if not sys.stderr.isatty():
        yield from stream
        return
    status = Status(visible(text), console=console(error=True))
    status.start()
    try:
        for delta in stream:
            status.stop()
            yield delta
    finally:
        status.stop()


def _figures(result: ChatResult) -> str:
    """Say what an answer took."""
    usage, timings = result.usage, result.timings
    parts = [f"{result.model} at {result.route.server.url}" if result.route else result.model]
    if usage:
        parts.append(f"{usage.input_tokens} tokens in, {usage.output_tokens} out")
    for name, seconds in (
        ("load", timings.load),
        ("first token", timings.first_token),
        ("total", timings.total),
    ):
        if seconds is not None:
            parts.append(f"{name} {seconds:.2f} s")
    if usage and timings.total and timings.first_token is not None:
        writing = timings.total - timings.first_token
        if writing > 0 and usage.output_tokens > 1:
            parts.append(f"{(usage.output_tokens - 1) / writing:.1f} tokens/s")
    return ", ".join(parts)
