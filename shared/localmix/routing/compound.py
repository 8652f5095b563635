"""Requests that take more than one exchange: tools next to a schema, and many texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import TypeVar

from localmix.errors import BadVectorError, ContextLengthError, LocalMixError, ProtocolError
from localmix.routing.answering import Answering
from localmix.servers.progress import Progress
from localmix.types import (
    ChatRequest,
    ChatResult,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    SkippedText,
    Timings,
    Usage,
)
from localmix.types.fold import unfold
from localmix.wire.flows import Emit, Flow, Source, together

T = TypeVar("T")
_SHOWN = 40


class Compound:
    """Requests that no server can do at once, split, and their answers put together."""

    def __init__(self, answering: Answering, clock: Callable[[], float]) -> None:
        self._one = answering
        self._clock = clock

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""
        tooled, last = _turns(request)
        if tooled is None:
            return (yield from self._one.generate(last))
        first = yield from self._one.generate(tooled)
        if first.tool_calls:
            return first
        return (yield from self._one.generate(last)).after(first)

    def stream(self, request: GenerationRequest, progress: Progress) -> Source[None]:
        """Get an answer as it is written; a turn that may be thrown away is not streamed."""
        tooled, last = _turns(request)
        progress.begin()
        if tooled:
            first = yield from self._one.generate(tooled)
            if first.tool_calls and first.route:
                progress.follow(first.route, None)
                yield Emit(progress.take(unfold(first)))
                return
            progress.come_after(first)
        yield from self._one.stream(last, progress)

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of many texts: several requests at once, all to one model."""
        began = self._clock()
        texts, size = request.texts, request.chunk_size
        results = [(yield from self._embed_chunk(_with_texts(request, texts[:size])))]
        route = results[0].route
        if len(texts) > size and route:
            request = request.model_copy(update={"model": request.model or route.model})
            rest = [_with_texts(request, chunk) for chunk in _chunks(texts[size:], size)]
            flows = [self._embed_chunk(one) for one in rest]
            results += yield from together(flows, at_most=request.concurrency)
        return _joined(results, total=self._clock() - began)

    def _embed_chunk(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Embed some texts; if they are too long for the model, find the one that is."""
        try:
            return (yield from self._one.embed(request))
        except (ContextLengthError, BadVectorError) as error:
            if len(request.texts) == 1:
                return _without_vector(request, error)
        middle = len(request.texts) // 2
        first = yield from self._embed_chunk(_with_texts(request, request.texts[:middle]))
        second = yield from self._embed_chunk(_with_texts(request, request.texts[middle:]))
        return _joined([first, second])


def _without_vector(request: EmbedRequest, error: LocalMixError) -> EmbedResult:
    """Leave the one text of a request out, where that is allowed; else name it."""
    (text,) = request.texts
    error.message += f" The text begins {text[:_SHOWN]!r}."
    if not request.skip_bad:
        raise error
    return EmbedResult(vectors=[[]], skipped=(SkippedText(0, error.message),))


def _turns(request: GenerationRequest) -> tuple[ChatRequest | None, GenerationRequest]:
    """Split a turn that has both tools and a schema: tools first; if none is called, the schema.

    Quirk (ollama 0.12.11, 0.33.0-rc2; llama.cpp b11549): in one turn the grammar of the schema
    keeps the model from calling any tool.
    """
    if not (isinstance(request, ChatRequest) and request.tools and request.response_format):
        return None, request
    last = request.model_copy(update={"tools": (), "tool_choice": "auto"})
    if request.tool_choice == "none":
        return None, last
    return request.model_copy(update={"response_format": None}), last


def _with_texts(request: EmbedRequest, texts: tuple[str, ...]) -> EmbedRequest:
    if len(texts) == len(request.texts):
        return request
    return request.model_copy(update={"texts": texts})


def _chunks(items: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    return (tuple(items[start : start + size]) for start in range(0, len(items), size))


def _joined(results: list[EmbedResult], total: float | None = None) -> EmbedResult:
    """Put the vectors together, if they can be of one model."""
    first = next((result for result in results if result.route), results[0])
    if len(results) == 1:
        return first
    vectors = [vector for result in results for vector in result.vectors]
    lengths = {len(vector) for vector in vectors if vector}
    if len(lengths) > 1:
        raise ProtocolError(
            f"{first.model} returned vectors of different lengths: {sorted(lengths)}.",
            hint="Servers have different models under this name: pin one server.",
        )
    starts = accumulate((len(result.vectors) for result in results), initial=0)
    skipped = tuple(
        replace(text, index=start + text.index)
        for start, result in zip(starts, results, strict=False)
        for text in result.skipped
    )
    usages = [result.usage for result in results if result.usage]
    usage = Usage(sum(each.input_tokens for each in usages), 0)
    return replace(
        first,
        vectors=vectors,
        skipped=skipped,
        usage=usage if len(usages) == len(results) else None,
        timings=Timings(load=first.timings.load, total=total),
    )
