"""Read Ollama's NDJSON answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from localmix.dialects import failures
from localmix.dialects.parts.answer import AnswerParts
from localmix.dialects.parts.framed import FramedDecoder
from localmix.dialects.parts.mustcall import MustCall
from localmix.dialects.parts.toolcalls import ToolCalls
from localmix.dialects.reading import Facts, Record
from localmix.errors import ProtocolError, StreamInterruptedError
from localmix.types import Delta, Timings, Usage
from localmix.wire import jsontext
from localmix.wire.lines import LineDecoder

_NANOSECONDS = 1e-9


class OllamaDecoder(FramedDecoder[bytes, Delta]):
    """The lines of a chat or a completion, read into deltas.

    Args:
        server: The server's URL, for errors.
        is_chat: Whether thoughts may stand in the text; a completion's text is left as it is.
        is_whole: Whether the answer comes in one line, not streamed.
        one_call: Whether calls after the first are left out.
        forced_tool: Whether the content is the JSON of a tool call, written under a grammar; it is
            held back until it is whole.
    """

    def __init__(
        self,
        server: str,
        *,
        is_chat: bool = True,
        is_whole: bool = False,
        one_call: bool = False,
        forced_tool: bool = False,
    ) -> None:
        super().__init__(server)
        self._lines = LineDecoder()
        calls = ToolCalls(server, one_call=one_call)
        self._answer = AnswerParts(server, calls, is_chat=is_chat, is_whole=is_whole)
        self._forced = MustCall(server) if forced_tool else None

    def _split(self, data: bytes) -> Iterable[bytes]:
        return self._lines.feed(data)

    def _split_whole(self, body: bytes) -> Iterable[bytes]:
        if b"\n{" not in body:
            return [body]
        return [*self._lines.feed(body), *self._lines.close()]  # it streamed all the same

    def _rest(self) -> Iterable[bytes]:
        return self._lines.close()

    def _at_end_of_body(self) -> Iterable[Delta]:
        # Quirk (ollama 0.12.11): an answer that repeats itself is stopped by the server and ends
        # with `done: false`, status 200, also when it is not streamed.
        raise StreamInterruptedError(
            f"{self._server} ended its answer before it was done.",
            server=self._server,
            hint="See the server's log; a repeating answer or a full context ends like this.",
        )

    def _read(self, line: bytes) -> Iterator[Delta]:
        if not line.strip():
            return
        frame = Record(jsontext.load_frame(line), self._server)
        failures.check(frame, self._server)
        message = frame.record("message")
        content = message.text("content") or frame.text("response")
        reasoning = message.text("thinking") or frame.text("thinking")
        asks = message if "tool_calls" in message else frame
        calls = asks.records("tool_calls") if "tool_calls" in asks else []
        if self._forced:
            self._forced.hold(content)
            content = ""
        logprobs = frame.facts.each("logprobs") if "logprobs" in frame else []
        delta = self._answer.delta(content, reasoning, calls, logprobs)
        if frame.value("done") is True:
            yield from self._last(frame.facts, delta or Delta())
        elif delta:
            yield delta

    def _last(self, facts: Facts, said: Delta) -> Iterator[Delta]:
        reason = facts.text("done_reason")
        try:
            self._check(reason)
        except StreamInterruptedError:
            yield said
            raise
        rest = self._answer.close()
        if self._forced:
            rest = self._forced_call(self._forced.said, rest)
        last = Delta(
            content=said.content + rest.content,
            reasoning=said.reasoning + rest.reasoning,
            tool_calls=said.tool_calls + rest.tool_calls,
            logprobs=said.logprobs,
            finish_reason=self._finish_reason(reason),
            was_reasoning=said.was_reasoning or rest.was_reasoning,
        )
        if self._forced:
            last = self._forced.last(last, self._answer.calls)
        self.is_done = True
        yield replace(
            last,
            model=facts.text("model"),
            usage=_usage(facts),
            timings=_timings(facts),
        )

    def _check(self, reason: str) -> None:
        if reason in ("load", "unload"):
            raise ProtocolError(
                f"{self._server} only did a {reason} instead of answering.",
                server=self._server,
                hint="Send at least one user message that is not empty.",
            )
        self._answer.check(reason)

    def _finish_reason(self, reason: str) -> str:
        if reason not in ("", "stop"):
            return reason
        # There is no `tool_calls` reason: a turn of tool calls ends with `stop`.
        return "tool_calls" if self._answer.calls else "stop"

    def _forced_call(self, said: str, rest: Delta) -> Delta:
        """Read the call that the grammar made, if it is whole."""
        try:
            call = jsontext.load_object(said.encode("utf-8", "replace"))
        except ProtocolError:
            return rest
        facts = Record(call, self._server)
        function = {"name": facts.value("name"), "arguments": facts.value("parameters")}
        entry = Record({"function": function}, self._server)
        return replace(rest, tool_calls=self._answer.calls.read([entry], are_whole=True))


def _usage(facts: Facts) -> Usage | None:
    """Read token counts; what is zero is left out."""
    if "prompt_eval_count" not in facts and "eval_count" not in facts:
        return None
    read = facts.count("prompt_eval_count", absent=0)
    written = facts.count("eval_count", absent=0)
    return None if read is None or written is None else Usage(read, written)


def _timings(facts: Facts) -> Timings:
    load, prompt = seconds(facts, "load_duration"), seconds(facts, "prompt_eval_duration")
    known = load is not None or prompt is not None
    return Timings(
        load=load,
        prompt=prompt,
        output=seconds(facts, "eval_duration"),
        first_token=(load or 0) + (prompt or 0) if known else None,
        total=seconds(facts, "total_duration"),
    )


def seconds(facts: Facts, key: str) -> float | None:
    """Read a duration, which Ollama gives in nanoseconds and leaves out when it is zero."""
    return facts.seconds(key, _NANOSECONDS)
