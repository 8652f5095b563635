"""The driver for asynchronous code: it runs flows in the running loop.

As in ordinary code, one gate opens when the driver is closed, and whatever waits is woken by it:
the wire for a server, the driver for a gate or a thread. Nothing has to stand around every read.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, closing, suppress
from typing import Any, NamedTuple, TypeVar

import anyio

from localmix.errors import LocalMixError
from localmix.transport.ending import until
from localmix.transport.outcomes import last_wall, opened_in
from localmix.transport.over_httpx import AsyncHttpWire
from localmix.transport.patience import Patience, closed
from localmix.transport.reading import Drain, Intake, Whole, is_whole
from localmix.transport.seam import AsyncReply, AsyncWire
from localmix.wire.flows import (
    Call,
    Emit,
    Flow,
    Forward,
    Gather,
    Open,
    Opened,
    Outcome,
    Read,
    Request,
    Response,
    Returned,
    Run,
    Source,
    Spawn,
    Step,
    Wait,
    resume,
)
from localmix.wire.gate import Gate

T = TypeVar("T")


class AsyncReading(AsyncIterator[Any]):
    """An open stream: first what has come already, then the rest."""

    def __init__(self, reply: AsyncReply, step: Open, patience: Patience) -> None:
        self._intake = Intake(reply, step, patience)
        self._reply = reply
        self._patience = patience
        self._is_closed = False

    async def wait(self) -> None:
        """Read until there is a delta, or the stream has ended."""
        self._intake.expect()
        while self._intake.needs_more():
            self._intake.take(await self._reply.read())

    async def __anext__(self) -> Any:
        if self._intake.needs_more():
            await self.wait()
        delta = self._intake.give()
        if delta is None:
            raise StopAsyncIteration
        return delta

    async def aclose(self) -> None:
        """Hang up, unless the reply is at its end as well as the answer; once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._intake.is_complete:
                with suppress(LocalMixError):
                    drain = Drain(self._patience)
                    while drain.wants_more(await self._reply.read()):
                        pass
        finally:
            await self._reply.close()


class AsyncDriver:
    """What drives flows until it is closed, for many tasks of one loop."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire
        self._end = Gate()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, or to that of the driver.

        Raises:
            TransportError: Another task has closed the client.
        """
        said: Sequence[Outcome] | Exception | None = None
        with closing(flow):
            while True:
                try:
                    steps = resume(flow, said)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                said = await self._try_all(steps)

    async def iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        """Run a source, and give what it emits; however it ends, its streams are closed.

        Raises:
            TransportError: Another task has closed the client.
        """
        said: Any = None
        with closing(source):
            async with AsyncExitStack() as streams:
                while True:
                    try:
                        step = resume(source, said)
                    except StopIteration:
                        return
                    said = []
                    if isinstance(step, Emit):
                        yield step.value
                    elif isinstance(step, Forward):
                        try:
                            async with aclosing(step.opened.stream) as stream:
                                async for delta in stream:
                                    yield step.take(delta)
                        except LocalMixError as error:
                            said = [error]
                    else:
                        said = await self._try_all(step)
                        for each in opened_in(said):
                            await streams.enter_async_context(aclosing(each.stream))

    async def close(self) -> None:
        """End what runs and hang up."""
        self.end()
        if tasks := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(tasks)
        await self._wire.close()

    def end(self) -> None:
        """Tell all that runs to end."""
        self._end.open()

    async def _try_all(self, steps: Sequence[Step]) -> Sequence[Outcome] | Exception:
        """Take steps; what nobody foresaw is given too, for whoever waits for the flow."""
        try:
            return await self._take_all(steps)
        except LocalMixError:
            raise  # the driver's end: no flow goes on
        except Exception as error:  # noqa: BLE001
            return error

    async def _take_all(self, steps: Sequence[Step]) -> list[Outcome]:
        if len(steps) == 1:
            outcomes = [await self._take(steps[0])]
        else:
            outcomes = await self._take_side_by_side(steps)
        if self._end.is_open:
            for each in opened_in(outcomes):
                await each.stream.aclose()
            raise closed()
        return outcomes

    async def _take_side_by_side(self, steps: Sequence[Step]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}

        async def take(place: int) -> None:
            outcomes[place] = await self._take(steps[place])

        try:
            async with anyio.create_task_group() as group:
                for place in range(len(steps)):
                    group.start_soon(take, place)
        except ExceptionGroup as broken:
            raise broken.exceptions[0] from None
        return [outcomes[place] for place in range(len(steps))]

    async def _take(self, step: Step) -> Outcome:
        try:
            match step:
                case Request():
                    return await self._send(step)
                case Open():
                    return await self._open(step)
                case Gather():
                    return await self._gather(step)
                case _:
                    return Returned(await self._do(step))
        except LocalMixError as error:
            return error

    async def _do(self, step: Read | Call | Wait | Run | Spawn) -> Any:
        match step:
            case Read():
                return await anext(step.opened.stream, None)
            case Call():
                with until(self._end):
                    return await asyncio.to_thread(step.function)
            case Wait():
                return await _wait(step, self._end)
            case Run():
                return await self.run(step.flow)
            case Spawn():
                return self._spawn(step.flow)

    async def _send(self, request: Request) -> Response:
        patience = Patience(request, self._end)
        reply = await self._wire.open(request, patience)
        try:
            return await _read_whole(reply, request, patience)
        finally:
            await reply.close()

    async def _open(self, step: Open) -> Opened | Response:
        patience = Patience(step.request, self._end)
        reply = await self._wire.open(step.request, patience)
        try:
            if is_whole(reply):
                response = await _read_whole(reply, step.request, patience)
                await reply.close()
                return response
            stream = AsyncReading(reply, step, patience)
            await stream.wait()
        except BaseException:
            await reply.close()
            raise
        return Opened(stream)

    async def _gather(self, step: Gather) -> Returned | Response:
        opened = await self._open(step.open)
        if isinstance(opened, Response):
            return opened
        async with aclosing(opened.stream) as stream:
            return Returned([delta async for delta in stream])

    def _spawn(self, flow: Flow[None]) -> None:
        task = asyncio.create_task(self._run_beside(flow), name="localmix")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_beside(self, flow: Flow[None]) -> None:
        with last_wall():
            await self.run(flow)


