"""A proxy that poses as what it speaks for: it shows what one program has, or all, as its own."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from localmix.dialects.lmstudio.kind import GREETING, LMSTUDIO
from localmix.wire import kin

_OPENAI = "/v1/"
_OF_LM_STUDIO = "/api/v0/"


@web.middleware
async def as_ollama(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Be Ollama alone."""
    if request.path.startswith(_OF_LM_STUDIO):
        raise web.HTTPNotFound(text="404 page not found")
    return await handler(request)


@web.middleware
async def as_lmstudio(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Be LM Studio alone, as its versions 0.3 are."""
    if request.path == LMSTUDIO.evidence:
        return web.json_response(GREETING)
    if request.path.startswith((_OPENAI, _OF_LM_STUDIO)):
        return await handler(request)
    # Quirk (lmstudio, all): status 200 for whatever it does not know.
    said = f"Unexpected endpoint or method. ({request.method} {request.path})"
    return web.json_response({"error": said})


def pose(app: web.Application, as_one: Middleware | None = None) -> None:
    """Be one program, or all; be no proxy, which a client of this process would not ask."""
    if as_one:
        app.middlewares.append(as_one)

    async def unsign(_: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.pop(kin.ANSWERED_BY, None)

    app.on_response_prepare.append(unsign)
