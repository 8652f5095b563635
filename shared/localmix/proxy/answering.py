"""How an answer goes out: at once, or step by step with signs of life while a model loads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from localmix.dialects.parts.passing import PassedDelta, PassedResult, PassedVectors
from localmix.dialects.serving import Ask, ServerDialect, Writer
from localmix.errors import LocalMixError
from localmix.proxy import calls
from localmix.proxy.failures import failure_of
from localmix.proxy.service import Service
from localmix.types import Delta, EmbedRequest, EmbedResult, GenerationRequest


@dataclass(frozen=True, slots=True)
class Pace:
    """When silence is broken, in seconds.

    Attributes:
        first: How long the head is held back: until then an error can have a status of its own.
            Programs and gateways give up after 30 s and more.
        next: How long after that, and after each piece, an empty one is sent.
    """

    first: float = 20.0
    next: float = 15.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What every answer of one dialect needs."""

    service: Service
    dialect: ServerDialect
    pace: Pace = field(default_factory=Pace)

    async def generate(
        self, http: web.Request, ask: Ask, request: GenerationRequest
    ) -> web.StreamResponse:
        """Answer a chat or a completion."""
        with self.service.using(ask):
            return await self._answer(http, ask, request)

    async def _answer(
        self, http: web.Request, ask: Ask, request: GenerationRequest
    ) -> web.StreamResponse:
        writer = self.dialect.writer(ask, utc_now)
        if not ask.is_streamed:
            result = await self.service.whole(ask, request)
            return whole(result.raw if isinstance(result, PassedResult) else writer.whole(result))
        reply = _Reply(http, writer)
        try:
            async with reply.beating(self.pace):
                first, stream = await self.service.open(ask, request)
                async with stream:
                    await reply.say(first)
                    async for delta in stream:
                        await reply.say(delta)
        except LocalMixError as error:
            if not reply.has_begun:
                raise
            await reply.end(writer.broken(failure_of(error, ask.model)))
        else:
            await reply.end(*(() if reply.is_passed else writer.close()))
        return reply.response

    async def embed(
        self, ask: Ask, request: EmbedRequest, write: Callable[[Ask, EmbedResult], bytes]
    ) -> web.StreamResponse:
        """Answer with vectors."""
        result = await self.service.embed(ask, request)
        if isinstance(result, PassedVectors):
            return whole(result.raw)
        return whole(write(ask, result))


class _Reply:
    """A streamed reply, whose head goes out with its first piece."""

    def __init__(self, http: web.Request, writer: Writer) -> None:
        self.is_passed = False
        self._writer = writer
        self._http = http
        self._clock = asyncio.get_running_loop().time
        self._spoke_at = 0.0
        self.response = web.StreamResponse(
            headers={"Content-Type": writer.content_type, "X-Accel-Buffering": "no"}
        )

    @property
    def has_begun(self) -> bool:
        return self.response.prepared

    async def say(self, delta: Delta) -> None:
        if isinstance(delta, PassedDelta):
            self.is_passed = True
            piece = self._writer.passed(delta)
        else:
            piece = self._writer.feed(delta)
        if piece:
            await self._send(piece)

    @asynccontextmanager
    async def beating(self, pace: Pace) -> AsyncIterator[None]:
        """Break the silence, for as long as a block runs: while a model loads, and later."""
        task = asyncio.create_task(self._beat(pace))
        try:
            yield
        finally:
            task.cancel()

    async def _beat(self, pace: Pace) -> None:
        pause = pace.first
        with suppress(ConnectionError):  # whoever answers is told that the caller has left
            while True:
                await asyncio.sleep(pause)
                pause = self._spoke_at + pace.next - self._clock()
                if pause <= 0:
                    await self._send(self._writer.beat())
                    pause = pace.next

    async def _send(self, piece: bytes) -> None:
        """Send one piece, in a write of its own: some programs read no further."""
        self._spoke_at = self._clock()
        if not self.has_begun:
            await self.response.prepare(self._http)
        calls.sent(piece)
        await self.response.write(piece)

    async def end(self, *pieces: bytes) -> None:
        for piece in pieces:
            await self._send(piece)
        await self.response.write_eof()


def whole(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Make a reply of JSON."""
    return web.Response(
        body=body, status=status, content_type="application/json", headers=headers or {}
    )


def utc_now() -> datetime:
    """Give the time for what is written."""
    return datetime.now(UTC)
