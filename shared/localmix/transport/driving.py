"""The driver for ordinary code: it runs flows in the calling thread, and batches in threads.

A driver lives until it is closed, and whatever runs in it ends with it. What may have to end before
that (the batch of a caller who pressed Ctrl-C) has a gate of its own, which opens with that of the
driver. All threads are daemons: nothing keeps the interpreter from ending.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast

from localmix.errors import LocalMixError, TransportError
from localmix.transport.outcomes import last_wall, opened_in
from localmix.transport.over_httpx import HttpWire
from localmix.transport.patience import Patience, closed
from localmix.transport.reading import Drain, Intake, Whole, is_whole
from localmix.transport.seam import Reply, Wire
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

# How long closing a driver waits for what runs beside, which has been told to end.
_FAREWELL = 1.0


class Reading(Iterator[Any]):
    """An open stream: first what has come already, then the rest."""

    def __init__(self, reply: Reply, step: Open, patience: Patience) -> None:
        self._intake = Intake(reply, step, patience)
        self._reply = reply
        self._patience = patience
        self._is_closed = False

    def wait(self) -> None:
        """Read until there is a delta, or the stream has ended."""
        self._intake.expect()
        while self._intake.needs_more():
            self._intake.take(self._reply.read())

    def __next__(self) -> Any:
        if self._intake.needs_more():
            self.wait()
        delta = self._intake.give()
        if delta is None:
            raise StopIteration
        return delta

    def close(self) -> None:
        """Hang up, unless the reply is at its end as well as the answer; once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        with closing(self._reply), suppress(LocalMixError):
            if self._intake.is_complete:
                drain = Drain(self._patience)
                while drain.wants_more(self._reply.read()):
                    pass


