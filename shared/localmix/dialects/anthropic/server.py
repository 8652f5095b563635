"""Anthropic's API of messages as its server: calls read into our requests.

Shape of the conversation: `POST /v1/messages` takes the system prompt beside the messages, whose
content is a list of blocks; results of tools are blocks of the user's next message. It answers with
one object, or with events named by their type. What is not known is passed over. Tools that
Anthropic itself runs are left out: nobody here can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmix.dialects.anthropic.writer import MessagesWriter, write_error
from localmix.dialects.asking import Asked
from localmix.dialects.parts.conversation import ask_of
from localmix.dialects.parts.counting import Yardstick
from localmix.dialects.parts.heard import Pairing, is_plain, offered, read_options
from localmix.dialects.serving import Ask, Clock, Failure, Writer
from localmix.errors import ConfigError
from localmix.types import Image, Message, Tool
from localmix.types.requests import lines
from localmix.wire import jsontext

_NUMBERS = frozenset({"temperature", "top_p"})
_OPTIONS = {name: name for name in ("temperature", "top_p", "top_k", "max_tokens")}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_THINKING: dict[str, bool | None] = {"": None, "enabled": True, "adaptive": None, "disabled": False}
# Quirk (Claude Code 2.1): the first block of the system prompt differs in every request, which
# would have the server read the whole prompt anew each time.
_BILLING = "x-anthropic-billing-header:"
# Blocks of what Anthropic's own tools have done, and what nobody else can read.
_FOREIGN = (
    *("redacted_thinking", "server_tool_use", "mcp_tool_use", "mcp_tool_result"),
    *("compaction", "container_upload"),
)


class AnthropicServer:
    """Anthropic's API, as callers speak it; how many tokens letters make is learned on the way."""

    def __init__(self) -> None:
        self.yardstick = Yardstick()

    def read(self, path: str, said: Asked) -> Ask:
        """Read a call of `/v1/messages` or `/v1/messages/count_tokens`."""
        model = said.text("model").strip()
        if not model:
            raise ConfigError("model: Field required")
        if not said.each("messages"):
            raise ConfigError("messages: at least one message is required")
        messages, options = _messages(said), _options(said, model)
        return ask_of(path, model, said, messages, options, may_pass=_may_pass(said))

    def writer(self, ask: Ask, now: Clock) -> Writer:
        """Make the writer of an answer."""
        return MessagesWriter(ask, self.yardstick)

    def write_error(self, failure: Failure) -> bytes:
        """Write an error object."""
        return write_error(failure)


def _may_pass(said: Asked) -> bool:
    """Pass nothing on of which a server is known to drop a part that we translate.

    Quirk (ollama 0.14 to 0.32): `tool_choice` and forms of the answer are ignored, and so is any
    word about thinking but `enabled`; `max_tokens` is wanted.
    """
    thinking = said.inner("thinking").text("type")
    return (
        is_plain(said)
        and bool(said.whole("max_tokens"))
        and thinking in ("", "enabled")
        and not any(key in said for key in ("tool_choice", "output_config", "output_format"))
        and all(tool.text("type") in ("", "custom") for tool in said.each("tools"))
        and not any(_is_billing(block) for block in _blocks(said, "system"))
        and all(
            _is_common(block)
            for each in said.each("messages")
            for block in _blocks(each, "content")
        )
    )


def _is_common(block: Asked) -> bool:
    """Tell whether every server knows a block; a result may hold texts alone."""
    if block.text("type") != "tool_result":
        return block.text("type") in ("text", "image", "thinking", "tool_use")
    inner = _blocks(block, "content")
    return not block.flag("is_error") and all(each.text("type") == "text" for each in inner)


def _is_billing(block: Asked) -> bool:
    return block.text("text").startswith(_BILLING)


def _options(said: Asked, model: str) -> dict[str, Any]:
    choice, output = said.inner("tool_choice"), said.inner("output_config")
    tools = [tool for entry in said.each("tools") if (tool := _tool(entry))]
    return {
        **read_options(said, _OPTIONS, _NUMBERS),
        "model": model,
        "stop": said.texts("stop_sequences"),
        "tools": tools,
        "tool_choice": offered(_tool_choice(choice), tools),
        "parallel_tool_calls": False if choice.flag("disable_parallel_tool_use") else None,
        "response_format": _format(output.inner("format")) or _format(said.inner("output_format")),
        "think": _think(said.inner("thinking"), output.text("effort")),
    }


