"""Read answers in the shape of OpenAI's responses, of a server that speaks it itself."""

from __future__ import annotations

from collections.abc import Iterator

from localmix.dialects import failures
from localmix.dialects.parts.framed import EventsDecoder
from localmix.dialects.reading import Record
from localmix.types import Delta, FinishReason, ToolCallDelta, Usage
from localmix.wire import jsontext
from localmix.wire.lines import Event

_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class ResponsesDecoder(EventsDecoder[Delta]):
    """The events of a response, or the response itself, read into deltas."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._has_called = False

    def _read(self, event: Event) -> Iterator[Delta]:
        said = Record(jsontext.load_frame(event.data), self._server)
        failures.check(said, self._server)
        index = said.facts.count("output_index") or 0
        match said.text("type"):
            case "response.output_text.delta":
                yield Delta(said.text("delta"))
            case kind if kind in _THOUGHTS:
                yield Delta(reasoning=said.text("delta"))
            case "response.output_item.added":
                yield from self._called(said.record("item"), index)
            case "response.function_call_arguments.delta":
                call = ToolCallDelta(index, arguments=said.text("delta"))
                yield Delta(tool_calls=(call,))
            case kind if kind in _ENDS:
                yield self._end(said.record("response"))
            case "error":
                raise failures.meaning_of(failures.complaint_of_text(event.data), self._server)
            case "" if said.text("object") == "response":
                yield from self._whole(said)

    def _whole(self, response: Record) -> Iterator[Delta]:
        for index, item in enumerate(response.records("output")):
            yield from self._called(item, index)
            thoughts = "".join(part.text("text") for part in item.records("summary"))
            texts = "".join(part.text("text") for part in item.records("content"))
            is_thought = item.text("type") == "reasoning"
            if thoughts or texts:
                yield Delta("" if is_thought else texts, thoughts or texts if is_thought else "")
        yield self._end(response)

    def _called(self, item: Record, index: int) -> Iterator[Delta]:
        if item.text("type") == "function_call":
            self._has_called = True
            said = (item.text("call_id"), item.text("name"), item.text("arguments"))
            yield Delta(tool_calls=(ToolCallDelta(index, *said),))

    def _end(self, response: Record) -> Delta:
        failures.check(response, self._server)
        self.is_done = True
        usage = response.facts.facts("usage")
        read, written = usage.count("input_tokens"), usage.count("output_tokens")
        return Delta(
            finish_reason=self._reason(response),
            model=response.facts.text("model"),
            usage=Usage(read, written or 0) if read else None,
        )

    def _reason(self, response: Record) -> FinishReason:
        if cut := response.record("incomplete_details").text("reason"):
            return "content_filter" if cut == "content_filter" else "length"
        return "tool_calls" if self._has_called else "stop"
