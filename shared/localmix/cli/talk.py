"""A conversation at a terminal: a line editor, and what Ctrl-C stops."""

from __future__ import annotations

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from localmix import Message
from localmix.cli import state
from localmix.cli.conversation import WINDOW_FULL, Conversation
from localmix.cli.exits import tell
from localmix.cli.output import say
from localmix.cli.prompts import NOTHING, about
from localmix.cli.slash import COMMANDS, Commands
from localmix.errors import ConfigError, ContextLengthError, LocalMixError
from localmix.types import Route

_FENCE = '"""'


def talk(conversation: Conversation, entered: Route, first: Message) -> None:
    """Take questions and commands until the user leaves.

    Args:
        conversation: What was said before, and how to ask.
        entered: Where the first question would go.
        first: Files and images that go with the first question.
    """
    say(f"{entered.model} at {entered.server.url} ({entered.server.kind})", "bold")
    say("/? lists the commands, Ctrl-D leaves.", "dim")
    if conversation.said:
        say(conversation.summary, "dim")
    _Talk(conversation, first).run()


class _Talk:
    def __init__(self, conversation: Conversation, first: Message) -> None:
        self._conversation = conversation
        self._commands = Commands(conversation, self._ask)
        self._first = first
        self._session: PromptSession[str] = PromptSession(
            "> ",
            multiline=True,
            key_bindings=_keys(),
            prompt_continuation=". ",
            history=_history(),
            completer=WordCompleter([*COMMANDS], sentence=True),
            complete_while_typing=False,
        )

    def run(self) -> None:
        """Go on until the user leaves; an error, or Ctrl-C, ends nothing."""
        is_going_on = True
        while is_going_on:
            try:
                is_going_on = self._take(_unfenced(self._session.prompt()))
            except EOFError:
                is_going_on = False
            except KeyboardInterrupt:
                say("(Ctrl-D leaves)", "dim")
            except LocalMixError as error:
                tell(error)

    def _take(self, text: str) -> bool:
        if text.startswith("/") and "\n" not in text:
            return self._commands.obey(text)
        if text:
            first, self._first = self._first, NOTHING
            self._ask(about(first, text))
        return True

    def _ask(self, question: Message) -> None:
        try:
            self._conversation.ask(question)
        except KeyboardInterrupt:
            say("(stopped)", "dim")
        except ContextLengthError as error:
            tell(error)
            say(WINDOW_FULL, "dim", error=True)


def _history() -> History:
    try:
        path = state.place("history")
        state.append(path, "")
    except ConfigError:
        return InMemoryHistory()
    return FileHistory(path)


def _keys() -> KeyBindings:
    """Have Enter send, unless the text began with three quotes that are still open."""
    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _is_open(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _is_open(text: str) -> bool:
    begun = text.lstrip()
    return begun.startswith(_FENCE) and not begun[len(_FENCE) :].rstrip().endswith(_FENCE)


def _unfenced(text: str) -> str:
    text = text.strip()
    if text.startswith(_FENCE) and text.endswith(_FENCE):
        return text.strip('"').strip()
    return text
