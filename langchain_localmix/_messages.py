"""LangChain's messages taken apart; no I/O.

Histories come from anywhere: from other providers' models, from agents, from version 1 of the
message format and from before. What a model said beside its text stands in other fields or was for
people, and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_localmix._blocks import kind_of, listed, text_of, to_blocks, word
from localmix import Message, ToolCall
from localmix.adapting import messages as adapting
from localmix.adapting.blocks import USUAL, Policy
from localmix.adapting.messages import Said
from localmix.wire import jsontext

# Chunks are messages too, whatever they call their type.
_ROLES: tuple[tuple[type[BaseMessage], str], ...] = (
    (HumanMessage, "user"),
    (AIMessage, "assistant"),
    (SystemMessage, "system"),
    (ToolMessage, "tool"),
    (FunctionMessage, "tool"),
)
_THOUGHTS = {"reasoning": "reasoning", "thinking": "thinking"}  # where each kind of block has it
_CALLS = {"tool_use": "input", "tool_call": "args"}
_RESULT = "tool_result"

Blocks = Sequence[str | Mapping[str, Any]]


def to_messages(messages: Sequence[BaseMessage], policy: Policy = USUAL) -> list[Message]:
    """Read LangChain's messages.

    Raises:
        ConfigError: A message holds what no local server takes.
    """
    return adapting.to_messages((said for each in messages for said in _said(each)), policy)


def _said(message: BaseMessage) -> Iterator[Said]:
    blocks: Any = [message.content] if isinstance(message.content, str) else message.content
    role = message.role if isinstance(message, ChatMessage) else _role_of(type(message))
    if role == "assistant":
        yield _from_model(message, blocks)
    elif role == "tool":
        yield _from_tool(message, blocks)
    else:
        yield from _from_person(role or message.type, message.name or "", blocks)


@cache
def _role_of(kind: type[BaseMessage]) -> str:
    return next((role for known, role in _ROLES if issubclass(kind, known)), "")


def _from_tool(message: BaseMessage, blocks: Blocks) -> Said:
    name = message.name or ""
    if not isinstance(message, ToolMessage):
        return Said("tool", to_blocks(blocks), call_id=name, name=name)  # calls had no ids then
    failed = message.status == "error"
    return Said("tool", to_blocks(blocks), call_id=message.tool_call_id, name=name, failed=failed)


def _from_model(message: BaseMessage, blocks: Blocks) -> Said:
    thoughts = message.additional_kwargs.get("reasoning_content") or "".join(
        word(block, _THOUGHTS[kind_of(block)]) for block in _of_types(blocks, _THOUGHTS)
    )
    return Said(
        "assistant",
        [text_of(block) or "" for block in blocks],
        reasoning=str(thoughts),
        calls=_calls(message, blocks),
        name=message.name or "",
    )


def _calls(message: BaseMessage, blocks: Blocks) -> list[ToolCall]:
    """Read the calls; broken ones are left out, for no server takes them back."""
    calls: Sequence[Any] = message.tool_calls if isinstance(message, AIMessage) else ()
    if not calls:
        calls = [
            {**block, "args": block.get(_CALLS[kind_of(block)])}
            for block in _of_types(blocks, _CALLS)
        ]
    return [
        ToolCall(
            id=word(call, "id"), name=call["name"], arguments=jsontext.text(call["args"] or {})
        )
        for call in calls
        if word(call, "name")
    ]


def _from_person(role: str, name: str, blocks: Blocks) -> Iterator[Said]:
    """Take the results apart that Anthropic has in the user's message."""
    results = _of_types(blocks, [_RESULT])
    for block in results:
        content = to_blocks(listed(block.get("content")))
        failed = bool(block.get("is_error"))
        yield Said("tool", content, call_id=word(block, "tool_use_id"), failed=failed)
    rest = [block for block in blocks if kind_of(block) != _RESULT]
    if rest or not results:
        yield Said(role, to_blocks(rest), name=name)


def _of_types(blocks: Blocks, kinds: Iterable[str]) -> list[Mapping[str, Any]]:
    return [block for block in blocks if not isinstance(block, str) and kind_of(block) in kinds]
