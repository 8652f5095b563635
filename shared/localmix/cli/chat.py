"""`localmix chat`: talk with a model, or put one question to it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

import typer

from localmix import Client, Message
from localmix.cli.arguments import Json, MaybeModel, Servers, open_client
from localmix.cli.exits import tell
from localmix.cli.output import console, say, visible, write_json
from localmix.errors import ConfigError, LocalMixError
from localmix.streams import Stream
from localmix.types import Delta, Route
from localmix.types.options import ChatOptions

_COMMANDS = """\
/model NAME  talk with another model; without a name: say which one
/route       where the last answer came from, and why
/clear       forget the conversation
/quit        leave; so do Ctrl-D and Ctrl-C
Ctrl-C while it answers stops the answer."""
Question = Annotated[
    list[str] | None,
    typer.Argument(metavar="QUESTION", help="Without one: a conversation, or the input."),
]
System = Annotated[str | None, typer.Option("--system", help="What the model is to know first.")]
Think = Annotated[
    bool | None, typer.Option("--think/--no-think", help="Whether it should think first.")
]

Temperature = Annotated[
    float | None, typer.Option("--temperature", "-t", min=0, help="0 says the same again.")
]


def chat(
    question: Question = None,
    model: MaybeModel = None,
    system: System = None,
    think: Think = None,
    temperature: Temperature = None,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Talk with a model, or put one question to it."""
    with open_client(servers) as client:
        options: ChatOptions = {"model": model, "think": think, "temperature": temperature}
        conversation = Conversation(client, system, options)
        text = " ".join(question or ())
        if not text and not sys.stdin.isatty():
            text = sys.stdin.read().strip()
            if not text:
                raise ConfigError("There is no question.", hint='Try: localmix chat "Hello"')
        if as_json and not text:
            raise ConfigError("--json is for one question.", hint="Give the question as well.")
        if as_json:
            write_json(conversation.whole(text))
        elif text:
            conversation.answer(text)
        else:
            conversation.talk()


class Conversation:
    """Keep what was said, and say it again with every question."""

    def __init__(self, client: Client, system: str | None, options: ChatOptions) -> None:
        self._client = client
        self._options = options
        self._head = [Message(role="system", content=system)] if system else []
        self._said: list[Message] = []
        self._route: Route | None = None

    def whole(self, text: str) -> object:
        """Put one question, and give the whole result."""
        return self._client.chat(self._asked(text), **self._options)

    def talk(self) -> None:
        """Take questions and commands until the user leaves."""
        with suppress(ImportError):
            import readline  # noqa: F401  (editing and history in input())
        say("Ask something. /help lists the commands, Ctrl-D leaves.", "dim")
        with suppress(EOFError, KeyboardInterrupt):
            while (text := input("> ").strip()) != "/quit":
                if text.startswith("/"):
                    self._obey(*text.split(maxsplit=1))
                elif text:
                    self._try(text)
        say("")

    def _try(self, text: str) -> None:
        try:
            self.answer(text)
        except LocalMixError as error:
            tell(error)
        except KeyboardInterrupt:
            say("\n(stopped)", "dim")

    def answer(self, text: str) -> None:
        """Put a question, write the answer as it comes, and remember both."""
        asked = self._asked(text)
        with self._client.stream(asked, **self._options) as stream:
            try:
                _write(stream)
            finally:
                self._route = stream.route or self._route
                if stream.result.content:
                    self._said = [*asked[len(self._head) :], stream.result.message]

    def _asked(self, text: str) -> list[Message]:
        return [*self._head, *self._said, Message(role="user", content=text)]

    def _obey(self, command: str, argument: str = "") -> None:
        if command == "/model":
            self._choose(argument)
        elif command == "/route":
            self._tell_route()
        elif command == "/clear":
            self._said = []
        else:
            say(_COMMANDS)

    def _choose(self, name: str) -> None:
        """Change the model, if some server has it."""
        try:
            found = self._client.route(name or self._options["model"])
        except LocalMixError as error:
            tell(error)
            return
        self._options["model"] = name or self._options["model"]
        say(f"{found.model} at {found.server.url}", "dim")

    def _tell_route(self) -> None:
        if self._route is None:
            say("There was no answer yet.", "dim")
            return
        say(f"{self._route.model} at {self._route.server.url}: {self._route.reason}", "dim")
        for attempt in self._route.attempts:
            say(f"tried first: {attempt.server}: {attempt.error.message}", "dim")


def _write(stream: Stream) -> None:
    """Write an answer as it comes; reasoning is for eyes alone, and dim."""
    terminal = console()
    thinking = False
    for delta in stream:
        if delta.reasoning and terminal.is_terminal:
            thinking = True
            terminal.print(visible(delta.reasoning), end="", style="dim")
        if delta.content:
            if thinking:
                terminal.print()
                thinking = False
            # A pipe gets the answer as it is.
            shown = visible(delta.content) if terminal.is_terminal else delta.content
            sys.stdout.write(shown)
        sys.stdout.flush()
    say("")
    _warn(delta)


def _warn(last: Delta) -> None:
    if last.finish_reason == "length":
        say("(cut: the answer reached its limit)", "dim", error=True)
