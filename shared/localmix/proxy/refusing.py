"""What is no HTTP, refused in our own words: aiohttp's name it, and repeat what was sent."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from localmix.dialects.ollama.writer import write_error
from localmix.dialects.serving import Failure
from localmix.proxy.answering import whole
from localmix.proxy.routes import HEADERS

_log = logging.getLogger("localmix.proxy")


class _Connection(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what cannot be read, and hang up."""
        _log.info("Refused: %s", type(exc).__name__)
        if request.writer.output_size:
            raise ConnectionError("The answer has already begun.")
        refusal = whole(write_error(Failure(status, "This is not a request.")), status, HEADERS)
        refusal.force_close()
        return refusal


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class Runner(web.AppRunner):
    """What runs an application on connections of ours."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)
