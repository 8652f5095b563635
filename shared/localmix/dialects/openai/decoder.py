"""Read answers in OpenAI's shape, streamed or whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localmix.dialects import failures
from localmix.dialects.parts.logprobs import read_logprobs
from localmix.dialects.parts.think import ThinkSplitter
from localmix.dialects.parts.toolcalls import ToolCallPieces
from localmix.errors import ProtocolError, StreamInterruptedError
from localmix.types import ChatResult, Delta, FinishReason, Timings, Usage
from localmix.types.fold import fold
from localmix.wire import jsontext
from localmix.wire.lines import Event, EventDecoder

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_END = b"[DONE]"


class OpenAIDecoder:
    """Turn the frames of a chat or a completion into deltas.

    `check_model` is called with the name of the model that answers, and raises if it is not the
    one that was asked. With `wants_json`, an answer that stands in the reasoning alone is taken
    for the content.
    """

    def __init__(
        self,
        server: str,
        *,
        turn: int = 0,
        is_chat: bool = True,
        wants_json: bool = False,
        check_model: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._server = server
        self._events = EventDecoder()
        self._think = ThinkSplitter() if is_chat else None
        self._calls = ToolCallPieces(turn)
        self._check_model = check_model
        self._thoughts: list[str] | None = [] if wants_json else None
        self._spoke = False
        self._called = False
        self._done = False
        self._finish: FinishReason | None = None
        self._model = ""
        self._usage: Usage | None = None
        self._timings: Timings | None = None

    def feed(self, data: bytes) -> list[Delta]:
        """Take some bytes and return the deltas that they complete."""
        return self._read_events(self._events.feed(data))

    def close(self) -> list[Delta]:
        """Check that the stream ended with its end mark."""
        rest = self._events.close()
        try:
            deltas = self._read_events(rest)
        except jsontext.NotJsonError as error:
            if not error.is_cut:
                raise
            deltas = []
        if not self._done:
            raise StreamInterruptedError(
                f"{self._server} ended its stream without the end mark.",
                server=self._server,
            )
        return deltas

    def read_whole(self, reply: dict[str, Any]) -> ChatResult:
        """Read a reply that was not streamed, as one frame and the end."""
        if not reply.get("choices"):
            raise ProtocolError(f"{self._server} answered without choices: {str(reply)[:80]!r}.")
        with failures.reading(self._server):
            return fold([*self._read(reply), self._end()])

    def _read_events(self, events: list[Event]) -> list[Delta]:
        deltas: list[Delta] = []
        with failures.reading(self._server):
            for frame in (frame for event in events for frame in _frames(event.data)):
                if self._done:
                    break
                deltas += [self._end()] if frame is None else self._read(frame)
        return deltas

    def _read(self, frame: dict[str, Any]) -> list[Delta]:
        complaint = failures.complaint_in(frame)
        if complaint:
            raise failures.meaning_of(complaint, self._server)
        self._note(frame)
        choice = next(iter(frame.get("choices") or []), None)
        if choice is None:
            return []
        if reason := choice.get("finish_reason"):
            self._finish = _FINISH.get(reason, "stop")
        said = choice.get("delta") or choice.get("message") or {}
        reasoning = said.get("reasoning_content") or said.get("reasoning") or ""
        content = said.get("content") or choice.get("text") or ""
        if self._think:
            thought, content = self._think.feed(content)
            reasoning += thought
        calls = self._calls.read(said.get("tool_calls") or [])
        logprobs = read_logprobs((choice.get("logprobs") or {}).get("content"))
        if not (content or reasoning or calls or logprobs):
            return []
        self._spoke = self._spoke or bool(content)
        self._called = self._called or bool(calls)
        if self._thoughts is not None:
            self._thoughts.append(reasoning)
        return [Delta(content=content, reasoning=reasoning, tool_calls=calls, logprobs=logprobs)]

    def _note(self, frame: dict[str, Any]) -> None:
        """Keep what the last delta will carry."""
        if not self._model and frame.get("model"):
            self._model = frame["model"]
            self._check_model(self._model)
        self._usage = read_usage(frame.get("usage")) or self._usage
        self._timings = _timings(frame) or self._timings

    def _end(self) -> Delta:
        self._done = True
        reasoning, content = self._think.close() if self._think else ("", "")
        answered = self._spoke or self._called or bool(content)
        if not answered and self._thoughts is not None:
            content = _json_in("".join(self._thoughts))
        if not answered and self._finish is None:
            # Quirk (lmstudio, bug-tracker 2339): a prompt that overflows the window gives a
            # stream with status 200 and nothing in it.
            raise ProtocolError(
                f"{self._server} ended its stream without an answer.",
                server=self._server,
                hint="The request may be too long for the loaded context window.",
            )
        finish = self._finish or "stop"
        return Delta(
            content=content,
            reasoning=reasoning,
            finish_reason="tool_calls" if self._called and finish == "stop" else finish,
            model=self._model,
            usage=self._usage,
            timings=self._timings,
        )


def _frames(data: bytes) -> list[dict[str, Any] | None]:
    """Read the frames of one event; the end mark is read as `None`.

    Some builds and proxies splice frames: no blank line between two of them, or nothing at all.
    """
    if data.strip() == _END:
        return [None]
    try:
        return [jsontext.load_object(data)]
    except ProtocolError:
        pieces = data.replace(b"}data:", b"}\ndata:").split(b"\n")
        if len(pieces) == 1:
            raise
    return [frame for piece in pieces if piece for frame in _frames(piece.removeprefix(b"data:"))]


def _json_in(thoughts: str) -> str:
    """Quirk (lmstudio): a reasoning model's schema-bound answer may come as its reasoning."""
    try:
        jsontext.load_object(thoughts.strip().encode())
    except ProtocolError:
        return ""
    return thoughts.strip()


def read_usage(usage: dict[str, Any] | None) -> Usage | None:
    """Read token counts; all zero, as LM Studio's embeddings have them, means not known."""
    if not usage or not any(usage.get(key) for key in ("prompt_tokens", "completion_tokens")):
        return None
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
    )


def _timings(frame: dict[str, Any]) -> Timings | None:
    """Read llama.cpp's `timings` (milliseconds) or LM Studio's `stats` (seconds)."""
    if timings := frame.get("timings"):
        prompt, output = timings.get("prompt_ms"), timings.get("predicted_ms")
        prompt = None if prompt is None else prompt / 1e3
        return Timings(
            prompt=prompt, output=None if output is None else output / 1e3, first_token=prompt
        )
    if stats := frame.get("stats"):
        return Timings(
            output=stats.get("generation_time"), first_token=stats.get("time_to_first_token")
        )
    return None
