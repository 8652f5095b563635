"""Who plays a scenario: the core and both adapters, each in both colours, behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from llamaindex_localmix import LocalMix, LocalMixEmbedding
from localmix import ChatResult, Image, Message, Tool, ToolCall, Usage
from localmix.types.build import chat_request
from localmix.types.fold import fold
from tests.either import Either


class Player(Protocol):
    """Ask for chats and vectors; how is the player's own business."""

    def chat(self, messages: Any, **options: Any) -> ChatResult:
        """Get a whole answer."""
        ...

    def streamed(self, messages: Any, **options: Any) -> ChatResult:
        """Get an answer as a stream, and fold it."""
        ...

    def vectors(self, texts: list[str], **options: Any) -> list[list[float]]:
        """Embed texts."""
        ...

    def end(self) -> None:
        """Close what was opened."""
        ...


class CorePlayer(Either):
    """Play through `Client` or `AsyncClient`; also what only the core can do."""

    def streamed(self, messages: Any, **options: Any) -> ChatResult:
        return fold(self.stream(messages, **options))

    def vectors(self, texts: list[str], **options: Any) -> list[list[float]]:
        return self.embed(texts, **options).vectors


class _AdapterPlayer:
    """Run coroutines of the asynchronous colour in a loop of its own."""

    def __init__(self, colour: str, servers: list[str]) -> None:
        self._runner = asyncio.Runner() if colour == "async" else None
        self._servers = servers
        self._made: dict[Any, Any] = {}

    def end(self) -> None:
        for each in self._made.values():
            each.client.close()
            if self._runner:
                self._runner.run(each.async_client.close())
        if self._runner:
            self._runner.close()

    def _make(self, kind: Callable[..., Any], **options: Any) -> Any:
        """Make one object of a kind for the whole scenario, as the core player does."""
        if kind not in self._made:
            self._made[kind] = kind(servers=self._servers, **options)
        return self._made[kind]

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        assert self._runner
        return self._runner.run(coroutine)


class LangChainPlayer(_AdapterPlayer):
    """Play through `ChatLocalMix` and `LocalMixEmbeddings`."""

    def chat(self, messages: Any, **options: Any) -> ChatResult:
        model, said = self._prepared(messages, options)
        answer = self._wait(model.ainvoke(said)) if self._runner else model.invoke(said)
        return _from_langchain(answer)

    def streamed(self, messages: Any, **options: Any) -> ChatResult:
        model, said = self._prepared(messages, options)
        chunks = self._wait(_all(model.astream(said))) if self._runner else list(model.stream(said))
        merged = chunks[0]
        for chunk in chunks[1:]:
            merged += chunk
        return _from_langchain(merged)

    def vectors(self, texts: list[str], **options: Any) -> list[list[float]]:
        embeddings = self._make(LocalMixEmbeddings, **options)
        if self._runner:
            vectors = self._wait(embeddings.aembed_documents(texts))
        else:
            vectors = embeddings.embed_documents(texts)
        return list(vectors)

    def _prepared(self, messages: Any, options: dict[str, Any]) -> tuple[Any, list[BaseMessage]]:
        said = [_to_langchain(message) for message in chat_request(messages, {}).messages]
        model = self._make(ChatLocalMix, model=options.pop("model"))
        if "think" in options:
            options["reasoning"] = options.pop("think")
        if tools := options.pop("tools", None):
            return model.bind_tools([_openai_tool(tool) for tool in tools], **options), said
        return model.bind(**options), said


