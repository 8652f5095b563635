"""The body of a call, within bounds: how large, how slow, and in no disguise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from localmix.dialects.asking import Asked
from localmix.proxy.failures import RefusedError


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """What a body may cost.

    Attributes:
        bytes: The most bytes: some images in base64.
        seconds: For the first bytes, and for a small body as a whole.
        bytes_per_second: What must come on average after that.
    """

    bytes: int = 100 * 1024 * 1024
    seconds: float = 30.0
    bytes_per_second: float = 64 * 1024


async def read_body(request: web.Request, bounds: BodyBounds) -> Asked:
    """Read a JSON object.

    Raises:
        RefusedError: It is too large, too slow, or compressed.
        ConfigError: It is no JSON object.
    """
    if request.headers.get("Content-Encoding", "identity").casefold() != "identity":
        raise RefusedError(415, "The body must not be compressed.")
    if (request.content_length or 0) > bounds.bytes:
        raise _too_large(bounds)
    return Asked.of(await _read(request, bounds))


async def _read(request: web.Request, bounds: BodyBounds) -> bytes:
    content = request.content
    if content.is_eof():  # all of it has come already, and needs no clock
        return _within(bounds, content.read_nowait())
    loop = asyncio.get_running_loop()
    pieces: list[bytes] = []
    size, began = 0, loop.time()
    try:
        async with asyncio.timeout_at(began + bounds.seconds) as bound:
            while piece := await content.readany():
                pieces.append(piece)
                size += len(piece)
                if size > bounds.bytes:
                    raise _too_large(bounds)
                bound.reschedule(began + bounds.seconds + size / bounds.bytes_per_second)
    except TimeoutError:
        raise RefusedError(408, "The body of the request arrived too slowly.") from None
    except HttpProcessingError:
        raise RefusedError(400, "The body of the request is not valid HTTP.") from None
    return b"".join(pieces)


def _within(bounds: BodyBounds, body: bytes) -> bytes:
    if len(body) > bounds.bytes:
        raise _too_large(bounds)
    return body


def _too_large(bounds: BodyBounds) -> RefusedError:
    most = bounds.bytes // (1024 * 1024)
    return RefusedError(413, f"The body of the request is larger than {most} MB.")
