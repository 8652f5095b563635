"""What callers iterate over, in either colour: an answer as it is written, a pull as it goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Generic, Self, TypeVar

from localmix.errors import LocalMixError, StreamInterruptedError
from localmix.servers.progress import Progress
from localmix.types import ChatResult, Delta, Route

T = TypeVar("T")


class Steps(Iterator[T], Generic[T]):
    """What a server does, step by step.

    Nothing is sent before the first step is asked for. To leave early, close it or use it in a
    `with` block: the server then stops.
    """

    def __init__(self, steps: Generator[T]) -> None:
        self._steps = steps
        self._failure: LocalMixError | None = None

    def __next__(self) -> T:
        if self._failure:
            raise self._failure
        try:
            return next(self._steps)
        except StopIteration:
            raise
        except BaseException as error:
            self._failure = _lasting(error)
            raise

    def close(self) -> None:
        """Hang up; the server stops."""
        self._steps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()


class AsyncSteps(AsyncIterator[T], Generic[T]):
    """What a server does, step by step.

    Nothing is sent before the first step is asked for. To leave early, close it or use it in an
    `async with` block: the server then stops.
    """

    def __init__(self, steps: AsyncGenerator[T]) -> None:
        self._steps = steps
        self._failure: LocalMixError | None = None

    async def __anext__(self) -> T:
        if self._failure:
            raise self._failure
        try:
            return await anext(self._steps)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            self._failure = _lasting(error)
            raise

    async def close(self) -> None:
        """Hang up; the server stops."""
        await self._steps.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *about: object) -> None:
        await self.close()


def _lasting(error: BaseException) -> LocalMixError:
    """Give what a stream that has failed says from now on: its end must not look like an end."""
    if isinstance(error, LocalMixError):
        return error
    return StreamInterruptedError(
        f"Reading this stream was interrupted by {type(error).__name__}.",
        hint="Ask again: what came before is in the stream's `result`.",
    )


class _Told:
    """What a stream has brought so far."""

    _progress: Progress

    @property
    def route(self) -> Route | None:
        """The route, once the first delta has come."""
        return self._progress.route

    @property
    def hides_thoughts(self) -> bool:
        """Whether this model has been seen to leave a thought in its content (`was_reasoning`)."""
        return self._progress.hides_thoughts

    @property
    def result(self) -> ChatResult:
        """What has come so far, folded."""
        return self._progress.result


class Stream(_Told, Steps[Delta]):
    """The deltas of an answer; see `Steps`."""

    def __init__(self, deltas: Generator[Delta], progress: Progress) -> None:
        super().__init__(deltas)
        self._progress = progress


class AsyncStream(_Told, AsyncSteps[Delta]):
    """The deltas of an answer; see `AsyncSteps`."""

    def __init__(self, deltas: AsyncGenerator[Delta], progress: Progress) -> None:
        super().__init__(deltas)
        self._progress = progress
