"""Conversations of any framework, made into what servers take.

An adapter takes its framework's messages apart (`Said`); what becomes of them is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from localmix.adapting.blocks import USUAL, Block, Content, Late, Policy, content_of
from localmix.errors import ConfigError
from localmix.types import Message, Role, ToolCall

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_GAP = "\n\n"


class Said(NamedTuple):
    """A message taken apart.

    Attributes:
        role: Who says it, in any word that is known for it.
        blocks: What is said.
        reasoning: What a model thought before it.
        calls: The tools it calls.
        call_id: The call that a tool's result answers; the first open one where it is empty.
        name: The tool that a result comes from, or who of several speaks.
        failed: Whether the tool failed.
    """

    role: str
    blocks: Sequence[Block] = ()
    reasoning: str = ""
    calls: Sequence[ToolCall] = ()
    call_id: str = ""
    name: str = ""
    failed: bool = False


def to_messages(conversation: Iterable[Said], policy: Policy = USUAL) -> list[Message]:
    """Make a conversation into messages that every server takes.

    Raises:
        ConfigError: A message cannot be sent.
    """
    open_calls: list[ToolCall] = []  # for results that do not name the call that they answer
    messages = []
    for said in conversation:
        calls = _with_ids(said.calls) if said.calls else []
        open_calls += calls
        messages.append(_to_message(said, calls, open_calls, policy))
    return settled(messages, policy.late_system)


def settled(messages: Sequence[Message], late_system: Late = "user") -> list[Message]:
    """Join the system messages at the head, and give later ones the role of `late_system`.

    Strict templates, such as LM Studio's models bring along, refuse a second system message and one
    that does not come first (bug-tracker 96, 1586, 2219; vllm 41114). Frameworks write both.
    """
    head = list(takewhile(lambda message: message.role == "system", messages))
    rest = [
        message.model_copy(update={"role": late_system}) if message.role == "system" else message
        for message in messages[len(head) :]
    ]
    return [*([_joined(head)] if head else []), *rest]


def _to_message(
    said: Said, calls: list[ToolCall], open_calls: list[ToolCall], policy: Policy
) -> Message:
    role = _ROLES.get(said.role)
    if role is None:
        raise ConfigError(
            f"A message with the role {said.role!r} cannot be sent to a model.",
            hint=f"The roles are {', '.join(_ROLES)}.",
        )
    # What a model said goes on from block to block; others put things next to each other.
    content = content_of(said.blocks, policy, is_one_text=role == "assistant")
    if role != "tool":
        return Message(
            role=role,
            content=content,
            reasoning=said.reasoning,
            tool_calls=tuple(calls) if role == "assistant" else (),
            name=said.name,
        )
    return Message(
        role="tool",
        content=_as_failure(content) if said.failed else content,
        tool_call_id=_answered(said.call_id, open_calls),
        tool_name=said.name,
    )


def _with_ids(calls: Sequence[ToolCall]) -> list[ToolCall]:
    return [
        call if call.id else call.model_copy(update={"id": f"call_{place}"})
        for place, call in enumerate(calls)
    ]


def _answered(named: str, open_calls: list[ToolCall]) -> str:
    """Find the call that a result answers: the one it names, else the first without a result."""
    for place, call in enumerate(open_calls):
        if named in ("", call.id):
            return open_calls.pop(place).id
    return named


def _as_failure(content: Content) -> Content:
    """Tell the model, which sees nothing of a status, that a tool failed."""
    parts = _parts(content)
    first = parts[0] if parts else ""
    if isinstance(first, str) and first.lstrip().casefold().startswith("error"):
        return content
    return f"Error: {content}" if isinstance(content, str) else ("Error: ", *parts)


def _joined(messages: Sequence[Message]) -> Message:
    """Make system messages one, with an empty line between them."""
    if len(messages) == 1:
        return messages[0]
    if not any(message.images for message in messages):
        return Message(role="system", content=_GAP.join(message.text for message in messages))
    parts = [part for message in messages for part in (_GAP, *_parts(message.content))]
    return Message(role="system", content=tuple(parts[1:]))


def _parts(content: Content) -> Content:
    return (content,) if isinstance(content, str) else content
