"""Ollama's endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from localmix.dialects.asking import Asked
from localmix.dialects.ollama import listings
from localmix.dialects.ollama.writer import write_done, write_vectors
from localmix.dialects.serving import Load, Unload, Wanted
from localmix.errors import ConfigError
from localmix.proxy.answering import Stage, utc_now, whole
from localmix.proxy.failures import RefusedError
from localmix.proxy.routes import READ, USE, Route
from localmix.proxy.static import is_browser, welcome
from localmix.types import EmbedRequest
from localmix.wire import jsontext


class OllamaEndpoints:
    """The calls of Ollama's API, answered."""

    def __init__(self, stage: Stage, *, is_read_only: bool) -> None:
        self._stage = stage
        self._service = stage.service
        self._is_read_only = is_read_only

    def routes(self) -> Sequence[Route]:
        """List the endpoints, with the right that each one takes."""
        asks = ("chat", "generate", "embed", "embeddings")
        return [
            Route("GET", "/", READ, self._hello),
            Route("GET", "/api/version", READ, self._version),
            Route("GET", "/api/tags", READ, self._tags),
            Route("GET", "/api/ps", READ, self._ps),
            Route("POST", "/api/show", READ, self._show, has_body=True),
            *(Route("POST", f"/api/{name}", USE, self._ask, has_body=True) for name in asks),
        ]

    async def _hello(self, http: web.Request, _: Asked) -> web.StreamResponse:
        return welcome() if is_browser(http) else web.Response(text="Ollama is running")

    async def _version(self, _: web.Request, __: Asked) -> web.StreamResponse:
        return whole(jsontext.ascii_line({"version": listings.VERSION}))

    async def _tags(self, _: web.Request, __: Asked) -> web.StreamResponse:
        return whole(listings.write_tags(await self._service.inventory.models()))

    async def _ps(self, _: web.Request, __: Asked) -> web.StreamResponse:
        return whole(listings.write_ps(await self._service.inventory.models(), utc_now()))

    async def _show(self, _: web.Request, said: Asked) -> web.StreamResponse:
        name = said.text("model") or said.text("name")
        if not name:
            raise ConfigError("model is required")
        return whole(listings.write_show(await self._service.show(name)))

    async def _ask(self, http: web.Request, said: Asked) -> web.StreamResponse:
        ask = self._stage.dialect.read(http.path, said)
        if self._is_read_only and unloads(ask.wanted):
            raise RefusedError(403, "This proxy is read-only: it unloads no models.")
        match ask.wanted:
            case Load() as order:
                await self._service.load(ask, order)
                return whole(write_done(ask, "load", utc_now))
            case Unload():
                await self._service.unload(ask)
                return whole(write_done(ask, "unload", utc_now))
            case EmbedRequest() as request:
                return await self._stage.embed(ask, request, write_vectors)
            case request:
                return await self._stage.generate(http, ask, request)


def unloads(wanted: Wanted) -> bool:
    """Tell whether a model would be taken out of memory, now or after its answer."""
    return isinstance(wanted, Unload) or getattr(wanted, "keep_alive", None) == 0
