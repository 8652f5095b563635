"""Answers in Ollama's shape.

Rules that clients hold us to: one object, one line, in ASCII; every object has `model`,
`created_at` and `done`; the last one alone has `done: true`, a reason and all six metrics, each
above zero, since clients divide by them; the arguments of a tool call are an object, in one piece.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from localmix.dialects.ollama import context
from localmix.dialects.parts.counting import counted
from localmix.dialects.parts.passing import PassedDelta
from localmix.dialects.serving import Ask, Clock, Failure
from localmix.errors import ConfigError
from localmix.types import (
    ChatRequest,
    ChatResult,
    Delta,
    EmbedResult,
    Message,
    Timings,
    TokenLogprob,
    ToolCall,
)
from localmix.types.fold import Fold, unfold
from localmix.wire import jsontext


class _Lines(ABC):
    """What the writers of both endpoints have in common."""

    content_type = "application/x-ndjson"

    def __init__(self, ask: Ask, now: Clock) -> None:
        self._ask = ask
        self._now = now
        self._began = now()
        self._spoke: datetime | None = None
        self._fold = Fold()

    def beat(self) -> bytes:
        """Write an empty piece."""
        return self._line(self._piece("", ""), is_done=False)

    def feed(self, delta: Delta) -> bytes:
        """Write what a delta says; a tool call waits until it is whole."""
        self._spoke = self._spoke or self._now()
        self._fold.add(delta)
        if not (delta.content or delta.reasoning or delta.logprobs):
            return b""
        piece = self._piece(delta.content, delta.reasoning)
        return self._line(piece | _tokens(delta.logprobs), is_done=False)

    def passed(self, delta: PassedDelta) -> bytes:
        """Give the bytes as they are."""
        return delta.raw

    def close(self) -> list[bytes]:
        """Write the tool calls, and the end with its metrics."""
        result = self._fold.result()
        calls, cut = _written(result.tool_calls)
        end = self._line(self._piece("", "") | self._end(result), is_done=True)
        if not (calls or cut):
            return [end]
        return [self._line(self._piece(cut, "", calls), is_done=False), end]

    def broken(self, failure: Failure) -> bytes:
        """Write an error as the last line."""
        return write_error(failure) + b"\n"

    def whole(self, result: ChatResult) -> bytes:
        """Write the one object that the answer is."""
        self._spoke = self._now()
        self._fold.add(unfold(result))
        calls, cut = _written(result.tool_calls)
        piece = self._piece(result.content + cut, result.reasoning, calls)
        body = piece | _tokens(result.logprobs) | self._end(result)
        return self._line(body, is_done=True).removesuffix(b"\n")

    @abstractmethod
    def _piece(
        self, content: str, reasoning: str, calls: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Shape what is said."""

    def _end(self, result: ChatResult) -> dict[str, Any]:
        """Give the reason and the metrics."""
        # There is no `tool_calls` reason: a turn of tool calls ends with `stop`.
        reason = "length" if result.finish_reason == "length" else "stop"
        return {"done_reason": reason} | self._metrics(result)

    def _metrics(self, result: ChatResult) -> dict[str, int]:
        """Give all six metrics: the server's own where it tells them, else what was measured."""
        now, timings = self._now(), result.timings or Timings()
        total = timings.total or (now - self._began).total_seconds()
        first = timings.first_token or ((self._spoke or now) - self._began).total_seconds()
        load = timings.load or 0
        usage = counted(self._ask, result)
        return {
            "total_duration": _nanoseconds(total),
            "load_duration": _nanoseconds(load),
            "prompt_eval_count": max(usage.input_tokens, 1),
            "prompt_eval_duration": _nanoseconds(timings.prompt or first - load),
            "eval_count": max(usage.output_tokens, 1),
            "eval_duration": _nanoseconds(timings.output or total - first),
        }

    def _line(self, said: Mapping[str, Any], *, is_done: bool) -> bytes:
        head = {"model": self._ask.model, "created_at": timestamp(self._now())}
        return jsontext.ascii_line({**head, **said, "done": is_done}) + b"\n"


class ChatWriter(_Lines):
    """The answer of `/api/chat`."""

    def _piece(
        self, content: str, reasoning: str, calls: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if reasoning:
            message["thinking"] = reasoning
        if calls:
            message["tool_calls"] = list(calls)
        return {"message": message}


class GenerateWriter(_Lines):
    """The answer of `/api/generate`."""

    def _piece(
        self, content: str, reasoning: str, calls: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        piece: dict[str, Any] = {"response": content}
        if reasoning:
            piece["thinking"] = reasoning
        return piece | ({"tool_calls": list(calls)} if calls else {})

    def _end(self, result: ChatResult) -> dict[str, Any]:
        end = super()._end(result)
        wanted = self._ask.wanted
        if isinstance(wanted, ChatRequest):
            answer = Message(role="assistant", content=result.content)
            end["context"] = context.pack([*wanted.messages, answer])
        return end


def write_done(ask: Ask, reason: str, now: Clock) -> bytes:
    """Write that a model was loaded or unloaded, which is one object, also in a stream."""
    said: dict[str, Any] = {"response": ""}
    if ask.path == "/api/chat":
        said = {"message": {"role": "assistant", "content": ""}}
    elif ask.path.startswith("/api/embed"):
        said = {"embeddings": []} if ask.path == "/api/embed" else {"embedding": []}
        return jsontext.ascii_line({"model": ask.model, **said})
    head = {"model": ask.model, "created_at": timestamp(now())}
    return jsontext.ascii_line({**head, **said, "done": True, "done_reason": reason})


def write_vectors(ask: Ask, result: EmbedResult) -> bytes:
    """Write vectors; the older endpoint has one."""
    if ask.path == "/api/embeddings":
        return jsontext.ascii_line({"embedding": result.vectors[0]})
    timings = result.timings
    return jsontext.ascii_line(
        {
            "model": ask.model,
            "embeddings": result.vectors,
            "total_duration": _nanoseconds(timings.total or 0),
            "load_duration": _nanoseconds(timings.load or 0),
            "prompt_eval_count": max(counted(ask, result).input_tokens, 1),
        }
    )


def write_error(failure: Failure) -> bytes:
    """Write an error object; clients look for the words `not found`."""
    missing = f"model '{failure.missing}' not found"
    return jsontext.ascii_line({"error": missing if failure.missing else failure.message})


def timestamp(moment: datetime) -> str:
    """Write a time with a fraction and an offset: strict clients want both."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _nanoseconds(seconds: float) -> int:
    return max(round(seconds * 1e9), 1)


def _written(calls: Sequence[ToolCall]) -> tuple[list[dict[str, Any]], str]:
    """Write whole calls; one that the end of the answer cut is shown as text."""
    whole: list[dict[str, Any]] = []
    cut = ""
    for call in calls:
        try:
            arguments = call.parsed()
        except ConfigError:
            cut += call.arguments
            continue
        function = {"index": len(whole), "name": call.name, "arguments": arguments}
        whole.append({"id": call.id, "function": function})
    return whole, cut


def _tokens(logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
    return {"logprobs": [_token(each) for each in logprobs]} if logprobs else {}


def _token(each: TokenLogprob) -> dict[str, Any]:
    letters = list(each.token.encode("utf-8", "replace"))
    token: dict[str, Any] = {"token": each.token, "logprob": each.logprob, "bytes": letters}
    return token | ({"top_logprobs": [_token(rival) for rival in each.top]} if each.top else {})
