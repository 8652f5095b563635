"""Ollama's API as its server: calls read into our requests.

Shape of the conversation: as `client.py`, from the other end. What is not known is passed over, as
Ollama does; `stream` is true unless the caller says otherwise; an empty prompt loads the model, and
with `keep_alive: 0` unloads it.
"""

from __future__ import annotations

from typing import Any

from localmix.dialects.asking import Asked, without_absent
from localmix.dialects.ollama import context
from localmix.dialects.ollama.client import OPTIONS
from localmix.dialects.ollama.durations import is_number, read_keep_alive
from localmix.dialects.ollama.writer import (
    ChatWriter,
    GenerateWriter,
    write_error,
)
from localmix.dialects.parts.heard import (
    Pairing,
    is_answerable,
    is_plain,
    positive,
    read_image,
    read_input,
    read_options,
    read_tool_choice,
    read_tools,
    with_images,
)
from localmix.dialects.parts.passing import Verbatim, request_of
from localmix.dialects.serving import Ask, Clock, Failure, Load, Unload, Wanted, Writer
from localmix.errors import ConfigError, UnsupportedFeatureError
from localmix.types import ChatRequest, CompletionRequest, EmbedRequest, Message
from localmix.wire import jsontext

# What is no whole number among the options.
NUMBERS = frozenset(
    {
        *("temperature", "top_p", "min_p", "typical_p"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
    }
)
_ROLES = {"system", "user", "assistant", "tool"}
_LEVELS = ("low", "medium", "high", "max")


class OllamaServer:
    """Ollama's API, as callers speak it."""

    def read(self, path: str, said: Asked) -> Ask:
        """Read a call of `/api/chat`, `/api/generate`, `/api/embed` or `/api/embeddings`."""
        model = said.text("model").strip()
        if not model:
            raise ConfigError("model is required")
        streams = path in ("/api/chat", "/api/generate") and said.flag("stream", absent=True)
        verbatim = Verbatim(path, model, said.raw, streams) if _may_pass(said) else None
        return Ask(path, model, _READERS[path](said, model, verbatim), streams, said)

    def writer(self, ask: Ask, now: Clock) -> Writer:
        """Make the writer of an answer."""
        return ChatWriter(ask, now) if ask.path == "/api/chat" else GenerateWriter(ask, now)

    def write_error(self, failure: Failure) -> bytes:
        """Write an error; clients look for the words `not found`."""
        return write_error(failure)


def _may_pass(said: Asked) -> bool:
    """Pass nothing on in which Ollama would ignore or refuse what we understand."""
    return (
        is_plain(said)
        and read_tool_choice(said) == "auto"
        and not is_number(said.value("keep_alive"))
        and not any(
            str(image).startswith("data:")
            for each in said.each("messages")
            for image in each.values("images")
        )
    )


def _chat(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    messages = _messages(said)
    if not is_answerable(messages):
        return _load(said)
    options = _common(said, model) | {
        "messages": tuple(messages),
        "tools": read_tools(said),
        "tool_choice": read_tool_choice(said),
        "response_format": _format(said),
        "think": _think(said),
    }
    return request_of(ChatRequest, without_absent(options), verbatim)


def _generate(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    """Read a prompt: a chat, or with `raw` or a suffix a text to go on with.

    Such a chat is never passed on: its answer would hold a `context` that only this Ollama knows.
    """
    prompt, images = said.text("prompt"), _images(said)
    if not prompt and not images:
        return _load(said)
    if said.text("template"):
        raise UnsupportedFeatureError(
            "A custom template cannot be used here.", hint="Send raw prompts instead."
        )
    suffix, options = said.text("suffix"), _common(said, model)
    if said.flag("raw") or suffix:
        _refuse_beside_raw(said, is_raw=said.flag("raw"))
        options |= {"prompt": prompt, "suffix": suffix}
        return request_of(CompletionRequest, without_absent(options), verbatim)
    messages = context.unpack(said)
    system = said.text("system")
    if system and not any(message.role == "system" for message in messages):
        messages.insert(0, Message(role="system", content=system))
    messages.append(Message(role="user", content=with_images(prompt, images)))
    options |= {
        "messages": tuple(messages),
        "response_format": _format(said),
        "think": _think(said),
    }
    return request_of(ChatRequest, without_absent(options), None)


def _refuse_beside_raw(said: Asked, *, is_raw: bool) -> None:
    if is_raw and (said.text("system") or "context" in said):
        raise ConfigError("raw mode does not support template, system, or context")
    if said.values("images"):
        raise ConfigError("Images need a chat template: leave out raw and suffix.")
    if _format(said) is not None:
        raise ConfigError("A format needs a chat template: leave out raw and suffix.")


def _embed(said: Asked, model: str, verbatim: Verbatim | None) -> Wanted:
    texts = read_input(said)
    if not any(texts):
        return _load(said)
    options = {
        "texts": texts,
        "model": model,
        "truncate": said.flag("truncate", absent=True),
        "dimensions": positive(said.whole("dimensions")),
        "keep_alive": read_keep_alive(said),
    }
    return request_of(EmbedRequest, without_absent(options), verbatim)


def _embed_one(said: Asked, model: str, _: Verbatim | None) -> Wanted:
    prompt = said.text("prompt")
    if not prompt:
        return _load(said)
    return EmbedRequest(texts=(prompt,), model=model, keep_alive=read_keep_alive(said))


_READERS = {
    "/api/chat": _chat,
    "/api/generate": _generate,
    "/api/embed": _embed,
    "/api/embeddings": _embed_one,
}


def _load(said: Asked) -> Wanted:
    keep_alive = read_keep_alive(said)
    return Unload() if keep_alive == 0 else Load(keep_alive)


def read_parameters(said: Asked) -> dict[str, Any]:
    """Read options as Ollama names them, in a request or in a model's own defaults."""
    return {
        **read_options(said, OPTIONS, NUMBERS),
        "max_tokens": positive(said.whole("num_predict")),
        "stop": said.texts("stop"),
        "num_ctx": positive(said.whole("num_ctx")),
    }


def _common(said: Asked, model: str) -> dict[str, Any]:
    return {
        **read_parameters(said.inner("options")),
        "model": model,
        "keep_alive": read_keep_alive(said),
        "logprobs": said.flag("logprobs"),
        "top_logprobs": said.whole("top_logprobs"),
    }


def _messages(said: Asked) -> list[Message]:
    pairing = Pairing()
    return [_message(entry, pairing) for entry in said.each("messages")]


def _message(entry: Asked, pairing: Pairing) -> Message:
    role: Any = entry.text("role").lower()
    if role not in _ROLES:
        raise entry.wrong("role", "one of system, user, assistant, tool")
    content = entry.text("content")
    if role == "tool":
        return pairing.result(content, entry.text("tool_call_id"), entry.text("tool_name"))
    return Message(
        role=role,
        content=with_images(content, _images(entry)),
        reasoning=entry.text("thinking"),
        tool_calls=tuple(_call(call, pairing) for call in entry.each("tool_calls")),
    )


def _call(entry: Asked, pairing: Pairing) -> Any:
    function = entry.inner("function")
    arguments = jsontext.text(function.mapping("arguments"))
    return pairing.call(function.text("name"), arguments, entry.text("id"))


def _images(entry: Asked) -> list[Any]:
    images = entry.values("images")
    if not all(isinstance(image, str) for image in images):
        raise entry.wrong("images", "a list of base64 texts")
    return [read_image(image, f"images[{at}]") for at, image in enumerate(images)]


def _format(said: Asked) -> Any:
    """Read `format`: `json`, a schema, or nothing."""
    value = said.value("format")
    if value in (None, ""):
        return None
    if value == "json" or isinstance(value, dict):
        return value
    raise said.wrong("format", "`json` or a JSON schema")


def _think(said: Asked) -> Any:
    value = said.value("think")
    if value in (None, ""):
        return None
    if isinstance(value, bool) or value in _LEVELS:
        return value
    raise said.wrong("think", f"true, false or one of {', '.join(_LEVELS)}")
