"""The methods of both clients for any number of texts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from localmix.bulk.job import job_of
from localmix.following import AsyncSteps, Steps
from localmix.types import Embedded, EmbedRequest
from localmix.types.options import EmbedOptions
from localmix.types.signatures import naming

if TYPE_CHECKING:
    from localmix.bulk.embedding import Bulk
    from localmix.transport import Transport
    from localmix.wire.flows import Source


class InBulk:
    """Vectors of any number of texts, for ordinary code."""

    _bulk: Bulk

    @property
    def _driver(self) -> Transport:
        raise NotImplementedError

    @naming(EmbedOptions, EmbedRequest)
    def embed_many(
        self,
        texts: Iterable[str],
        *,
        checkpoint: str | Path | None = None,
        progress: Callable[[int], object] | bool = False,
        **options: Unpack[EmbedOptions],
    ) -> Steps[Embedded]:
        """Yield a vector for each of any number of texts, in order, as they are done.

        The texts are read as they are needed, and go to all servers that hold the model, by how
        fast these are; nothing is sent before the first vector is asked for.

            for each in client.embed_many(texts, checkpoint="vectors.part", progress=True):
                table.add(each.text, each.vector)

        Args:
            texts: The texts; where a loop must not be blocked they are read in a thread.
            checkpoint: A file in which to keep what is done. The same call with the same texts
                resumes where it stopped: its vectors are yielded again, without asking a server.
            progress: What to call with the number of texts that are done more, such as the
                `update` of tqdm; `True` draws a bar, in terminals and notebooks (needs rich
                or tqdm).
            **options: See `localmix.EmbedRequest`. `skip_bad` sets texts aside that have no
                vector (`Embedded.reason`), empty ones too; without `concurrency`, each server has
                two requests at once.

        Raises:
            LocalMixError: See `localmix.errors`, after all texts before have been given.
        """
        job = job_of(texts, checkpoint, progress, options)
        return Steps(self._driver.iterate(self._bulk.embed(job)))


class AsyncInBulk:
    """Vectors of any number of texts, for asynchronous code."""

    _bulk: Bulk

    def _iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        raise NotImplementedError

    @naming(EmbedOptions, EmbedRequest)
    def embed_many(
        self,
        texts: Iterable[str],
        *,
        checkpoint: str | Path | None = None,
        progress: Callable[[int], object] | bool = False,
        **options: Unpack[EmbedOptions],
    ) -> AsyncSteps[Embedded]:
        """Get a vector for each of any number of texts; see `Client.embed_many`."""
        job = job_of(texts, checkpoint, progress, options)
        return AsyncSteps(self._iterate(self._bulk.embed(job)))
