"""An answer that has to call a tool, whatever the model would rather say."""

from __future__ import annotations

from dataclasses import replace

from localmix.dialects.parts.toolcalls import ToolCalls
from localmix.errors import UnusableAnswerError
from localmix.types import ChatRequest, Delta, GenerationRequest


def must_call(request: GenerationRequest) -> bool:
    """Tell whether the answer has to be a call."""
    return isinstance(request, ChatRequest) and request.tool_choice not in ("auto", "none")


class MustCall:
    """What a model says where it has to call, held back.

    Text before a call was not asked for, and is dropped (llama.cpp b11549 lets it happen). Without
    a call the text is all there is.

    Args:
        server: The server's URL, for errors.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._said: list[str] = []

    def hold(self, text: str) -> None:
        """Keep some text."""
        self._said.append(text)

    @property
    def said(self) -> str:
        """What was said so far."""
        return "".join(self._said)

    def last(self, delta: Delta, calls: ToolCalls) -> Delta:
        """Settle the last delta of the answer.

        Raises:
            UnusableAnswerError: The limit of tokens cut the answer before there was a whole call.
        """
        if delta.finish_reason == "length" and not calls.has_whole_call:
            raise UnusableAnswerError(
                "The token limit cut off the answer before its tool call was complete.",
                server=self._server,
                hint="Raise max_tokens: a tool had to be called.",
                answer=self.said + delta.content,
            )
        return replace(delta, content="" if calls else self.said + delta.content)