class LlamaIndexPlayer(_AdapterPlayer):
    """Play through `LocalMix` and `LocalMixEmbedding`."""

    def chat(self, messages: Any, **options: Any) -> ChatResult:
        llm, said = self._prepared(messages, options)
        if self._runner:
            return _from_llamaindex(self._wait(llm.achat(said, **options)))
        return _from_llamaindex(llm.chat(said, **options))

    def streamed(self, messages: Any, **options: Any) -> ChatResult:
        llm, said = self._prepared(messages, options)

        async def steps() -> list[ChatResponse]:
            return await _all(await llm.astream_chat(said, **options))

        if self._runner:
            return _from_llamaindex(self._wait(steps())[-1])
        return _from_llamaindex(list(llm.stream_chat(said, **options))[-1])

    def vectors(self, texts: list[str], **options: Any) -> list[list[float]]:
        model = self._make(LocalMixEmbedding, **options)
        if self._runner:
            return list(self._wait(model.aget_text_embedding_batch(texts)))
        return list(model.get_text_embedding_batch(texts))

    def _prepared(self, messages: Any, options: dict[str, Any]) -> tuple[Any, list[ChatMessage]]:
        said = [_to_llamaindex(message) for message in chat_request(messages, {}).messages]
        return self._make(LocalMix, model=options.pop("model")), said


PLAYERS: dict[str, Callable[[str, list[str]], Player]] = {
    "core": CorePlayer,
    "langchain": LangChainPlayer,
    "llamaindex": LlamaIndexPlayer,
}


async def _all(steps: Any) -> list[Any]:
    return [step async for step in steps]


def _openai_tool(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "function": tool.model_dump()}


def _to_langchain(message: Message) -> BaseMessage:
    content: Any = message.text
    if message.images:
        content = [_langchain_block(part) for part in message.content]
    if message.role == "system":
        return SystemMessage(content)
    if message.role == "user":
        return HumanMessage(content)
    if message.role == "tool":
        name = message.tool_name or None
        return ToolMessage(content, tool_call_id=message.tool_call_id, name=name)
    calls = [
        {"type": "tool_call", "id": call.id, "name": call.name, "args": call.parsed()}
        for call in message.tool_calls
    ]
    kwargs = {"reasoning_content": message.reasoning} if message.reasoning else {}
    return AIMessage(content, tool_calls=calls, additional_kwargs=kwargs)


def _langchain_block(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image", "base64": part.base64, "mime_type": part.media_type}


def _from_langchain(message: AIMessage) -> ChatResult:
    usage = message.usage_metadata
    about = message.response_metadata
    return ChatResult(
        content=message.text,
        reasoning=message.additional_kwargs.get("reasoning_content", ""),
        tool_calls=tuple(
            ToolCall(id=call["id"] or "", name=call["name"], arguments=_text(call["args"]))
            for call in message.tool_calls
        ),
        finish_reason=about["finish_reason"],
        model=about["model_name"],
        usage=Usage(usage["input_tokens"], usage["output_tokens"]) if usage else None,
    )


def _to_llamaindex(message: Message) -> ChatMessage:
    blocks: list[Any] = []
    if message.reasoning:
        blocks.append(ThinkingBlock(content=message.reasoning))
    parts = (message.content,) if isinstance(message.content, str) else message.content
    for part in parts:
        if isinstance(part, str):
            blocks.append(TextBlock(text=part))
        else:
            blocks.append(ImageBlock(image=part.data, image_mimetype=part.media_type))
    blocks += [
        ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)
        for call in message.tool_calls
    ]
    kwargs = {"tool_call_id": message.tool_call_id} if message.tool_call_id else {}
    return ChatMessage(role=message.role, blocks=blocks, additional_kwargs=kwargs)


def _from_llamaindex(response: ChatResponse) -> ChatResult:
    blocks = response.message.blocks
    raw = response.raw or {}
    usage = raw.get("usage")
    return ChatResult(
        content=response.message.content or "",
        reasoning="".join(b.content or "" for b in blocks if isinstance(b, ThinkingBlock)),
        tool_calls=tuple(
            ToolCall(id=b.tool_call_id or "", name=b.tool_name, arguments=str(b.tool_kwargs))
            for b in blocks
            if isinstance(b, ToolCallBlock)
        ),
        finish_reason=raw.get("finish_reason"),
        model=raw.get("model", ""),
        usage=Usage(usage["prompt_tokens"], usage["completion_tokens"]) if usage else None,
    )


def _text(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
