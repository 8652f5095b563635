"""The commands of a conversation: lines that begin with `/`."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, cast

from localmix import ChatRequest, Message
from localmix.cli import saved
from localmix.cli.conversation import Conversation
from localmix.cli.listing import write_model
from localmix.cli.output import say
from localmix.errors import ConfigError
from localmix.types.options import ChatOptions

_SETTABLE = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "max_tokens", "num_ctx", "stop"),
    *("repeat_penalty", "presence_penalty", "frequency_penalty", "keep_alive", "think"),
    "response_format",
)
_WORDS: dict[str, Any] = {"on": True, "off": False}
_USAGE = {
    "/model": ("NAME", "switch to another model; without a name, show the current one"),
    "/route": ("", "where the last answer came from, and why"),
    "/retry": ("", "answer the last prompt again"),
    "/clear": ("", "clear the conversation"),
    "/system": ("TEXT", "set the system prompt; without a text, show it"),
    "/set": ("NAME VALUE", "set an option; without a value, restore the default"),
    "/show": ("", "describe the model"),
    "/save": ("NAME", "save the conversation"),
    "/load": ("NAME", "continue a saved conversation"),
    "/bye": ("", "leave; so does Ctrl-D"),
}
_OTHERS = {"/?": "", "/help": "", "/quit": "/bye", "/exit": "/bye"}
COMMANDS = (*_USAGE, *_OTHERS)
_KEYS = """\
Enter sends; Alt-Enter starts a new line, and so does Enter between \"\"\" and \"\"\".
Ctrl-C clears the line, and stops an answer."""


class Commands:
    """The commands of a conversation."""

    def __init__(self, conversation: Conversation, answer: Callable[[Message], None]) -> None:
        self._conversation = conversation
        self._answer = answer
        self._actions: dict[str, Callable[[str], None]] = {
            "/model": self._model,
            "/route": lambda _: self._route(),
            "/retry": lambda _: self._retry(),
            "/clear": lambda _: self._clear(),
            "/system": self._system,
            "/set": self._set,
            "/show": lambda _: self._show(),
            "/save": self._save,
            "/load": self._load,
            "/?": lambda _: self._help(),
            "/help": lambda _: self._help(),
        }

    def obey(self, line: str) -> bool:
        """Carry out a line; tell whether the conversation goes on.

        Raises:
            LocalMixError: It cannot be done; the conversation is as it was.
        """
        command, _, argument = line.partition(" ")
        if _OTHERS.get(command, command) == "/bye":
            return False
        if command not in self._actions:
            close = get_close_matches(command, COMMANDS, n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise ConfigError(f"There is no command {command}.{meant}", hint="/? lists them.")
        self._actions[command](argument.strip())
        return True

    def _help(self) -> None:
        width = max(len(f"{name} {usage}") for name, (usage, _) in _USAGE.items())
        for name, (usage, meaning) in _USAGE.items():
            say(f"{f'{name} {usage}'.ljust(width)}  {meaning}")
        say(_KEYS)

    def _model(self, name: str) -> None:
        """Change the model, if some server has it."""
        found = self._conversation.client.route(name or self._conversation.model)
        if name:
            self._conversation.options["model"] = name
        say(f"{found.model} at {found.server.url}", "dim")

    def _route(self) -> None:
        route = self._conversation.route
        if route is None:
            say("There is no answer yet.", "dim")
            return
        say(f"{route.model} at {route.server.url}: {route.reason}", "dim")
        for attempt in route.attempts:
            say(f"tried first: {attempt.server}: {attempt.error.message}", "dim")
        for skipped in route.skipped:
            say(f"not {skipped.server}: {skipped.reason}", "dim")

    def _retry(self) -> None:
        question = self._conversation.last_question()
        if question is None:
            raise ConfigError("There is no prompt yet.")
        self._answer(question)

    def _clear(self) -> None:
        self._conversation.said = []
        say("The conversation was cleared.", "dim")

    def _system(self, text: str) -> None:
        if text:
            self._conversation.system = text.strip('"')
        say(self._conversation.system or "No system prompt is set.", "dim")

    def _set(self, argument: str) -> None:
        name, _, written = argument.partition(" ")
        if not name:
            self._tell_options()
        elif name == "verbose":
            self._conversation.is_verbose = written.strip() in ("", "on")
        elif name not in _SETTABLE:
            close = get_close_matches(name, _SETTABLE, n=1)
            meant = f"Did you mean {close[0]}? " if close else ""
            raise ConfigError(f"{name} is not an option.", hint=f"{meant}{', '.join(_SETTABLE)}.")
        else:
            self._change(name, written.strip())

    def _change(self, name: str, written: str) -> None:
        options = cast("dict[str, Any]", self._conversation.options)
        if not written:
            options.pop(name, None)
            say(f"{name}: the server's default", "dim")
            return
        value = _value(written)
        ChatRequest(messages=(Message(role="user", content="?"),), **{name: value})
        options[name] = value
        say(f"{name}: {written}", "dim")

    def _tell_options(self) -> None:
        options: ChatOptions = self._conversation.options
        given = {name: value for name, value in options.items() if name in _SETTABLE}
        given = {name: value for name, value in given.items() if value is not None}
        for name, value in given.items():
            say(f"{name}: {value}", "dim")
        if not given:
            say(f"Nothing is set. There are: {', '.join((*_SETTABLE, 'verbose'))}.", "dim")

    def _show(self) -> None:
        client = self._conversation.client
        found = client.route(self._conversation.model)
        write_model(client.show(f"{found.server.name}/{found.model}"))

    def _save(self, name: str) -> None:
        saved.save(_needed(name, "/save"), self._conversation.said, self._conversation.model)
        say(f"Saved as {name}; /load {name} continues it.", "dim")

    def _load(self, name: str) -> None:
        self._conversation.said, model = saved.load(_needed(name, "/load"))
        if model:
            self._conversation.options["model"] = model
        say(self._conversation.summary, "dim")


def _needed(name: str, command: str) -> str:
    if not name:
        raise ConfigError(f"{command} needs a name.")
    return name


def _value(written: str) -> Any:
    """Read a value as JSON has it, `on` and `off`, or a text."""
    if written in _WORDS:
        return _WORDS[written]
    try:
        return json.loads(written)
    except ValueError:
        return written
