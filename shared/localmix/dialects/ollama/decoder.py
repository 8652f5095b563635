"""Read Ollama's NDJSON answers."""

from __future__ import annotations

from typing import Any

from localmix.dialects import failures
from localmix.dialects.parts.logprobs import read_logprobs
from localmix.dialects.parts.think import ThinkSplitter
from localmix.dialects.parts.toolcalls import ToolCallPieces
from localmix.errors import ProtocolError, StreamInterruptedError
from localmix.types import Delta, FinishReason, Timings, ToolCallDelta, Usage
from localmix.wire import jsontext
from localmix.wire.lines import LineDecoder

_NANOSECONDS = 1e9


class OllamaDecoder:
    """Turn the lines of a chat or a completion into deltas.

    With `forced_tool`, the content is the JSON of a tool call, written under a grammar; it is held
    back until it is whole.
    """

    def __init__(self, server: str, *, turn: int = 0, forced_tool: bool = False) -> None:
        self._server = server
        self._lines = LineDecoder()
        self._think = ThinkSplitter()
        self._calls = ToolCallPieces(turn)
        self._has_called = False
        self._forced: list[str] | None = [] if forced_tool else None
        self._done = False

    def feed(self, data: bytes) -> list[Delta]:
        """Take some bytes and return the deltas that they complete."""
        return self._deltas(self._lines.feed(data))

    def close(self) -> list[Delta]:
        """Check that the answer was whole."""
        rest = self._lines.close()
        try:
            deltas = self._deltas(rest)
        except jsontext.NotJsonError as error:
            if not error.is_cut:
                raise
            deltas = []
        if not self._done:
            # Quirk (ollama 0.12.11): an answer that repeats itself is stopped by the server and
            # ends with `done: false`, status 200, also when it is not streamed.
            raise StreamInterruptedError(
                f"{self._server} ended its answer before it was done.",
                server=self._server,
                hint="See the server's log; a repeating answer or a full context ends so.",
            )
        return deltas

    def _deltas(self, lines: list[bytes]) -> list[Delta]:
        with failures.reading(self._server):
            return [
                delta
                for line in lines
                if line and not self._done and (delta := self._read(jsontext.load_object(line)))
            ]

    def _read(self, frame: dict[str, Any]) -> Delta | None:
        complaint = failures.complaint_in(frame)
        if complaint:
            raise failures.meaning_of(complaint, self._server)
        message = frame.get("message") or {}
        reasoning = message.get("thinking") or frame.get("thinking") or ""
        content = message.get("content") or frame.get("response") or ""
        calls = self._calls.read(message.get("tool_calls") or [])
        if self._forced is not None:
            self._forced.append(content)
            content = ""
        else:
            thought, content = self._think.feed(content)
            reasoning += thought
        logprobs = read_logprobs(frame.get("logprobs"))
        self._has_called = self._has_called or bool(calls)
        if frame.get("done"):
            return self._last(frame, content, reasoning, calls, logprobs)
        if not (content or reasoning or calls or logprobs):
            return None
        return Delta(content=content, reasoning=reasoning, tool_calls=calls, logprobs=logprobs)

    def _last(
        self,
        frame: dict[str, Any],
        content: str,
        reasoning: str,
        calls: tuple[ToolCallDelta, ...],
        logprobs: Any,
    ) -> Delta:
        self._done = True
        thought, held = self._think.close()
        reason = frame.get("done_reason")
        if reason in ("load", "unload"):
            raise ProtocolError(
                f"{self._server} only did a {reason} instead of answering.",
                server=self._server,
                hint="Send at least one user message that is not empty.",
            )
        if self._forced is not None:
            calls, held = self._forced_call("".join(self._forced))
        return Delta(
            content=content + held,
            reasoning=reasoning + thought,
            tool_calls=calls,
            logprobs=logprobs,
            finish_reason=self._finish_reason(reason, calls),
            model=frame.get("model") or "",
            usage=Usage(frame.get("prompt_eval_count") or 0, frame.get("eval_count") or 0),
            timings=_timings(frame),
        )

    def _finish_reason(self, reason: str | None, calls: tuple[ToolCallDelta, ...]) -> FinishReason:
        if reason == "length":
            return "length"
        # There is no `tool_calls` reason: a turn of tool calls ends with `stop`.
        return "tool_calls" if self._has_called or calls else "stop"

    def _forced_call(self, said: str) -> tuple[tuple[ToolCallDelta, ...], str]:
        """Read the call that the grammar made; a call that was cut is shown as text."""
        try:
            call = jsontext.load_object(said.encode())
        except ProtocolError:
            return (), said
        function = {"name": call.get("name"), "arguments": call.get("parameters")}
        return self._calls.read([{"function": function}]), ""


def _timings(frame: dict[str, Any]) -> Timings:
    load, prompt = seconds(frame, "load_duration"), seconds(frame, "prompt_eval_duration")
    known = load is not None or prompt is not None
    return Timings(
        load=load,
        prompt=prompt,
        output=seconds(frame, "eval_duration"),
        first_token=(load or 0) + (prompt or 0) if known else None,
        total=seconds(frame, "total_duration"),
    )


def seconds(frame: dict[str, Any], key: str) -> float | None:
    """Read a duration, which Ollama gives in nanoseconds and leaves out when it is zero."""
    nanoseconds = frame.get(key)
    return None if nanoseconds is None else nanoseconds / _NANOSECONDS
