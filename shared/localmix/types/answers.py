"""What comes back: plain frozen records. Durations are seconds as `float`."""

from __future__ import annotations

from dataclasses import dataclass, field

from localmix.types.requests import Message, ToolCall
from localmix.types.servers import Route
from localmix.types.words import FinishReason


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


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of a streamed answer. The last one carries the reason, usage and timings.

    Attributes:
        was_reasoning: Whether the content of all deltas before this one was reasoning: its end
            came, and its beginning never had. `Stream.result` has it in its place.
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


@dataclass(frozen=True, slots=True)
class ChatResult:
    """Hold a whole answer: all deltas folded, with the route it took."""

    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    model: str = ""
    usage: Usage | None = None
    timings: Timings = field(default_factory=Timings)
    route: Route | None = None

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
    """

    vectors: list[list[float]]
    model: str = ""
    usage: Usage | None = None
    timings: Timings = field(default_factory=Timings)
    route: Route | None = None
    skipped: tuple[SkippedText, ...] = ()
