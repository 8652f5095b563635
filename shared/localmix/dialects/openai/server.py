"""The API of OpenAI as its server: calls read into our requests.

Shape of the conversation: as `client.py`, from the other end. `stream` is false unless the caller
says otherwise. What is not known is passed over; what would change the answer (`n`, `echo`, tokens
instead of texts) is refused.
"""

from __future__ import annotations

import json
from typing import Any

from localmix.dialects.asking import Asked, without_absent
from localmix.dialects.openai.client import OpenAIDialect
from localmix.dialects.openai.writer import (
    ChatWriter,
    CompletionWriter,
    write_error,
)
from localmix.dialects.parts.heard import (
    Pairing,
    is_plain,
    positive,
    read_effort,
    read_image,
    read_input,
    read_options,
    read_tool_choice,
    read_tools,
)
from localmix.dialects.parts.passing import Verbatim, request_of
from localmix.dialects.serving import Ask, Clock, Failure, Wanted, Writer
from localmix.errors import ConfigError
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    Image,
    Message,
    ToolCall,
)

_NUMBERS = frozenset(
    {
        *("temperature", "top_p", "min_p", "typical_p"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
    }
)
_SAMPLING = {
    name: wire
    for name, wire in OpenAIDialect.options.items()
    if name not in ("max_tokens", "logit_bias", "logprobs", "top_logprobs")
}
# Of these some servers know only one spelling, or none (docs/servers.md).
_TRANSLATED = (
    *("max_completion_tokens", "tool_choice", "response_format"),
    *("reasoning_effort", "reasoning", "chat_template_kwargs", "suffix", "dimensions"),
)
_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class OpenAIServer:
    """OpenAI's API, as callers speak it."""

    def read(self, path: str, said: Asked) -> Ask:
        """Read a call of `chat/completions`, `completions` or `embeddings`."""
        model = said.text("model").strip()
        if not model:
            raise ConfigError("model is required")
        if (said.whole("n") or 1) > 1 or (said.whole("best_of") or 1) > 1:
            raise ConfigError("Each request gets one answer: n and best_of must be 1.")
        endpoint = path.removeprefix("/v1").removeprefix("/api/v0")
        streams = endpoint != "/embeddings" and said.flag("stream")
        verbatim = Verbatim(path, model, said.raw, streams) if _may_pass(said) else None
        return Ask(path, model, _READERS[endpoint](said, model, verbatim), streams, said)

    def writer(self, ask: Ask, now: Clock) -> Writer:
        """Make the writer of an answer."""
        is_chat = ask.path.endswith("/chat/completions")
        return ChatWriter(ask, now) if is_chat else CompletionWriter(ask, now)

    def write_error(self, failure: Failure) -> bytes:
        """Write an error object."""
        return write_error(failure)


def _may_pass(said: Asked) -> bool:
    """Pass nothing on that says what many servers do not understand, and we translate."""
    return (
        is_plain(said)
        and not any(key in said for key in _TRANSLATED)
        and said.text("encoding_format") != "base64"
        and not any(each.text("role") == "developer" for each in said.each("messages"))
    )


def _chat(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    entries = said.each("messages")
    if not entries:
        raise ConfigError("[] is too short - 'messages'")
    pairing = Pairing()
    options = _common(said, model) | {
        "messages": tuple(_message(each, pairing) for each in entries),
        "tools": read_tools(said),
        "tool_choice": read_tool_choice(said),
        "response_format": _format(said),
        "think": _think(said),
        "logprobs": said.flag("logprobs"),
        "top_logprobs": said.whole("top_logprobs"),
    }
    return request_of(ChatRequest, without_absent(options), verbatim)


def _complete(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    if said.flag("echo"):
        raise ConfigError("The prompt cannot be returned with the answer (echo).")
    prompts = said.texts("prompt")
    if len(prompts) != 1 or not prompts[0]:
        raise ConfigError("prompt must be one text, and not empty.")
    tokens = said.whole("logprobs")
    options = _common(said, model) | {
        "prompt": prompts[0],
        "suffix": said.text("suffix"),
        "logprobs": tokens is not None,
        "top_logprobs": tokens,
    }
    return request_of(CompletionRequest, without_absent(options), verbatim)


def _embed(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    texts = read_input(said)
    if not texts:
        raise ConfigError("invalid input")
    if said.text("encoding_format") not in ("", "float", "base64"):
        raise said.wrong("encoding_format", "`float` or `base64`")
    options = {"texts": texts, "model": model, "dimensions": positive(said.whole("dimensions"))}
    return request_of(EmbedRequest, without_absent(options), verbatim)


_READERS = {"/chat/completions": _chat, "/completions": _complete, "/embeddings": _embed}


def _common(said: Asked, model: str) -> dict[str, Any]:
    most = said.whole("max_completion_tokens") or said.whole("max_tokens")
    biases = said.inner("logit_bias")
    return {
        **read_options(said, _SAMPLING, _NUMBERS),
        "model": model,
        "max_tokens": positive(most),
        "stop": said.texts("stop"),
        "logit_bias": {key: biases.number(key) for key in said.mapping("logit_bias")} or None,
    }


def _message(entry: Asked, pairing: Pairing) -> Message:
    role: Any = _ROLES.get(entry.text("role"))
    if role is None:
        raise entry.wrong("role", f"one of {', '.join(_ROLES)}")
    content = _content(entry)
    if role == "tool":
        text = content if isinstance(content, str) else "".join(map(str, content))
        return pairing.result(text, entry.text("tool_call_id"), entry.text("name"))
    return Message(
        role=role,
        content=content,
        reasoning=entry.text("reasoning_content") or entry.text("reasoning"),
        tool_calls=tuple(_call(call, pairing) for call in entry.each("tool_calls")),
    )


def _content(entry: Asked) -> str | tuple[str | Image, ...]:
    if not isinstance(entry.value("content"), list):
        return entry.text("content")
    parts = [_part(part) for part in entry.each("content")]
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    return tuple(parts)


def _part(part: Asked) -> str | Image:
    kind = part.text("type")
    if kind in ("text", "input_text", "refusal"):
        return part.text("refusal") if kind == "refusal" else part.text("text")
    if kind != "image_url":
        raise part.wrong("type", "`text` or `image_url`")
    if isinstance(part.value("image_url"), str):
        return read_image(part.text("image_url"), "image_url")
    return read_image(part.inner("image_url").text("url"), "image_url.url")


def _call(entry: Asked, pairing: Pairing) -> ToolCall:
    function = entry.inner("function")
    arguments = function.text("arguments") or "{}"
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise function.wrong("arguments", "the text of a JSON object")
    return pairing.call(function.text("name"), arguments, entry.text("id"))


def _format(said: Asked) -> Any:
    """Read `response_format`: any object, a schema, or nothing."""
    wanted = said.inner("response_format")
    kind = wanted.text("type")
    if kind == "json_object":
        return "json"
    if kind == "json_schema":
        return wanted.inner("json_schema").mapping("schema") or "json"
    if kind in ("", "text"):
        return None
    raise wanted.wrong("type", "`text`, `json_object` or `json_schema`")


def _think(said: Asked) -> Any:
    effort = said.text("reasoning_effort") or said.inner("reasoning").text("effort")
    if effort:
        return read_effort(effort, "reasoning_effort")
    template = said.inner("chat_template_kwargs")
    return template.flag("enable_thinking") if "enable_thinking" in template else None
