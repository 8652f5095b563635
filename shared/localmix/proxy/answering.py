"""How an answer goes out: at once, or step by step with signs of life while a model loads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from localmix.dialects.parts.passing import PassedChat, PassedDelta, PassedResult, Verbatim
from localmix.dialects.serving import Ask, ServerDialect, Writer
from localmix.errors import LocalMixError
from localmix.proxy import calls
from localmix.proxy.failures import failure_of
from localmix.proxy.service import Service
from localmix.streams import AsyncStream
from localmix.types import ChatRequest, Delta, GenerationRequest

Opening = tuple[Delta, AsyncStream]


@dataclass(frozen=True, slots=True)
class Pace:
    """When silence is broken, in seconds.

    Attributes:
        first: How long the head is held back: until then an error can have a status of its own.
            Programs and gateways give up after 30 s and more.
        next: How long after that an empty piece is sent.
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
        writer = self.dialect.writer(ask, utc_now)
        request = self._passed(ask, request)
        if not ask.is_streamed:
            result = await self.service.whole(ask, request)
            return whole(result.raw if isinstance(result, PassedResult) else writer.whole(result))
        reply = _Reply(http, writer)
        try:
            first, stream = await self._beating(reply, self.service.open(ask, request))
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

    def _passed(self, ask: Ask, request: GenerationRequest) -> GenerationRequest:
        """Let a server of the same dialect have the call as it came."""
        if not (isinstance(request, ChatRequest) and self.dialect.may_pass(ask)):
            return request
        said = Verbatim(ask.path, ask.model, ask.said.raw, ask.is_streamed)
        return PassedChat.of(request, said)

    async def _beating(self, reply: _Reply, opening: Awaitable[Opening]) -> Opening:
        """Wait for a stream to open, and break the silence; whoever leaves meanwhile closes it."""
        task = asyncio.ensure_future(opening)
        try:
            pause = self.pace.first
            while not (await asyncio.wait([task], timeout=pause))[0]:
                await reply.send(reply.writer.beat())
                pause = self.pace.next
            return task.result()
        except BaseException:
            task.cancel()
            with suppress(asyncio.CancelledError, LocalMixError):
                _, stream = await task
                await stream.close()
            raise


class _Reply:
    """A streamed reply, whose head goes out with its first piece."""

    def __init__(self, http: web.Request, writer: Writer) -> None:
        self.writer = writer
        self.is_passed = False
        self._http = http
        self.response = web.StreamResponse(
            headers={"Content-Type": writer.content_type, "X-Accel-Buffering": "no"}
        )

    @property
    def has_begun(self) -> bool:
        return self.response.prepared

    async def say(self, delta: Delta) -> None:
        if isinstance(delta, PassedDelta):
            self.is_passed = True
            piece = delta.raw
        else:
            piece = self.writer.feed(delta)
        if piece:
            await self.send(piece)

    async def send(self, piece: bytes) -> None:
        """Send one piece, in a write of its own: some programs read no further."""
        if not self.has_begun:
            await self.response.prepare(self._http)
        calls.sent(piece)
        await self.response.write(piece)

    async def end(self, *pieces: bytes) -> None:
        for piece in pieces:
            await self.send(piece)
        await self.response.write_eof()


def whole(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Make a reply of JSON."""
    return web.Response(
        body=body, status=status, content_type="application/json", headers=headers or {}
    )


def utc_now() -> datetime:
    """Give the time for what is written."""
    return datetime.now(UTC)
