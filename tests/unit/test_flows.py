"""Flows in both drivers: whatever breaks a step is raised where the flow asked for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from localmix.transport.driving import Transport
from localmix.transport.driving_async import AsyncTransport
from localmix.wire.flows import Flow, call, spawn, together, wait
from localmix.wire.gate import Gate

Run = Callable[[Flow[Any]], Any]


@pytest.fixture
def run(colour: str) -> Run:
    """Give what runs a flow in a colour."""

    async def run_async(flow: Flow[Any]) -> Any:
        transport = AsyncTransport()
        try:
            return await transport.run(flow)
        finally:
            await transport.close()

    def run_sync(flow: Flow[Any]) -> Any:
        transport = Transport()
        try:
            return transport.run(flow)
        finally:
            transport.close()

    return run_sync if colour == "sync" else lambda flow: asyncio.run(run_async(flow))


def broken() -> None:
    raise LookupError("nobody foresaw this")


def breaking() -> Flow[None]:
    yield from call(broken)


def test_a_flow_may_keep_what_broke_its_step(run: Run) -> None:
    def flow() -> Flow[str]:
        try:
            yield from call(broken)
        except LookupError as error:
            return str(error)
        return "nothing broke"

    assert run(flow()) == "nobody foresaw this"


def test_what_it_does_not_keep_reaches_who_asked_as_it_is(run: Run) -> None:
    with pytest.raises(LookupError):
        run(breaking())


def test_one_of_several_side_by_side(run: Run) -> None:
    def good() -> Flow[str]:
        return (yield from call(lambda: "good"))

    def flow() -> Flow[Any]:
        try:
            yield from together([good(), breaking(), good()])
        except LookupError as error:
            return str(error)

    assert run(flow()) == "nobody foresaw this"


def test_whoever_waits_for_a_flow_beside_is_told(run: Run) -> None:
    told, problems = Gate(), []

    def beside() -> Flow[None]:
        try:
            yield from breaking()
        except LookupError as error:
            problems.append(error)
        finally:
            told.open()

    def flow() -> Flow[bool]:
        yield from spawn(beside())
        return (yield from wait(10.0, told))

    assert run(flow())
    assert [str(each) for each in problems] == ["nobody foresaw this"]


def test_what_a_flow_beside_does_not_keep_is_logged(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def flow() -> Flow[None]:
        yield from spawn(breaking())
        for _ in range(100):
            if caplog.records:
                return
            yield from wait(0.1)

    with caplog.at_level(logging.ERROR, "localmix"):
        run(flow())
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[0] is LookupError