class Driver:
    """What drives flows until it is closed; one instance serves many threads."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._end = Gate()
        self._lock = threading.RLock()  # closing may be the work of the garbage collector
        self._threads: set[threading.Thread] = set()

    def run(self, flow: Flow[T], end: Gate | None = None) -> T:
        """Run a flow to its end, or to that of the driver.

        Raises:
            TransportError: Another thread has closed the client.
        """
        end = end or self._end
        said: Sequence[Outcome] | Exception | None = None
        with closing(flow):
            while True:
                try:
                    steps = resume(flow, said)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                said = self._try_all(steps, end)

    def iterate(self, source: Source[None]) -> Generator[Any]:
        """Run a source, and give what it emits; however it ends, its streams are closed.

        Raises:
            TransportError: Another thread has closed the client.
        """
        said: Any = None
        with closing(source), ExitStack() as streams:
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
                        with closing(step.opened.stream) as stream:
                            yield from map(step.take, stream)
                    except LocalMixError as error:
                        said = [error]
                else:
                    said = self._try_all(step, self._end)
                    for each in opened_in(said):
                        streams.enter_context(closing(each.stream))

    def close(self) -> None:
        """End what runs, also in other threads, and hang up."""
        with self._lock:
            self._end.open()
            threads = list(self._threads)
        until = time.monotonic() + _FAREWELL
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(until - time.monotonic(), 0))
        self._wire.close()

    def _try_all(self, steps: Sequence[Step], end: Gate) -> Sequence[Outcome] | Exception:
        """Take steps; what nobody foresaw is given too, for whoever waits for the flow."""
        try:
            return self._take_all(steps, end)
        except LocalMixError:
            raise  # the driver's end: no flow goes on
        except Exception as error:  # noqa: BLE001
            return error

    def _take_all(self, steps: Sequence[Step], end: Gate) -> list[Outcome]:
        if len(steps) == 1 or all(isinstance(step, Spawn) for step in steps):
            outcomes = [self._take(step, end) for step in steps]
        else:
            outcomes = self._take_in_threads(steps, end)
        if end.is_open:
            for each in opened_in(outcomes):
                each.stream.close()
            raise closed()
        return outcomes

    def _take_in_threads(self, steps: Sequence[Step], end: Gate) -> list[Outcome]:
        """Take steps side by side; whoever waits for them may leave at once, and they end then."""
        own_end = Gate()
        forget = end.when_open(own_end.open)
        batch = [_Job(partial(self._take, step, own_end)) for step in steps]
        try:
            for job in batch:
                self._start(job)
            return [job.outcome() for job in batch]
        except BaseException:
            own_end.open()
            raise
        finally:
            forget()

    def _start(self, job: _Job) -> None:
        with self._lock:
            if self._end.is_open:
                raise closed()
            thread = threading.Thread(target=copy_context().run, args=(job.run,), daemon=True)
            thread.name = "localmix"
            job.at_the_end = partial(self._threads.discard, thread)
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError as error:  # the interpreter ends, or the system has no more threads
                self._threads.discard(thread)
                raise TransportError(f"No thread can be started: {error}") from error

    def _take(self, step: Step, end: Gate) -> Outcome:
        try:
            match step:
                case Request():
                    return self._send(step, end)
                case Open():
                    return self._open(step, end)
                case Gather():
                    return self._gather(step, end)
                case _:
                    return Returned(self._do(step, end))
        except LocalMixError as error:
            return error

    def _do(self, step: Read | Call | Wait | Run | Spawn, end: Gate) -> Any:
        match step:
            case Read():
                return next(step.opened.stream, None)
            case Call():
                return step.function()
            case Wait():
                return _wait(step, end)
            case Run():
                return self.run(step.flow, end)
            case Spawn():
                return self._start(_Job(partial(self._run_beside, step.flow)))

    def _run_beside(self, flow: Flow[None]) -> None:
        with last_wall():
            self.run(flow)

    def _send(self, request: Request, end: Gate) -> Response:
        patience = Patience(request, end)
        with closing(self._wire.open(request, patience)) as reply:
            return _read_whole(reply, request, patience)

    def _open(self, step: Open, end: Gate) -> Opened | Response:
        patience = Patience(step.request, end)
        reply = self._wire.open(step.request, patience)
        try:
            if is_whole(reply):
                with closing(reply):
                    return _read_whole(reply, step.request, patience)
            stream = Reading(reply, step, patience)
            stream.wait()
        except BaseException:
            reply.close()
            raise
        return Opened(stream)

    def _gather(self, step: Gather, end: Gate) -> Returned | Response:
        opened = self._open(step.open, end)
        if isinstance(opened, Response):
            return opened
        with closing(opened.stream) as stream:
            return Returned(list(stream))


class _Job:
    """Something that a thread does, and what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._is_over = threading.Event()
        self._value: Any = None
        self._problem: BaseException | None = None
        self.at_the_end: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Do it."""
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001  (whoever waits is told)
            self._problem = error
        finally:
            self.at_the_end()
            self._is_over.set()

    def outcome(self) -> Outcome:
        """Wait for what comes of it."""
        self._is_over.wait()
        if self._problem:
            raise self._problem
        return cast("Outcome", self._value)


def _read_whole(reply: Reply, request: Request, patience: Patience) -> Response:
    whole = Whole(reply, request, patience)
    while (data := reply.read()) is not None:
        whole.take(data)
    return whole.response


def _wait(step: Wait, end: Gate) -> bool:
    """Wait for the gate; also for the end, so that nothing waits longer than that."""
    told = threading.Event()
    forget = [gate.when_open(told.set) for gate in (step.gate, end)]
    try:
        told.wait(step.seconds)
    finally:
        for each in forget:
            each()
    return step.gate.is_open


class Transport:
    """A driver at any time: a new one after each closing, and in each process.

    What is dropped without being closed is closed when nobody holds it any more.
    """

    def __init__(self) -> None:
        self._drivers: dict[int, Driver] = {}
        # Not when the interpreter ends: whoever still asks then would only complain.
        weakref.finalize(self, _close_mine, self._drivers).atexit = False

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; see `Driver`."""
        return self._driver.run(flow)

    def iterate(self, source: Source[None]) -> Generator[Any]:
        """Run a source, and give what it emits; see `Driver`."""
        yield from self._driver.iterate(source)

    def close(self) -> None:
        """End what runs and hang up; the next request begins anew."""
        _close_mine(self._drivers)

    @property
    def _driver(self) -> Driver:
        process = os.getpid()
        driver = self._drivers.get(process)
        if driver is None:
            for parent in list(self._drivers):  # a fork must not use the connections of its parent
                self._drivers.pop(parent, None)
            driver = self._drivers.setdefault(process, Driver(HttpWire()))
        return driver


def _close_mine(drivers: dict[int, Driver]) -> None:
    if driver := drivers.pop(os.getpid(), None):
        driver.close()
