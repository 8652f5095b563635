"""OpenAI's API of responses as its server: calls read into our requests.

Shape of the conversation: `POST /v1/responses` takes instructions, and items: messages, thoughts,
calls and their outputs, each on its own; those between two messages of the user are one turn of the
model. It answers with one object, or with events named by their type. What is not known is passed
over. Nothing is kept here: what refers to an earlier response is refused. Tools of other kinds than
functions, which OpenAI or the program itself runs, are left out, and so is what they have done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localmix.dialects.asking import Asked
from localmix.dialects.parts.conversation import ask_of
from localmix.dialects.parts.heard import (
    Pairing,
    is_plain,
    offered,
    read_effort,
    read_image,
    read_options,
)
from localmix.dialects.responses.writer import ResponsesWriter, write_error
from localmix.dialects.serving import Ask, Clock, Failure, Writer
from localmix.errors import ConfigError
from localmix.types import Image, Message, Tool, ToolCall
from localmix.types.requests import lines

_NUMBERS = frozenset({"temperature", "top_p"})
_OPTIONS = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"}
_KEPT = ("previous_response_id", "conversation", "prompt")
_ROLES: dict[str, Any] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


class ResponsesServer:
    """OpenAI's API of responses, as callers speak it."""

    def read(self, path: str, said: Asked) -> Ask:
        """Read a call of `/v1/responses`."""
        model = said.text("model").strip()
        if not model:
            raise ConfigError("model is required")
        for key in _KEPT:
            if key in said:
                raise ConfigError(
                    f"{key} refers to a stored response, and none are stored here:"
                    " send the whole conversation as input."
                )
        if said.flag("background"):
            raise ConfigError("background is not possible: no responses are stored here.")
        messages, options = _messages(said), _options(said, model)
        return ask_of(path, model, said, messages, options, may_pass=_may_pass(said))

    def writer(self, ask: Ask, now: Clock) -> Writer:
        """Make the writer of an answer."""
        return ResponsesWriter(ask, now)

    def write_error(self, failure: Failure) -> bytes:
        """Write an error object."""
        return write_error(failure)


def _may_pass(said: Asked) -> bool:
    """Pass nothing on of which a server is known to drop a part that we translate.

    Quirk (ollama 0.13 to 0.32): `tool_choice` and `parallel_tool_calls` are ignored; without a
    temperature it takes 1.0, whatever the model's own is; `web_search` is run in its cloud.
    """
    return (
        is_plain(said)
        and "temperature" in said
        and not any(key in said for key in ("tool_choice", "text"))
        and said.flag("parallel_tool_calls", absent=True)
        and all(tool.text("type") == "function" for tool in said.each("tools"))
        and (isinstance(said.value("input"), str) or all(map(_is_common, said.each("input"))))
    )


def _is_common(item: Asked) -> bool:
    """Tell whether every server knows an item."""
    if item.text("type") == "function_call_output":
        return isinstance(item.value("output"), str)
    return item.text("type") in ("", "message", "function_call") and item.text("role") in (
        *("", "user", "assistant", "system"),
    )


def _options(said: Asked, model: str) -> dict[str, Any]:
    effort = said.inner("reasoning").text("effort")
    tools = [_tool(entry) for entry in said.each("tools") if entry.text("type") == "function"]
    return {
        **read_options(said, _OPTIONS, _NUMBERS),
        "model": model,
        "tools": tools,
        "tool_choice": offered(_tool_choice(said), tools),
        "parallel_tool_calls": None if said.flag("parallel_tool_calls", absent=True) else False,
        "response_format": _format(said.inner("text").inner("format")),
        "think": read_effort(effort, "reasoning.effort") if effort else None,
    }


def _tool(entry: Asked) -> Tool:
    name, parameters = entry.text("name"), entry.mapping("parameters")
    if not name:
        raise entry.wrong("name", "the name of a tool")
    if not parameters:
        return Tool(name=name, description=entry.text("description"))
    return Tool(name=name, description=entry.text("description"), parameters=parameters)


def _tool_choice(said: Asked) -> str:
    """Read the choice; among several tools that are allowed, the model is free."""
    if not isinstance(said.value("tool_choice"), dict):
        return said.text("tool_choice") or "auto"
    choice = said.inner("tool_choice")
    if choice.text("type") == "allowed_tools":
        return choice.text("mode") or "auto"
    return choice.text("name")


