"""Tokens counted by llama.cpp: it writes a prompt by the model's template, and takes it apart."""

from __future__ import annotations

from typing import Any

from localmix.dialects import failures
from localmix.dialects.dialect import Target
from localmix.dialects.openai.client import prompt_fields
from localmix.dialects.reading import Record
from localmix.types import ChatRequest
from localmix.wire.flows import Flow, send

# Seconds for each of the two questions: nothing is computed but text.
_SOON = 5.0


def count_tokens(target: Target, request: ChatRequest) -> Flow[int]:
    """Count the tokens of a prompt, with its tools and what the template adds; without images.

    Raises:
        LocalMixError: The server has no such endpoints, or does not answer.
    """
    written = yield from _asked(target, "/apply-template", "prompt", prompt_fields(request))
    said = {"content": written.text("prompt"), "add_special": True, "parse_special": True}
    return len((yield from _asked(target, "/tokenize", "tokens", said)).values("tokens"))


def _asked(target: Target, path: str, wanted: str, said: dict[str, Any]) -> Flow[Record]:
    endpoint = target.endpoint.within(_SOON)
    reply = failures.checked((yield from send(endpoint.post(path, said))), target.url)
    if not reply.value(wanted):  # no prompt is nothing
        raise reply.wrong(wanted, "what was asked for")
    return reply
