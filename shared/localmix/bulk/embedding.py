"""Texts in a row to vectors in a row, by as many servers as there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

from localmix.bulk.checkpoint import Checkpoint
from localmix.bulk.job import Job, Tell
from localmix.bulk.window import Batch, Window
from localmix.caching.keys import vector_options
from localmix.errors import BadVectorError, ConfigError, ContextLengthError, ProtocolError
from localmix.routing.answering import Answering
from localmix.routing.fleet import Fleet
from localmix.routing.needs import needs_of
from localmix.routing.places import find_places
from localmix.routing.ranking import Ranked
from localmix.routing.weights import weights_of
from localmix.types import Embedded, EmbedRequest, EmbedResult
from localmix.wire.flows import Emit, Flow, Source, call, spawn

# A server reads one batch while the next one is on its way.
_AT_A_SERVER = 2
# How many batches for each worker: so far may a fast server be ahead of a slow one.
_AHEAD = 4
_EMPTY = "It is empty, and an empty text has no embedding."


class Bulk:
    """Any number of texts, with no more of them in memory than are on their way."""

    def __init__(self, answering: Answering, fleet: Fleet) -> None:
        self._answering = answering
        self._fleet = fleet

    def embed(self, job: Job) -> Source[None]:
        """Give an `Embedded` for each text, in their order.

        Every batch is a request like any other: it goes to the server that has least to do, and to
        another one if that fails.
        """
        candidates = yield from find_places(self._fleet, needs_of(job.request))
        best = candidates[0].place
        name = job.request.model if best.is_pinned else best.model.name
        request = job.request.model_copy(update={"model": name, "spread": True})
        candidates = yield from find_places(self._fleet, needs_of(request))  # all that have it
        with ExitStack() as stack:
            tell = stack.enter_context(job.meter())
            texts, done, file = iter(job.texts), 0, None
            if job.checkpoint:
                file = yield from _open(job.checkpoint, candidates, request)
                stack.callback(file.close)
                while known := (yield from call(partial(_restored, file, texts, done))):
                    done += len(known)
                    yield from _given(known, tell)
            workers = _workers(request, len(candidates))
            window = Window(texts, done, request.chunk_size, workers * _AHEAD)
            stack.callback(window.close)
            worker = _Worker(self._answering, request, window)
            yield from spawn(*(worker.work() for _ in range(workers)))
            while batch := (yield from window.give()):
                if file:
                    yield from call(partial(file.add, batch.embedded))
                yield from _given(batch.embedded, tell)


class _Worker:
    """One of several that take batches as long as there are some."""

    def __init__(self, answering: Answering, request: EmbedRequest, window: Window) -> None:
        self._answering = answering
        self._request = request
        self._window = window
        self._length = 0

    def work(self) -> Flow[None]:
        """Embed one batch after the other."""
        while batch := (yield from self._window.take()):
            try:
                batch.embedded = yield from self._embedded(batch)
            except Exception as error:  # noqa: BLE001  (told when it is its turn)
                batch.error = error
            self._window.finish(batch)

    def _embedded(self, batch: Batch) -> Flow[list[Embedded]]:
        reasons = {place: _EMPTY for place, text in _checked(batch) if not text}
        if reasons and not self._request.skip_bad:
            raise ConfigError(f"texts[{batch.start + min(reasons)}] is wrong. {_EMPTY}")
        asked = [place for place, text in enumerate(batch.texts) if text]
        texts = tuple(batch.texts[place] for place in asked)
        vectors: dict[int, list[float]] = {}
        if texts:
            result = yield from self._ask(texts, batch)
            self._check(result)
            reasons |= {asked[text.index]: text.reason for text in result.skipped}
            vectors = dict(zip(asked, result.vectors, strict=True))
        return [
            Embedded(batch.start + place, text, vectors.get(place, []), reasons.get(place, ""))
            for place, text in enumerate(batch.texts)
        ]

    def _ask(self, texts: tuple[str, ...], batch: Batch) -> Flow[EmbedResult]:
        try:
            request = self._request.model_copy(update={"texts": texts})
            return (yield from self._answering.embed(request))
        except (ContextLengthError, BadVectorError) as error:
            last = batch.start + len(batch.texts) - 1
            error.message += f" It is one of texts[{batch.start}] to texts[{last}]."
            raise

    def _check(self, result: EmbedResult) -> None:
        """See that all vectors have one length.

        Raises:
            ProtocolError: They do not.
        """
        length = max(map(len, result.vectors))
        self._length = self._length or length
        if length not in (0, self._length):
            raise ProtocolError(
                f"{result.model} returned vectors of length {length}, others of {self._length}.",
                server=result.route.server.url if result.route else "",
                hint="Servers have different models under this name: pin one server.",
            )


def _checked(batch: Batch) -> Iterator[tuple[int, str]]:
    for place, text in enumerate(batch.texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise ConfigError(f"texts[{batch.start + place}] is not a text, but {kind}.")
        yield place, text


def _restored(file: Checkpoint, texts: Iterator[str], start: int) -> Sequence[Embedded]:
    """Give the next texts with the vectors that are kept of them; none after the last."""
    known = file.read()
    return file.matched(known, list(islice(texts, len(known))), start)


def _given(batch: Sequence[Embedded], tell: Tell) -> Source[None]:
    tell(len(batch))
    for each in batch:
        yield Emit(each)


def _workers(request: EmbedRequest, servers: int) -> int:
    if "concurrency" in request.model_fields_set:
        return request.concurrency
    return _AT_A_SERVER * servers


def _open(path: Path, candidates: Sequence[Ranked], request: EmbedRequest) -> Flow[Checkpoint]:
    """Open a checkpoint for what the vectors hang on; by a digest, if any server tells one."""
    models = [each.place.model for each in candidates]
    digests = [weights_of(model) for model in models if model.digest]
    facts = {"model": min(digests, default=models[0].name), **vector_options(request)}
    return (yield from call(partial(Checkpoint, path, facts)))
