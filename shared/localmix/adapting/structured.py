"""Get a value out of a model: ask, read, and ask once more with the reason if it is of no use.

What happens around one question is a generator that yields questions and is sent answers. It knows
nothing of a framework; its adapter's `Form` does, and drivers of either colour run it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from localmix.errors import UnusableAnswerError
from localmix.types.checked import sentence, unusable

Question = TypeVar("Question")
Answer = TypeVar("Answer")
V = TypeVar("V")
A_contra = TypeVar("A_contra", contravariant=True)
V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Answer, V]):
    """What was read out of an answer.

    Attributes:
        answer: The last answer.
        value: The value; `None` where there is a problem.
        problem: Why the answer is of no use.
        is_cut: Whether the limit of tokens cut the answer: it would be cut again.
        first: The answer before it, where it was asked for twice.
    """

    answer: Answer
    value: V | None = None
    problem: ValueError | None = None
    is_cut: bool = False
    first: Answer | None = None

    def error(
        self, name: str, said: str, kind: type[UnusableAnswerError] = UnusableAnswerError
    ) -> UnusableAnswerError:
        """Say that the model wrote no such value; `said` is what it wrote."""
        return unusable(name, self.problem, said, is_cut=self.is_cut, kind=kind)


class Form(Protocol[Question, A_contra, V_co]):
    """Read a framework's answers, and write its questions."""

    def read(self, answer: A_contra, /) -> V_co:
        """Read the value out of a whole answer.

        Raises:
            ValueError: There is none.
        """
        ...

    def is_cut(self, answer: A_contra, /) -> bool:
        """Tell whether the limit of tokens cut the answer."""
        ...

    def again(self, question: Question, answer: A_contra, problem: str, /) -> Question:
        """Write the question once more, with the answer to it and what is wrong with that."""
        ...


Flow = Generator[Question, Answer, Reading[Answer, V]]


def asking(form: Form[Question, Answer, V], question: Question) -> Flow[Question, Answer, V]:
    """Yield the question, take the answer, and ask once more if it is of no use."""
    reading = _read(form, (yield question))
    if reading.problem is None or reading.is_cut:
        return reading
    answer = yield form.again(question, reading.answer, sentence(reading.problem))
    return _read(form, answer, first=reading.answer)


def finish(
    flow: Flow[Question, Answer, V], ask: Callable[[Question], Answer], answer: Answer | None = None
) -> Reading[Answer, V]:
    """Go on asking until the end; `answer` is the one to a question that was taken out before."""
    try:
        while True:
            answer = ask(flow.send(cast("Answer", answer)))
    except StopIteration as end:
        return cast("Reading[Answer, V]", end.value)


async def afinish(
    flow: Flow[Question, Answer, V],
    ask: Callable[[Question], Awaitable[Answer]],
    answer: Answer | None = None,
) -> Reading[Answer, V]:
    """Go on asking until the end; see `finish`."""
    try:
        while True:
            answer = await ask(flow.send(cast("Answer", answer)))
    except StopIteration as end:
        return cast("Reading[Answer, V]", end.value)


def correction(problem: str, schema: str = "") -> str:
    """Tell the model what is wrong with its answer, and what is wanted."""
    wanted = f" that follows this schema: {schema}" if schema else ""
    return f"Error: {problem}. Write it again, as JSON and nothing else{wanted}."


def _read(
    form: Form[Any, Answer, V], answer: Answer, first: Answer | None = None
) -> Reading[Answer, V]:
    try:
        return Reading(answer, form.read(answer), first=first)
    except ValueError as problem:  # pydantic's errors are ValueErrors
        return Reading(answer, problem=problem, is_cut=form.is_cut(answer), first=first)
