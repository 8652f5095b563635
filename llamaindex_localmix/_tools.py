"""Tools and calls: LlamaIndex's to ours and back; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import BaseModel

from localmix import Tool, ToolCall
from localmix.types.find_json import partial_json
from localmix.types.tools import to_tool
from localmix.wire import jsontext


def definition_of(tool: BaseTool) -> dict[str, Any]:
    """Write a tool as OpenAI does, with its schema as it stands.

    The name is not touched: agents look for the tool under the name that comes back.
    """
    function = {
        "name": tool.metadata.get_name(),
        "description": tool.metadata.description or "",
        "parameters": tool.metadata.get_parameters_dict(),
    }
    return {"type": "function", "function": function}


def to_tools(tools: Sequence[BaseTool | Tool | Mapping[str, Any]] | None) -> list[Tool]:
    """Read tools: LlamaIndex's own, or definitions as OpenAI writes them.

    Raises:
        ConfigError: One of them is neither.
    """
    return [
        to_tool(definition_of(tool) if isinstance(tool, BaseTool) else tool) for tool in tools or ()
    ]


def calls_in(message: ChatMessage) -> list[ToolCallBlock]:
    """List the calls of a message, which may stand in blocks, in the plain list, or in both."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    known = {block.tool_call_id for block in blocks}
    plain = [_from_plain(call) for call in message.additional_kwargs.get("tool_calls") or ()]
    if not blocks:
        return plain
    return blocks + [call for call in plain if call.tool_call_id and call.tool_call_id not in known]


def arguments_of(call: ToolCallBlock) -> dict[str, Any]:
    """Read the arguments of a call, also while they are still being written."""
    said = call.tool_kwargs
    if not isinstance(said, str):
        return said
    arguments = partial_json(said)
    return arguments if isinstance(arguments, dict) else {}


def to_tool_call(call: ToolCallBlock) -> ToolCall:
    """Read a call of an earlier turn.

    Arguments that were cut are sent back as they were understood: servers refuse broken JSON, and
    the tool was called with what had been understood.
    """
    return ToolCall(
        id=call.tool_call_id or "",
        name=call.tool_name,
        arguments=jsontext.text(arguments_of(call)),
    )


def to_selection(call: ToolCallBlock, place: int) -> ToolSelection:
    """Say a call as agents want it: with arguments that are read, and an id of its own."""
    return ToolSelection(
        tool_id=call.tool_call_id or f"call_{place}",
        tool_name=call.tool_name,
        tool_kwargs=arguments_of(call),
    )


def from_tool_call(call: ToolCall) -> ToolCallBlock:
    """Write a call as a block."""
    return ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)


def to_plain(call: ToolCall) -> dict[str, Any]:
    """Write a call as OpenAI does; plain JSON, since agents serialize their history."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _from_plain(call: Any) -> ToolCallBlock:
    """Read a call as other integrations leave it: a dictionary, or an object of their SDK."""
    wire = call.model_dump() if isinstance(call, BaseModel) else call
    function = wire.get("function", wire)
    return ToolCallBlock(
        tool_call_id=wire.get("id"),
        tool_name=function.get("name") or "",
        tool_kwargs=function.get("arguments") or {},
    )
