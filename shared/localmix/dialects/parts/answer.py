"""An answer while it comes in: thought and text apart, characters whole, calls told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localmix.dialects import failures
from localmix.dialects.parts.framed import FramedDecoder
from localmix.dialects.parts.halves import Halves
from localmix.dialects.parts.logprobs import read_logprobs
from localmix.dialects.parts.think import ThinkSplitter
from localmix.dialects.parts.toolcalls import ToolCalls
from localmix.dialects.reading import Facts, Record
from localmix.errors import LocalMixError, StreamInterruptedError
from localmix.types import ChatResult, Delta
from localmix.types.fold import Fold
from localmix.wire.flows import Response
from localmix.wire.secrets import Redacting

# What servers call an end that is none: vLLM `abort`, OpenRouter `error`, LM Studio's own words.
_BREAKS = frozenset(
    "abort aborted cancel cancelled canceled error failed failure interrupted timeout"  # noqa: SIM905
    " userStopped modelUnloaded".split()
)


def whole_answer(response: Response, decoder: FramedDecoder[Any, Delta], server: str) -> ChatResult:
    """Read an answer that was not streamed; an error within it holds what had come before."""
    if response.status != 200:  # noqa: PLR2004
        raise failures.error_of(response, server)
    with Redacting(response.sent):
        return _folded(decoder.whole(response.body))


def _folded(deltas: Iterator[Delta]) -> ChatResult:
    folded, has_spoken = Fold(), False
    try:
        for delta in deltas:
            folded.add(delta)
            has_spoken = True
    except LocalMixError as error:
        error.partial = folded.result() if has_spoken else None
        raise
    return folded.result()


class AnswerParts:
    """The parts of one answer, for the decoder of any dialect.

    Args:
        server: The server's URL, for errors.
        is_chat: Whether thoughts may stand in the text; a completion's text is left as it is.
        is_whole: Whether the answer comes in one piece.
        calls: What puts tool calls together.
    """

    def __init__(self, server: str, calls: ToolCalls, *, is_chat: bool, is_whole: bool) -> None:
        self._server = server
        self._is_whole = is_whole
        self._content, self._reasoning = Halves(), Halves()
        self._is_halved = False
        self._think = ThinkSplitter() if is_chat else None
        self.calls = calls

    def delta(
        self, content: str, reasoning: str, calls: list[Record], logprobs: list[Facts]
    ) -> Delta | None:
        """Take what a frame says; `None` if nothing of it is certain yet."""
        if not (content.isascii() and reasoning.isascii()) or self._is_halved:
            content, reasoning = self._content.feed(content), self._reasoning.feed(reasoning)
            self._is_halved = self._content.holds or self._reasoning.holds
        was_reasoning = False
        if self._think and content and not self._think.passes(content):
            split = self._think.feed(content)
            content, was_reasoning = split.content, split.was_reasoning
            reasoning += split.reasoning
        tool_calls = self.calls.read(calls, are_whole=self._is_whole) if calls else ()
        tokens = read_logprobs(logprobs) if logprobs else ()
        if not (content or reasoning or tool_calls or tokens or was_reasoning):
            return None
        return Delta(content, reasoning, tool_calls, tokens, was_reasoning=was_reasoning)

    def close(self) -> Delta:
        """Give what was held back."""
        content, reasoning = self._content.close(), self._reasoning.close()
        was_reasoning = False
        if self._think:
            split = self._think.feed(content)
            rest = self._think.close()
            content = split.content + rest.content
            reasoning += split.reasoning + rest.reasoning
            was_reasoning = split.was_reasoning or rest.was_reasoning
        return Delta(content, reasoning, self.calls.close(), was_reasoning=was_reasoning)

    def check(self, reason: str) -> None:
        """Refuse a reason for the end that says that it is none.

        Raises:
            StreamInterruptedError: The server broke off.
        """
        if reason in _BREAKS:
            raise StreamInterruptedError(
                f"{self._server} broke off its answer (reason: {reason}).", server=self._server
            )
