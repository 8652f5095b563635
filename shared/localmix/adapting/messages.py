"""Put system messages where chat templates take them.

Strict templates, such as LM Studio's models bring along, refuse a second system message and one
that does not come first (bug-tracker 96, 1586, 2219). Frameworks write both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Literal

from localmix.types import Image, Message

_GAP = "\n\n"


def settled(
    messages: Sequence[Message], late_system: Literal["user", "system"] = "user"
) -> list[Message]:
    """Join the system messages at the head, and give later ones the role of `late_system`."""
    head = list(takewhile(lambda message: message.role == "system", messages))
    rest = [
        message.model_copy(update={"role": late_system}) if message.role == "system" else message
        for message in messages[len(head) :]
    ]
    return [*([_joined(head)] if head else []), *rest]


def _joined(messages: Sequence[Message]) -> Message:
    if len(messages) == 1:
        return messages[0]
    parts: list[str | Image] = []
    for message in messages:
        parts += [_GAP] if parts else []
        parts += _parts(message)
    if any(isinstance(part, Image) for part in parts):
        return Message(role="system", content=tuple(parts))
    return Message(role="system", content="".join(map(str, parts)))


def _parts(message: Message) -> Iterable[str | Image]:
    return (message.content,) if isinstance(message.content, str) else message.content
