"""The `context` of `/api/generate`: a conversation that the caller carries along.

Ollama's is a list of tokens, which clients hand back as it is. We have no tokens, but a list of
numbers can hold a conversation as well: packed texts, six bytes to a number, so that nothing has to
be remembered here. It is bounded, since some clients read lines of 128 KiB at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from localmix.dialects.asking import Asked
from localmix.errors import ConfigError, ProtocolError
from localmix.types import Message
from localmix.wire import jsontext

# In every number: small enough for JavaScript, whose numbers are exact up to 2**53.
_BYTES = 6
# The first number tells our lists from tokens, which are far smaller: "locmix" as a number.
_MARK = int.from_bytes(b"locmix")
_MOST_NUMBERS = 4096
# What a packed conversation may unpack to; zlib makes bombs easy.
_MOST_BYTES = 1024 * 1024


def pack(messages: Sequence[Message]) -> list[int]:
    """Pack the texts of a conversation; one that is too long is only marked as such."""
    turns = [[message.role, message.text] for message in messages]
    data = zlib.compress(jsontext.dump(turns))
    if len(data) > _MOST_NUMBERS * _BYTES:
        return [_MARK]
    padded = len(data).to_bytes(_BYTES) + data + b"\0" * (-len(data) % _BYTES)
    numbers = (padded[at : at + _BYTES] for at in range(0, len(padded), _BYTES))
    return [_MARK, *(int.from_bytes(number) for number in numbers)]


def unpack(said: Asked) -> list[Message]:
    """Unpack the conversation in `context`; empty if there is none.

    Raises:
        ConfigError: It is not ours, or the conversation was too long to be packed.
    """
    numbers = said.values("context")
    if not numbers:
        return []
    if any(type(number) is not int or not 0 <= number < 2**48 for number in numbers):
        raise said.wrong("context", "what the last answer returned")
    if numbers[:1] != [_MARK]:
        raise ConfigError("This context is from another server.", hint="Start again without it.")
    if len(numbers) == 1:
        raise ConfigError("The conversation is too long for a context.", hint="Use /api/chat.")
    data = b"".join(number.to_bytes(_BYTES) for number in numbers[1:])
    size, packed = int.from_bytes(data[:_BYTES]), data[_BYTES:]
    return [_message(turn) for turn in _turns(packed[:size])]


def _turns(packed: bytes) -> list[Any]:
    try:
        text = zlib.decompressobj().decompress(packed, _MOST_BYTES)
        turns = jsontext.load(text)
    except (zlib.error, ProtocolError):
        turns = None
    if not isinstance(turns, list):
        raise ConfigError("This context was altered on its way.", hint="Start again without it.")
    return turns


def _message(turn: object) -> Message:
    match turn:
        case ["system" | "user" | "assistant" as role, str(text)]:
            return Message(role=role, content=text)
    raise ConfigError("This context was altered on its way.", hint="Start again without it.")
