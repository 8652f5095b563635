"""Steps of an answer that can be added up.

A framework puts the steps of an answer together, and takes none back. Some templates open the
thought themselves, so that its end comes alone, after the thought has gone out as content
(`Delta.was_reasoning`). So content waits where the answer should begin with a thought: where the
caller asked for one, where the model's name says that it always thinks, or where the model has
been seen to do this. A thought that comes in its place ends the wait at once, and is what nearly
always happens.

Where nobody could expect it, the end of the thought goes out as the server wrote it: the text then
says itself what of it was a thought.
"""

from __future__ import annotations

from dataclasses import replace

from localmix.dialects.parts.think import CLOSING
from localmix.following import AsyncStream, Stream
from localmix.types import Delta, ThinkLevel
from localmix.types.names import always_thinks


class Addable:
    """The deltas of a stream such that their contents, added up, are the answer's content.

    Args:
        stream: The stream that the deltas come from.
        think: What the request says of thinking; `False` where there are no thoughts.
    """

    def __init__(self, stream: Stream | AsyncStream, think: bool | ThinkLevel | None) -> None:
        self._stream = stream
        self._think = think
        self._has_begun = self._waits = False
        self._held = Delta()

    def take(self, delta: Delta) -> Delta | None:
        """Take the next delta, and give what can be added; `None` if it has to wait."""
        if not self._has_begun:
            self._has_begun, self._waits = True, self._expects_thought()
        if not (self._waits or delta.was_reasoning):
            return delta
        if self._waits:
            self._held = _joined(self._held, delta)
            if not _tells(delta):
                return None
            self._waits = False
            return self._held
        said = f"{delta.reasoning}{CLOSING}\n\n{delta.content}"
        return replace(delta, content=said, reasoning="")

    def _expects_thought(self) -> bool:
        if self._think is not None:
            return self._think is not False
        route = self._stream.route
        return self._stream.hides_thoughts or bool(route and always_thinks(route.model))


def _tells(delta: Delta) -> bool:
    """Tell whether it is known from here on what is a thought and what is not."""
    return bool(delta.was_reasoning or delta.reasoning or delta.tool_calls or delta.finish_reason)


def _joined(held: Delta, delta: Delta) -> Delta:
    content, reasoning = held.content, held.reasoning
    if delta.was_reasoning:
        content, reasoning = "", content + reasoning
    return replace(
        delta,
        content=content + delta.content,
        reasoning=reasoning + delta.reasoning,
        logprobs=held.logprobs + delta.logprobs,
    )
