"""How the proxy is watched: figures, a page, and the events that keep the page up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from aiohttp import web

from localmix.dialects.asking import Asked
from localmix.proxy import calls
from localmix.proxy.activity import Activity
from localmix.proxy.board import Board
from localmix.proxy.calls import Calls
from localmix.proxy.failures import RefusedError
from localmix.proxy.metrics import Metrics
from localmix.proxy.requestlog import RequestLog
from localmix.proxy.routes import READ, Route
from localmix.proxy.service import Service
from localmix.proxy.static import FILES, PAGE, file
from localmix.proxy.survey import Survey
from localmix.settings import Settings

# The most pages that may be open: each is written to with every request.
MOST_VIEWERS = 32


class Watching:
    """What happens, followed for those who want to see it.

    Attributes:
        calls: Where the gate begins its calls.
    """

    def __init__(self, settings: Settings, service: Service, activity: Activity) -> None:
        path = settings.proxy_log_requests
        self._log = RequestLog(path) if path else None
        self._survey = Survey(service.client, service.inventory, activity.is_used)
        self._metrics = Metrics(activity, self._survey)
        self._board = Board(activity, self._survey, is_read_only=settings.proxy_read_only)
        self._viewers = 0
        listeners = [
            calls.write_line,
            self._metrics.count,
            *([self._log.write] if self._log else []),
        ]
        self.calls = Calls(*listeners, keeps_words=self._log is not None)
        service.move_listeners.append(self._survey.was_asked)

    async def end(self, _: web.Application) -> None:
        """Let the pages go: they would stay for ever."""
        await self._board.close()

    async def close(self, _: web.Application) -> None:
        """Finish what is written to files."""
        if self._log:
            await asyncio.to_thread(self._log.close)

    def routes(self) -> Sequence[Route]:
        """List the endpoints; all of them only read."""
        return [
            Route("GET", "/metrics", READ, self._figures),
            Route("GET", f"{PAGE}/events", READ, self._events),
            *(Route("GET", path, READ, file(*about)) for path, about in FILES.items()),
        ]

    async def _figures(self, http: web.Request, _: Asked) -> web.StreamResponse:
        await self._survey.look()
        body, content_type = self._metrics.write(http.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _events(self, http: web.Request, _: Asked) -> web.StreamResponse:
        if self._viewers >= MOST_VIEWERS:
            raise RefusedError(503, "Too many pages are open.", retry_after=10.0)
        headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        self._viewers += 1
        try:
            await response.prepare(http)
            if http.method == "GET":
                async with aclosing(self._board.states()) as states:
                    async for state in states:
                        await response.write(b"data: " + state + b"\n\n")
        finally:
            self._viewers -= 1
        return response