def _tool(entry: Asked) -> Tool | None:
    if entry.text("type") not in ("", "custom"):
        return None
    name, schema = entry.text("name"), entry.mapping("input_schema")
    if not name:
        raise entry.wrong("name", "the name of a tool")
    description = entry.text("description")
    if not schema:
        return Tool(name=name, description=description)
    return Tool(name=name, description=description, parameters=schema)


def _tool_choice(choice: Asked) -> str:
    kind = choice.text("type") or "auto"
    if kind == "tool":
        return choice.text("name")
    if kind not in _CHOICES:
        raise choice.wrong("type", "`auto`, `any`, `tool` or `none`")
    return _CHOICES[kind]


def _format(form: Asked) -> dict[str, Any] | None:
    return form.mapping("schema") or None


def _think(thinking: Asked, effort: str) -> Any:
    """Read whether the model shall think; how much is told by the effort alone."""
    kind = thinking.text("type")
    if kind not in _THINKING:
        raise thinking.wrong("type", "`enabled`, `adaptive` or `disabled`")
    if effort and kind in ("enabled", "adaptive"):
        return effort
    return _THINKING[kind]


def _messages(said: Asked) -> list[Message]:
    blocks = _blocks(said, "system")
    system = [block.text("text") for block in blocks if not _is_billing(block)]
    messages = [Message(role="system", content=lines(system))] if any(system) else []
    pairing = Pairing()
    for entry in said.each("messages"):
        messages += _turn(entry, pairing)
    return messages


def _turn(entry: Asked, pairing: Pairing) -> list[Message]:
    """Read a message; the results in one of the user's come before what else it says."""
    role: Any = entry.text("role")
    if role == "assistant":
        return [_assistant(entry, pairing)]
    if role not in ("user", "system"):
        raise entry.wrong("role", "`user` or `assistant`")
    results: list[Message] = []
    parts: list[str | Image] = []
    for block in _blocks(entry, "content"):
        if block.text("type") == "tool_result":
            inner = [_part(each) for each in _blocks(block, "content")]
            results.append(_result(block, inner, pairing))
            # Servers take texts alone as a tool's result.
            parts += [part for part in inner if isinstance(part, Image)]
        else:
            parts.append(_part(block))
    if results and not parts:
        return results
    return [*results, Message(role=role, content=_content(parts))]


def _result(block: Asked, parts: Sequence[str | Image], pairing: Pairing) -> Message:
    text = lines(part for part in parts if isinstance(part, str))
    if block.flag("is_error"):
        text = f"Error: {text}"
    return pairing.result(text, block.text("tool_use_id"), "")


def _assistant(entry: Asked, pairing: Pairing) -> Message:
    texts: list[str] = []
    thoughts: list[str] = []
    calls = []
    for block in _blocks(entry, "content"):
        match block.text("type"):
            case "text":
                texts.append(block.text("text"))
            case "thinking":
                thoughts.append(block.text("thinking"))
            case "tool_use":
                arguments = jsontext.text(block.mapping("input"))
                calls.append(pairing.call(block.text("name"), arguments, block.text("id")))
            case kind if kind not in _FOREIGN and not kind.endswith("_tool_result"):
                raise block.wrong("type", "`text`, `thinking` or `tool_use`")
    return Message(
        role="assistant",
        content=lines(texts),
        reasoning=lines(thoughts),
        tool_calls=tuple(calls),
    )


def _part(block: Asked) -> str | Image:
    kind, source = block.text("type"), block.inner("source")
    if kind == "text":
        return block.text("text")
    if kind == "document" and source.text("type") == "text":
        return lines([block.text("title"), source.text("data")])
    if kind != "image":
        raise block.wrong("type", "`text`, `image`, or a `document` of text")
    if source.text("type") != "base64":
        raise source.wrong("type", "`base64`: images are not fetched")
    return Image.from_base64(source.text("data"), source.text("media_type") or "image/png")


def _content(parts: Sequence[str | Image]) -> str | tuple[str | Image, ...]:
    texts = [part for part in parts if isinstance(part, str)]
    return lines(texts) if len(texts) == len(parts) else tuple(parts)


def _blocks(entry: Asked, key: str) -> list[Asked]:
    """Read blocks; a text alone is one."""
    if isinstance(entry.value(key), str):
        return [Asked({"type": "text", "text": entry.text(key)})]
    return entry.each(key)
