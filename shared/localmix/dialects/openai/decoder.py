"""Read answers in OpenAI's shape, streamed or whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from localmix.dialects import failures
from localmix.dialects.parts.answer import AnswerParts
from localmix.dialects.parts.framed import EventsDecoder
from localmix.dialects.parts.mustcall import MustCall
from localmix.dialects.parts.toolcalls import ToolCalls
from localmix.dialects.reading import Facts, Record
from localmix.errors import ProtocolError, StreamInterruptedError
from localmix.types import Delta, Timings, Usage
from localmix.wire import jsontext
from localmix.wire.lines import Event

_RENAMED = {"function_call": "tool_calls"}
_END = b"[DONE]"
_CALLS = frozenset({"tool_calls", "function_call"})
_ABOUT = frozenset({"usage", "timings", "stats"})
_MILLISECONDS = 1e-3


class OpenAIDecoder(EventsDecoder[Delta]):
    """The frames of a chat or a completion, read into deltas.

    An answer is whole when `[DONE]` came after a reason for its end, or when its body ended well
    after one: some servers send no end mark (ik_llama.cpp 467, llama-box 66).

    Args:
        server: The server's URL, for errors.
        is_chat: Whether thoughts may stand in the text; a completion's text is left as it is.
        is_whole: Whether the answer comes as one object, not streamed.
        tools: Names of the tools that the model may call.
        one_call: Whether calls after the first are left out.
        wants_json: Whether an answer that stands in the reasoning alone is taken for the content.
        wants_call: Whether the answer has to call a tool; its text is held back until it is whole.
        check_model: Called with the name of the model that answers; raises if it is not the one
            that was asked.
    """

    def __init__(
        self,
        server: str,
        *,
        is_chat: bool = True,
        is_whole: bool = False,
        tools: Collection[str] = (),
        one_call: bool = False,
        wants_json: bool = False,
        wants_call: bool = False,
        check_model: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(server)
        self._is_whole = is_whole
        calls = ToolCalls(server, tools, one_call=one_call)
        self._answer = AnswerParts(server, calls, is_chat=is_chat, is_whole=is_whole)
        self._check_model = check_model
        self._thoughts: list[str] | None = [] if wants_json else None
        self._must = MustCall(server) if wants_call else None
        self._has_spoken = False
        self._choice: int | None = None
        self._finish = ""
        self._model = ""
        self._usage: Usage | None = None
        self._timings: Timings | None = None

    def _at_end_of_body(self) -> Iterable[Delta]:
        if self._finish:
            return self._end()
        raise StreamInterruptedError(
            f"{self._server} ended its stream without the end mark, and without a reason.",
            server=self._server,
        )

    def _read(self, event: Event) -> Iterator[Delta]:
        if event.name == "error":
            raise self._error_in(event.data)
        for frame in _frames(event.data, is_sure=event.name == "message"):
            if frame is None:
                yield from self._end()
                return
            for choice in self._choices(Record(frame, self._server)):
                if not self._is_ours(choice):
                    continue
                if delta := self._said(choice):
                    yield delta
                if reason := choice.text("finish_reason"):
                    self._note_finish(reason)

    def _error_in(self, data: bytes) -> Exception:
        return failures.meaning_of(failures.complaint_of_text(data), self._server)

    def _choices(self, frame: Record) -> list[Record]:
        """Note what a frame says of the answer as a whole, and give its choices."""
        failures.check(frame, self._server)
        if not self._model and "model" in frame:
            self._note_model(frame.facts.text("model"))
        if frame.has_any(_ABOUT):
            self._note(frame.facts)
        choices = frame.records("choices")
        if self._is_whole and not choices:
            raise ProtocolError(f"{self._server} answered without choices.", server=self._server)
        return choices

    def _is_ours(self, choice: Record) -> bool:
        """Tell the choices of a reply apart: the first is the answer, others are not asked for."""
        index = choice.value("index")
        index = index if type(index) is int else 0
        if self._choice is None:
            self._choice = index
        return index == self._choice

    def _said(self, choice: Record) -> Delta | None:
        message = choice.record("delta") or choice.record("message")
        delta = self._answer.delta(
            message.text("content") or choice.text("text"),
            message.text("reasoning_content") or message.text("reasoning"),
            _calls_in(message) if message.has_any(_CALLS) else [],
            choice.facts.facts("logprobs").each("content") if "logprobs" in choice else [],
        )
        if delta:
            self._has_spoken = self._has_spoken or bool(delta.content)
            if self._thoughts is not None:
                self._thoughts.append(delta.reasoning)
            if self._must:
                delta = self._held(delta, self._must)
        return delta

    def _note_finish(self, reason: str) -> None:
        self._answer.check(reason)
        self._finish = _RENAMED.get(reason, reason)

    def _held(self, delta: Delta, must: MustCall) -> Delta | None:
        """Hold the text back where a call is wanted."""
        must.hold(delta.content)
        delta = replace(delta, content="")
        return delta if delta != Delta() else None

    def _note(self, facts: Facts) -> None:
        """Keep what the last delta will carry."""
        self._usage = read_usage(facts.facts("usage")) or self._usage
        self._timings = _timings(facts) or self._timings

    def _note_model(self, model: str) -> None:
        if model:
            self._model = model
            self._check_model(model)

    def _end(self) -> Iterator[Delta]:
        self.is_done = True
        rest = self._answer.close()
        has_spoken = self._has_spoken or bool(rest.content)
        has_answered = has_spoken or bool(self._answer.calls)
        if not self._finish:
            if rest.content or rest.reasoning:
                yield rest
            raise self._no_end(has_answered=has_answered)
        content = rest.content
        if not has_answered and self._thoughts is not None:
            content = _json_in("".join(self._thoughts))
        called = self._answer.calls and self._finish == "stop"
        last = Delta(
            content=content,
            reasoning=rest.reasoning,
            tool_calls=rest.tool_calls,
            finish_reason="tool_calls" if called else self._finish,
            model=self._model,
            usage=self._usage,
            timings=self._timings,
            was_reasoning=rest.was_reasoning,
        )
        yield self._must.last(last, self._answer.calls) if self._must else last

    def _no_end(self, *, has_answered: bool) -> Exception:
        if has_answered:
            return StreamInterruptedError(
                f"{self._server} ended its answer without a finish reason.",
                server=self._server,
            )
        # Quirk (lmstudio, bug-tracker 2339): a prompt that overflows the window gives a stream
        # with status 200 and nothing in it.
        return ProtocolError(
            f"{self._server} ended its stream without an answer.",
            server=self._server,
            hint="The request may be too long for the loaded context window.",
        )


def _frames(data: bytes, *, is_sure: bool) -> list[dict[str, Any] | None]:
    """Read the frames of one event; the end mark is read as `None`.

    Some builds and proxies splice frames: no blank line between two of them, or nothing at all. An
    event of another name (not sure) may be no part of this protocol: SSE allows any.
    """
    if data.strip() == _END:
        return [None]
    try:
        return [jsontext.load_frame(data)]
    except ProtocolError:
        pieces = data.replace(b"}data:", b"}\ndata:").split(b"\n")
        if len(pieces) == 1:
            if is_sure:
                raise
            return []
    rest = (piece.removeprefix(b"data:") for piece in pieces if piece)
    return [frame for piece in rest for frame in _frames(piece, is_sure=is_sure)]


def _calls_in(message: Record) -> list[Record]:
    """Read calls of tools, also the one call of OpenAI's first API, which some still write."""
    if "tool_calls" in message:
        return message.records("tool_calls")
    return [message] if message.record("function_call") else []


