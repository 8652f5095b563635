"""Read answers in Anthropic's shape, of a server that speaks it itself, streamed or whole."""

from __future__ import annotations

from collections.abc import Iterator

from localmix.dialects import failures
from localmix.dialects.parts.framed import EventsDecoder
from localmix.dialects.reading import Facts, Record
from localmix.types import Delta, FinishReason, ToolCallDelta, Usage
from localmix.wire import jsontext
from localmix.wire.lines import Event

_REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class MessagesDecoder(EventsDecoder[Delta]):
    """The events of a message, or the message itself, read into deltas."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._model = self._reason = ""
        self._read_tokens = self._written_tokens = 0

    def _read(self, event: Event) -> Iterator[Delta]:
        said = Record(jsontext.load_frame(event.data), self._server)
        failures.check(said, self._server)
        index = said.facts.count("index") or 0
        match said.text("type"):
            case "message_start":
                self._note(said.record("message").facts)
            case "content_block_start":
                yield from _begun(said.record("content_block"), index)
            case "content_block_delta":
                yield from _more(said.record("delta"), index)
            case "message_delta":
                self._note(said.facts)
                self._reason = said.record("delta").text("stop_reason")
            case "message_stop":
                yield self._end()
            case "message":
                yield from self._whole(said)

    def _whole(self, message: Record) -> Iterator[Delta]:
        for index, block in enumerate(message.records("content")):
            yield from _begun(block, index)
        self._note(message.facts)
        self._reason = message.text("stop_reason")
        yield self._end()

    def _note(self, facts: Facts) -> None:
        """Keep what the last delta will carry; what the server remembered is counted apart."""
        usage = facts.facts("usage")
        read = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        self._model = facts.text("model") or self._model
        self._read_tokens = sum(usage.count(key) or 0 for key in read) or self._read_tokens
        self._written_tokens = usage.count("output_tokens") or self._written_tokens

    def _end(self) -> Delta:
        self.is_done = True
        return Delta(
            finish_reason=_REASONS.get(self._reason, "stop"),
            model=self._model,
            usage=Usage(self._read_tokens, self._written_tokens) if self._read_tokens else None,
        )


def _begun(block: Record, index: int) -> Iterator[Delta]:
    """Read a block: whole, or the beginning of one in a stream."""
    if block.text("type") != "tool_use":
        yield from _more(block, index)
        return
    given = block.value("input")
    arguments = jsontext.text(given) if given else ""
    call = ToolCallDelta(index, block.text("id"), block.text("name"), arguments)
    yield Delta(tool_calls=(call,))


def _more(piece: Record, index: int) -> Iterator[Delta]:
    """Read what is said in a block, under the same names whole and in pieces."""
    if arguments := piece.text("partial_json"):
        yield Delta(tool_calls=(ToolCallDelta(index, arguments=arguments),))
    if (text := piece.text("text")) or piece.text("thinking"):
        yield Delta(text, piece.text("thinking"))