async def _read_whole(reply: AsyncReply, request: Request, patience: Patience) -> Response:
    whole = Whole(reply, request, patience)
    while (data := await reply.read()) is not None:
        whole.take(data)
    return whole.response


async def _wait(step: Wait, end: Gate) -> bool:
    """Wait for the gate; also for the end, so that nothing waits longer than that."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended since
            loop.call_soon_threadsafe(told.set)

    forget = [gate.when_open(tell) for gate in (step.gate, end)]
    try:
        with anyio.move_on_after(step.seconds):
            await told.wait()
    finally:
        for each in forget:
            each()
    return step.gate.is_open


class _Life(NamedTuple):
    """A driver, and the generator that closes it."""

    generator: AsyncGenerator[None]
    driver: AsyncDriver


_Lives = dict[asyncio.AbstractEventLoop, _Life]


class AsyncTransport:
    """A driver for each loop: one instance serves one loop after another.

    A driver lives in an async generator that its loop finalizes, as `asyncio.run` does with all of
    them: it is closed with its loop, and a second `asyncio.run` gets its own. A loop of another
    thread than the main one may be closed without that (LlamaIndex runs such loops), so there no
    connection stays open between two requests. What is dropped without being closed ends when
    nobody holds it any more.

    Args:
        make_wire: Makes the way to servers of a loop; whoever hands one in closes it in its loop.
    """

    def __init__(self, make_wire: Callable[[], AsyncWire] | None = None) -> None:
        self._make_wire = make_wire or _usual_wire
        self._lives: _Lives = {}
        # Not when the interpreter ends: whoever still asks then would only complain.
        weakref.finalize(self, _end_all, self._lives).atexit = False

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; see `AsyncDriver`."""
        return await (await self._driver()).run(flow)

    async def iterate(self, source: Source[None]) -> AsyncGenerator[Any]:
        """Run a source, and give what it emits; see `AsyncDriver`."""
        async with aclosing((await self._driver()).iterate(source)) as values:
            async for value in values:
                yield value

    async def close(self) -> None:
        """End what runs in this loop and hang up; the next request begins anew."""
        if life := self._lives.pop(asyncio.get_running_loop(), None):
            life.driver.end()
            await life.generator.aclose()

    async def _driver(self) -> AsyncDriver:
        loop = asyncio.get_running_loop()
        life = self._lives.get(loop)
        if life is None:
            for other in list(self._lives):
                if other.is_closed():
                    self._lives.pop(other, None)
            driver = AsyncDriver(self._make_wire())
            life = self._lives[loop] = _Life(_living(driver), driver)
            await anext(life.generator)
        return life.driver


def _usual_wire() -> AsyncWire:
    return AsyncHttpWire(keeps=threading.current_thread() is threading.main_thread())


async def _living(driver: AsyncDriver) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await driver.close()


def _end_all(lives: _Lives) -> None:
    """Close what was dropped, each in its own loop; this may run in any thread."""
    while lives:
        loop, life = lives.popitem()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_close_soon, life)


def _close_soon(life: _Life) -> None:
    task = asyncio.ensure_future(life.generator.aclose())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_closing: set[asyncio.Future[None]] = set()