def _format(form: Asked) -> Any:
    kind = form.text("type")
    if kind == "json_schema":
        return form.mapping("schema") or "json"
    if kind == "json_object":
        return "json"
    if kind in ("", "text"):
        return None
    raise form.wrong("type", "`text`, `json_object` or `json_schema`")


def _messages(said: Asked) -> list[Message]:
    conversation = _Conversation()
    if instructions := said.text("instructions"):
        conversation.add(Message(role="system", content=instructions))
    if isinstance(said.value("input"), str):
        conversation.add(Message(role="user", content=said.text("input")))
        return conversation.messages
    for item in said.each("input"):
        conversation.take(item)
    return conversation.whole()


class _Conversation:
    """Messages, put together from items.

    Attributes:
        messages: Those that are whole.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._pairing = Pairing()
        self._thoughts: list[str] = []
        self._texts: list[str] = []
        self._calls: list[ToolCall] = []
        self._readers: dict[str, Callable[[Asked], None]] = {
            "": self._message,
            "message": self._message,
            "reasoning": self._thought,
            "function_call": self._call,
            "function_call_output": self._output,
            "item_reference": self._reference,
        }

    def take(self, item: Asked) -> None:
        """Take an item; one that only another server could have made says nothing to ours."""
        if reader := self._readers.get(item.text("type")):
            reader(item)

    def add(self, message: Message) -> None:
        """Add a message that is none of the model's, which ends its turn."""
        self._end_turn()
        self.messages.append(message)

    def whole(self) -> list[Message]:
        """Give all messages."""
        self._end_turn()
        return self.messages

    def _message(self, item: Asked) -> None:
        role = _ROLES.get(item.text("role"))
        if role is None:
            raise item.wrong("role", f"one of {', '.join(_ROLES)}")
        content = _content(item, "content")
        if role != "assistant":
            self.add(Message(role=role, content=content))
            return
        if self._calls:
            self._end_turn()  # a text after calls is not before them
        self._texts.append(content if isinstance(content, str) else _text_of(content))

    def _thought(self, item: Asked) -> None:
        if self._calls or self._texts:
            self._end_turn()
        parts = item.each("summary") or item.each("content")
        self._thoughts += [part.text("text") for part in parts]

    def _call(self, item: Asked) -> None:
        arguments = item.text("arguments") or "{}"
        self._calls.append(self._pairing.call(item.text("name"), arguments, item.text("call_id")))

    def _output(self, item: Asked) -> None:
        content = _content(item, "output")
        text = content if isinstance(content, str) else _text_of(content)
        self.add(self._pairing.result(text, item.text("call_id"), ""))
        # Servers take texts alone as a tool's result.
        if images := tuple(part for part in content if isinstance(part, Image)):
            self.add(Message(role="user", content=images))

    def _reference(self, item: Asked) -> None:
        raise ConfigError("An item_reference refers to a stored item, and nothing is stored here.")

    def _end_turn(self) -> None:
        """Make one message of all that the model has said since somebody else spoke."""
        if self._thoughts or self._texts or self._calls:
            message = Message(
                role="assistant",
                content=lines(self._texts),
                reasoning=lines(self._thoughts),
                tool_calls=tuple(self._calls),
            )
            self.messages.append(message)
        self._thoughts, self._texts, self._calls = [], [], []


def _text_of(parts: tuple[str | Image, ...]) -> str:
    return lines(part for part in parts if isinstance(part, str))


def _content(item: Asked, key: str) -> str | tuple[str | Image, ...]:
    if isinstance(item.value(key), str):
        return item.text(key)
    parts = tuple(_part(part) for part in item.each(key))
    has_images = any(isinstance(part, Image) for part in parts)
    return parts if has_images else _text_of(parts)


def _part(part: Asked) -> str | Image:
    kind = part.text("type")
    if kind in ("input_text", "output_text", "text", "summary_text"):
        return part.text("text")
    if kind == "refusal":
        return part.text("refusal")
    if kind == "input_image" and part.text("image_url"):
        return read_image(part.text("image_url"), "image_url")
    raise part.wrong("type", "`input_text`, or `input_image` with an image_url")
