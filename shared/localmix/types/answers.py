"""What comes back: plain frozen records. Durations are seconds as `float`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from localmix.types.requests import Message, ToolCall
from localmix.types.servers import Route
from localmix.types.words import FinishReason

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """Hold one piece of a tool call; pieces of one call share its index."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """Give a token with the natural logarithm of its probability, and its likeliest rivals."""

    token: str
    logprob: float
    top: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Count tokens; `None` where the server does not say."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None

    @property
    def total_tokens(self) -> int:
        """Add input and output."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            _sum(self.reasoning_tokens, other.reasoning_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Measure where the time went, in seconds; `None` where it is not known.

    `load`, `prompt` and `output` are the server's own; `first_token`, of a stream, and `total` are
    measured here.
    """

    load: float | None = None
    prompt: float | None = None
    output: float | None = None
    first_token: float | None = None
    total: float | None = None

    def of_both(self, other: Timings) -> Timings:
        """Add what the servers of two requests of one turn took; the rest is the second one's."""
        return replace(
            other,
            load=_sum(self.load, other.load),
            prompt=_sum(self.prompt, other.prompt),
            output=_sum(self.output, other.output),
        )


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of a streamed answer. The last one carries the reason, usage and timings.

    Attributes:
        was_reasoning: Whether the content of all deltas before this one was reasoning: its end
            came, and its beginning never had. `Stream.result` has it in its place.
        cached: Whether the answer came from the cache; the last one tells.
    """

    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    model: str = ""
    usage: Usage | None = None
    timings: Timings | None = None
    route: Route | None = None
    was_reasoning: bool = False
    cached: bool = False


@dataclass(frozen=True, slots=True)
class ChatResult:
    """Hold a whole answer: all deltas folded, with the route it took.

    Attributes:
        cached: Whether it came from the cache: usage is what it took when it was made.
    """

    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    model: str = ""
    usage: Usage | None = None
    timings: Timings = field(default_factory=Timings)
    route: Route | None = None
    cached: bool = False

    def after(self, first: ChatResult) -> ChatResult:
        """Tell what this answer took together with one that its turn threw away.

        Usage and timings are of both, where both are known; the route tells of the earlier one.
        """
        timings = first.timings.of_both(self.timings)
        return replace(
            self,
            usage=first.usage + self.usage if first.usage and self.usage else None,
            timings=replace(timings, total=_sum(first.timings.total, self.timings.total)),
            route=route_after(first.route, self.route),
        )

    @property
    def message(self) -> Message:
        """Give the answer as the next message of the conversation."""
        return Message(
            role="assistant",
            content=self.content,
            reasoning=self.reasoning,
            tool_calls=self.tool_calls,
        )


@dataclass(frozen=True, slots=True)
class SkippedText:
    """A text that the model gives no vector for.

    Attributes:
        index: Its place among the texts.
        reason: What was wrong, in one sentence.
    """

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """One vector for each text, in the order of the texts.

    Attributes:
        skipped: Texts without a vector, where the request allowed that; their vectors are empty.
        cached: How many of the vectors came from the cache; usage and timings are of the others.
    """

    vectors: list[list[float]]
    model: str = ""
    usage: Usage | None = None
    timings: Timings = field(default_factory=Timings)
    route: Route | None = None
    skipped: tuple[SkippedText, ...] = ()
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Embedded:
    """One of many texts with its vector.

    Attributes:
        index: The place of the text among all.
        vector: Empty if the text was set aside.
        reason: Why it was, in one sentence.
    """

    index: int
    text: str
    vector: list[float]
    reason: str = ""


def route_after(first: Route | None, second: Route | None) -> Route | None:
    """Give the route of the second request of a turn, which tells of the first."""
    return replace(second, earlier=(*second.earlier, first)) if first and second else second


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other
