"""Fold deltas into a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from localmix.types import ChatResult, Delta, Route, Timings, TokenLogprob, ToolCall, ToolCallDelta

# Servers write a call without arguments as nothing, or as `null`.
_NO_ARGUMENTS = ("", "null")
_SHORT = 64
_UNTIMED = Timings()


@dataclass(slots=True)
class _Pieces:
    """One tool call while its pieces come in."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, piece: ToolCallDelta) -> None:
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        self.arguments.append(piece.arguments)

    def whole(self) -> ToolCall:
        arguments = "".join(self.arguments)
        is_none = len(arguments) < _SHORT and arguments.strip() in _NO_ARGUMENTS
        return ToolCall(id=self.id, name=self.name, arguments="{}" if is_none else arguments)


class Fold:
    """Deltas gathered; `result` may be asked at any time, also of an answer that broke off."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, _Pieces] = {}
        self._logprobs: list[TokenLogprob] = []
        self._last = Delta()

    def add(self, delta: Delta) -> None:
        """Take one delta."""
        if delta.was_reasoning:
            self._reasoning += self._content
            self._content = []
        if delta.content:
            self._content.append(delta.content)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        for piece in delta.tool_calls:
            self._calls.setdefault(piece.index, _Pieces()).add(piece)
        self._logprobs += delta.logprobs
        self._last = delta

    def result(self, route: Route | None = None) -> ChatResult:
        """Fold what has come in so far; the last delta knows its route, those before do not."""
        last = self._last
        return ChatResult(
            content=_joined(self._content),
            reasoning=_joined(self._reasoning),
            tool_calls=self._whole_calls() if self._calls else (),
            logprobs=tuple(self._logprobs),
            finish_reason=last.finish_reason,
            model=last.model,
            usage=last.usage,
            timings=last.timings or _UNTIMED,
            route=last.route or route,
            cached=last.cached,
        )

    def _whole_calls(self) -> tuple[ToolCall, ...]:
        return tuple(call.whole() for _, call in sorted(self._calls.items()))


def _joined(pieces: list[str]) -> str:
    """Join pieces where they stand: who asks after every delta has only what is new joined."""
    if len(pieces) > 1:
        pieces[:] = ["".join(pieces)]
    return pieces[0] if pieces else ""


def fold(deltas: list[Delta]) -> ChatResult:
    """Fold a whole answer."""
    folded = Fold()
    for delta in deltas:
        folded.add(delta)
    return folded.result()


def unfold(result: ChatResult) -> Delta:
    """Say a whole answer as one delta, for a server that does not stream."""
    return Delta(
        content=result.content,
        reasoning=result.reasoning,
        tool_calls=tuple(
            ToolCallDelta(index, call.id, call.name, call.arguments)
            for index, call in enumerate(result.tool_calls)
        ),
        logprobs=result.logprobs,
        finish_reason=result.finish_reason,
        model=result.model,
        usage=result.usage,
        timings=result.timings,
    )
