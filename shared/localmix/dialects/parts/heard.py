"""What the requests of all dialects have in common, read from what a caller sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from localmix.dialects.asking import Asked
from localmix.errors import ConfigError
from localmix.types import Image, Message, Tool, ToolCall

# By its first bytes: callers send images without saying what they are.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)

# By the words of every generation of OpenAI's models.
_EFFORTS: dict[str, Any] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


# OpenAI's own bound.
MOST_TEXTS = 2048


def read_input(said: Asked) -> tuple[str, ...]:
    """Read the texts to embed.

    Raises:
        ConfigError: They are no texts, or too many for one request.
    """
    texts = said.texts("input")
    if len(texts) > MOST_TEXTS:
        raise ConfigError(f"input must be {MOST_TEXTS:,} texts at most, and is {len(texts):,}.")
    return texts


def read_tools(said: Asked) -> tuple[Tool, ...]:
    """Read `tools`, which all dialects write alike."""
    return tuple(_tool(entry) for entry in said.each("tools"))


def _tool(entry: Asked) -> Tool:
    if entry.text("type") not in ("", "function"):
        raise entry.wrong("type", "`function`: no other tools can be called")
    function = entry.inner("function")
    parameters = function.mapping("parameters")
    name, description = function.text("name"), function.text("description")
    if not name:
        raise function.wrong("name", "the name of a tool")
    if not parameters:
        return Tool(name=name, description=description)
    return Tool(name=name, description=description, parameters=parameters)


def read_tool_choice(said: Asked) -> str:
    """Read `tool_choice`: a word, or an object that names a tool."""
    if isinstance(said.value("tool_choice"), dict):
        return said.inner("tool_choice").inner("function").text("name")
    return said.text("tool_choice") or "auto"


def read_effort(effort: str, place: str) -> Any:
    """Read how much a model shall think, by OpenAI's words."""
    if effort not in _EFFORTS:
        raise ConfigError(f"{place} must be one of {', '.join(_EFFORTS)}.")
    return _EFFORTS[effort]


def read_image(text: str, place: str) -> Image:
    """Read an image in base64, with or without `data:` before it.

    An address is never fetched: it could be one that only this machine can reach.
    """
    if text.startswith("data:"):
        return Image.from_url(text)
    if text.startswith(("http://", "https://", "file:")):
        raise ConfigError(f"{place} must hold the image itself in base64, not its address.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{place} is not base64.") from None
    if not data:
        raise ConfigError(f"{place} is empty.")
    return Image(data=data, media_type=_media_type(data))


def _media_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "image/png")


class Pairing:
    """Which call a tool's result answers.

    By its id, else by the tool's name, else in order: some clients lose the ids, some never send
    a name, and Home Assistant sends neither.
    """

    def __init__(self) -> None:
        self._waiting: list[ToolCall] = []
        self._made = 0

    def call(self, name: str, arguments: str, call_id: str) -> ToolCall:
        """Take a call of the conversation; one without an id gets one."""
        self._made += not call_id
        call = ToolCall(name=name, arguments=arguments, id=call_id or f"call_{self._made}")
        self._waiting.append(call)
        return call

    def result(self, content: str, call_id: str, name: str) -> Message:
        """Take a result."""
        found = next(
            (call for call in self._waiting if call_id and call.id == call_id),
            next(
                (call for call in self._waiting if name and call.name == name),
                self._waiting[0] if self._waiting and not (call_id or name) else None,
            ),
        )
        if found:
            self._waiting.remove(found)
        return Message(
            role="tool",
            content=content,
            tool_call_id=call_id or (found.id if found else "call_0"),
            tool_name=name or (found.name if found else ""),
        )


def with_images(text: str, images: Sequence[Image]) -> str | tuple[str | Image, ...]:
    """Put a text and its images together."""
    if not images:
        return text
    return (text, *images) if text else tuple(images)


def is_answerable(messages: Sequence[Message]) -> bool:
    """Tell whether a conversation asks for an answer; else Ollama only loads the model."""
    return any(message.role != "system" for message in messages)


def is_plain(said: Asked) -> bool:
    """Tell whether a server reads the same name of a model: Go takes keys in any case."""
    return bool(said.raw) and not any(
        key.casefold() == "model" and key != "model" for key in said.keys
    )


def positive(value: int | None) -> int | None:
    """Read a bound of which zero and less mean that there is none."""
    return value if value is not None and value > 0 else None


def read_options(said: Asked, names: dict[str, str], numbers: frozenset[str]) -> dict[str, Any]:
    """Read sampling options by the names of their wire; `numbers` are those that are not whole."""
    return {
        name: said.number(wire) if name in numbers else said.whole(wire)
        for name, wire in names.items()
        if wire in said
    }


def offered(choice: str, tools: Sequence[Tool]) -> str:
    """Give a choice of tools; if what was to be chosen has been left out, the model is free."""
    names = {tool.name for tool in tools}
    is_possible = choice in names or choice == "none" or (names and choice == "required")
    return choice if is_possible else "auto"


def settled(messages: Sequence[Message]) -> list[Message]:
    """Put a conversation into an order that the templates of all models take.

    Agents speak as the system at any time, and as the user several times in a row. Templates want
    one system prompt, at the beginning (Qwen 3.5), and turns that alternate (Gemma, Mistral).
    """
    turns = next((at for at, each in enumerate(messages) if each.role != "system"), len(messages))
    prompts = [message.text for message in messages[:turns]]
    settled = [Message(role="system", content="\n\n".join(prompts))] if any(prompts) else []
    for message in messages[turns:]:
        if message.role not in ("system", "user"):
            settled.append(message)
        elif settled and settled[-1].role == "user":
            settled[-1] = _said_after(settled[-1], message)
        else:
            settled.append(message.model_copy(update={"role": "user"}))
    return settled


def _said_after(first: Message, second: Message) -> Message:
    if isinstance(first.content, str) and isinstance(second.content, str):
        return Message(role="user", content=f"{first.content}\n\n{second.content}")
    parts = [
        (each.content,) if isinstance(each.content, str) else each.content
        for each in (first, second)
    ]
    return Message(role="user", content=(*parts[0], *parts[1]))
