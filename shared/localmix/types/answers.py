"""What comes back: plain frozen records. Durations are seconds as `float`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json
from typing_extensions import TypeVar as DefaultTypeVar

from localmix.errors import ConfigError
from localmix.types.checked import unusable
from localmix.types.find_json import json_in
from localmix.types.requests import Message
from localmix.types.servers import Route
from localmix.types.showing import Short, Tabular, table
from localmix.types.tools import ToolCall
from localmix.types.words import FinishReason

N = TypeVar("N", int, float)
P = DefaultTypeVar("P", bound=BaseModel, default=BaseModel)


@dataclass(frozen=True, slots=True, repr=False)
class ToolCallDelta(Short):
    """One piece of a tool call; pieces of one call share its index."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class TokenLogprob(Short):
    """A token with the natural logarithm of its probability, and its likeliest rivals."""

    token: str
    logprob: float
    top: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Usage(Short):
    """The tokens read and written; `None` where the server does not say."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            _sum(self.reasoning_tokens, other.reasoning_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Timings(Short):
    """Where the time went, in seconds; `None` where it is not known.

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


# Not frozen, unlike all other values: a frozen one takes 1.6 us longer to make, a sixth of all that
# a delta costs (benchmarks/long_answers.py). Nothing in localmix changes one.
@dataclass(slots=True, repr=False)
class Delta(Short):
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

    def __str__(self) -> str:
        return self.content


@dataclass(frozen=True, repr=False)
class ChatResult(Tabular, Generic[P]):
    """A whole answer: all deltas folded, with the route it took.

    Attributes:
        form: The class that `response_format` was, if it was one.
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
    form: type[P] | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.content

    @cached_property
    def parsed(self) -> P:
        """The answer as an object of the class that was given as `response_format`.

        Raises:
            UnusableAnswerError: The model wrote no such object; the error says what is wrong.
            ConfigError: No class was given.
        """
        if self.form is None:
            raise ConfigError(
                "This answer has no class to be parsed as.", hint="Pass response_format=YourModel."
            )
        said = self.content or self.reasoning  # some servers take it for thoughts
        try:
            return self.form.model_validate_json(to_json(json_in(said)))
        except ValueError as problem:
            is_cut = self.finish_reason == "length"
            raise unusable(self.form.__name__, problem, said, is_cut=is_cut) from problem

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        return _about(self)

    def _repr_html_(self) -> str:
        text = f'<pre style="white-space: pre-wrap">{escape(self.content)}</pre>'
        return text + table([self])

    def after(self, first: ChatResult[Any]) -> Self:
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
        """The answer as the next message of the conversation."""
        return Message(
            role="assistant",
            content=self.content,
            reasoning=self.reasoning,
            tool_calls=self.tool_calls,
        )


@dataclass(frozen=True, repr=False)
class RunResult(ChatResult[P]):
    """The answer that a run ended with; usage and timings are those of all its turns.

    Attributes:
        messages: The whole conversation: what was asked, calls and their results, the answer.
    """

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class SkippedText(Short):
    """A text that the model returns no vector for.

    Attributes:
        index: Its place among the texts.
        reason: What was wrong, in one sentence.
    """

    index: int
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class EmbedResult(Tabular):
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

    def cells(self) -> dict[str, object]:
        """Give what a table shows."""
        length = max(map(len, self.vectors), default=0)
        return {"vectors": len(self.vectors), "length": length, **_about(self)}


@dataclass(frozen=True, slots=True, repr=False)
class Embedded(Short):
    """One of many texts, with its vector.

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


def _about(result: ChatResult[Any] | EmbedResult) -> dict[str, object]:
    usage, route = result.usage, result.route
    return {
        "model": result.model or (route.model if route else ""),
        "server": route.server.url if route else "",
        "input tokens": usage and usage.input_tokens,
        "output tokens": usage and usage.output_tokens,
        "seconds": result.timings.total,
    }


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other
