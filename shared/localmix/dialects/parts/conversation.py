"""An agent's conversation, made into a call: Anthropic's API and that of responses share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localmix.dialects.asking import Asked, without_absent
from localmix.dialects.parts.heard import settled
from localmix.dialects.parts.passing import Verbatim, request_of
from localmix.dialects.serving import Ask
from localmix.types import ChatRequest, Message


def ask_of(
    path: str,
    model: str,
    said: Asked,
    messages: Sequence[Message],
    options: Mapping[str, Any],
    *,
    may_pass: bool,
) -> Ask:
    """Make a call of what was read of it; one that had to be put in order is not passed on.

    Raises:
        ConfigError: A value is wrong.
    """
    is_streamed, orderly = said.flag("stream"), settled(messages)
    passes = may_pass and orderly == messages
    verbatim = Verbatim(path, model, said.raw, is_streamed) if passes else None
    fields = without_absent(options) | {"messages": tuple(orderly)}
    wanted = request_of(ChatRequest, fields, verbatim)
    return Ask(path, model, wanted, is_streamed, said, frozenset({"think"}))