def _json_in(thoughts: str) -> str:
    """Quirk (lmstudio): a reasoning model's schema-bound answer may come as its reasoning."""
    try:
        jsontext.load_object(thoughts.strip().encode("utf-8", "replace"))
    except ProtocolError:
        return ""
    return thoughts.strip()


def read_usage(usage: Facts) -> Usage | None:
    """Read token counts; all zero, as LM Studio's embeddings have them, means not known."""
    read = usage.count("prompt_tokens", absent=0)
    written = usage.count("completion_tokens", absent=0)
    if read is None or written is None or not (read or written):
        return None
    return Usage(
        input_tokens=read,
        output_tokens=written,
        reasoning_tokens=usage.facts("completion_tokens_details").count("reasoning_tokens"),
        cached_tokens=usage.facts("prompt_tokens_details").count("cached_tokens"),
    )


def _timings(facts: Facts) -> Timings | None:
    """Read llama.cpp's `timings` (milliseconds) or LM Studio's `stats` (seconds)."""
    if timings := facts.facts("timings"):
        prompt = timings.seconds("prompt_ms", _MILLISECONDS)
        output = timings.seconds("predicted_ms", _MILLISECONDS)
        return Timings(prompt=prompt, output=output, first_token=prompt)
    if stats := facts.facts("stats"):
        return Timings(
            output=stats.seconds("generation_time"),
            first_token=stats.seconds("time_to_first_token"),
        )
    return None
