"""The application: every request through one gate, and every answer with the same headers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from localmix import AsyncClient
from localmix.dialects.anthropic.server import AnthropicServer
from localmix.dialects.asking import Asked
from localmix.dialects.ollama.server import OllamaServer
from localmix.dialects.openai.server import OpenAIServer
from localmix.dialects.responses.server import ResponsesServer
from localmix.dialects.serving import Failure, ServerDialect
from localmix.errors import LocalMixError
from localmix.proxy import calls
from localmix.proxy.activity import Activity
from localmix.proxy.agents import AgentEndpoints
from localmix.proxy.aliases import Aliases
from localmix.proxy.answering import Pace, Stage, whole
from localmix.proxy.body import BodyBounds, read_body
from localmix.proxy.calls import Call, Calls
from localmix.proxy.door import Door
from localmix.proxy.failures import RefusedError, failure_of
from localmix.proxy.managing import ManagingEndpoints
from localmix.proxy.ollama import OllamaEndpoints
from localmix.proxy.openai import OpenAIEndpoints
from localmix.proxy.routes import HEADERS, MANAGE, USE, Route
from localmix.proxy.service import Service
from localmix.proxy.static import is_browser
from localmix.proxy.watching import Watching
from localmix.settings import Settings
from localmix.transport import AsyncTransport
from localmix.transport.over_aiohttp import AiohttpWire
from localmix.wire import kin

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_OLLAMA, _OPENAI, _RESPONSES = OllamaServer(), OpenAIServer(), ResponsesServer()
_ANTHROPIC = AnthropicServer()
_log = logging.getLogger("localmix.proxy")
# The most requests that wait for an answer at once; the servers' own limits come first.
MOST_AT_ONCE = 1024
# What is known of a request on its way: the page that asks, and what comes of it.
_ORIGIN: web.RequestKey[str] = web.RequestKey("origin", str)
_CALL: web.RequestKey[Call] = web.RequestKey("call", Call)
CLIENT: web.AppKey[AsyncClient] = web.AppKey("client", AsyncClient)
_BASIC = 'Basic realm="localmix", charset="UTF-8"'


def make(
    settings: Settings, *, pace: Pace | None = None, bounds: BodyBounds | None = None
) -> web.Application:
    """Make the application; `pace` and `bounds` are handed in by tests."""
    activity, pace, bounds = Activity(), pace or Pace(), bounds or BodyBounds()
    transport, observers = AsyncTransport(AiohttpWire), (calls.hear, activity.hear)
    client = AsyncClient.with_settings(settings, transport, observers)
    aliases = Aliases(settings.proxy_models_file)
    service = Service(
        client,
        aliases,
        allows_cloud=settings.proxy_allow_cloud,
        is_read_only=settings.proxy_read_only,
    )
    watching = Watching(settings, service, activity)
    gate = Gate(settings, watching.calls)
    app = web.Application(middlewares=[gate.pass_through], client_max_size=bounds.bytes)
    for route in (*_routes(service, pace, settings), *watching.routes()):
        app.router.add_route(route.method, route.path, gate.handler(route, bounds))
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, gate.handler(route, bounds))
    app.on_response_prepare.append(gate.sign)
    app.on_shutdown.append(watching.end)

    async def close(_: web.Application) -> None:
        await client.close()

    app.on_cleanup.extend((close, watching.close))
    app[CLIENT] = client
    return app


def _routes(service: Service, pace: Pace, settings: Settings) -> Sequence[Route]:
    """List the endpoints of all APIs."""
    anthropic = AnthropicServer()  # what it learns of tokens is this proxy's own
    stages = (Stage(service, each, pace) for each in (_OLLAMA, _OPENAI, anthropic, _RESPONSES))
    ollama, openai, messages, responses = stages
    endpoints = (
        OllamaEndpoints(ollama, is_read_only=settings.proxy_read_only),
        OpenAIEndpoints(openai),
        AgentEndpoints(anthropic, messages, responses),
        ManagingEndpoints(service),
    )
    return [route for each in endpoints for route in each.routes()]


class Gate:
    """What happens to every request before its endpoint, and to every answer."""

    def __init__(self, settings: Settings, calls: Calls) -> None:
        token = settings.proxy_token
        self._door = Door(
            token.get_secret_value() if token else "",
            settings.proxy_allow_origins,
            settings.proxy_allow_hosts,
        )
        self._is_read_only = settings.proxy_read_only
        self._calls = calls
        self._waiting = 0

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check a request, let it be answered, and turn errors into answers."""
        with self._calls.begin(request.method, request.path) as call:
            request[_CALL] = call
            answer = await self._answer(request, handler)
            call.answered(answer.status, getattr(answer, "body", None))
            return answer

    async def _answer(self, http: web.Request, handler: Handler) -> web.StreamResponse:
        host, origin = http.headers.get("Host", ""), http.headers.get("Origin", "")
        if not self._door.knows_host(host) or not self._door.knows_origin(origin, host):
            return web.Response(status=403)
        http[_ORIGIN] = origin
        if http.method == "OPTIONS":
            return web.Response(status=204, headers=self._door.preflight_headers(http.headers))
        return await self._endpoint(http, handler)

    async def _endpoint(self, http: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not self._door.knows_token(http.headers):
                raise RefusedError(401, "This proxy needs a token.")
            if kin.goes_round(http.headers.get(kin.CAME_THROUGH, "")):
                raise RefusedError(508, "This proxy and another one point at each other.")
            return await handler(http)
        except LocalMixError as error:
            return self._refusal(http, failure_of(error, http[_CALL].asked))
        except web.HTTPException as error:
            return self._refusal(http, Failure(error.status, error.reason), error)
        except Exception as error:  # noqa: BLE001  (the last wall: what nobody foresaw)
            # Its words may be a caller's: only its type and place are told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("%s in %s, line %s", type(error).__name__, place.filename, place.lineno)
            return self._refusal(http, Failure(500, "The proxy failed; see its log."))

    def handler(self, route: Route, bounds: BodyBounds) -> Handler:
        """Make the handler of a route: its right, the limits, the body, the endpoint."""

        async def handle(http: web.Request) -> web.StreamResponse:
            call = http[_CALL]
            call.endpoint = route.path
            if route.right == MANAGE and self._is_read_only:
                raise RefusedError(403, "This proxy is read-only.")
            if route.right == MANAGE and not self._door.lets_manage(http.remote or ""):
                raise RefusedError(403, "Models are managed from this machine, or with a token.")
            if route.right == USE and self._waiting >= MOST_AT_ONCE:
                raise RefusedError(503, "Too many requests are waiting.", retry_after=1.0)
            self._waiting += 1
            try:
                said = await read_body(http, bounds) if route.has_body else Asked({})
                named = said.value("model") or said.value("name") or http.match_info.get("name")
                call.asked = str(named or "")[:200]
                call.question = said.raw
                return await route.handler(http, said)
            finally:
                self._waiting -= 1

        return handle

    async def sign(self, http: web.Request, answer: web.StreamResponse) -> None:
        """Put on every answer what all have."""
        answer.headers.update(HEADERS)
        answer.headers[kin.ANSWERED_BY] = kin.own_name()
        answer.headers.update(self._door.answer_headers(http.get(_ORIGIN, "")))

    def _refusal(
        self, http: web.Request, failure: Failure, error: web.HTTPException | None = None
    ) -> web.Response:
        headers = {"Allow": error.headers["Allow"]} if error and "Allow" in error.headers else {}
        if failure.status == 401:  # noqa: PLR2004
            # A browser asks its user for what it can send by itself.
            headers["WWW-Authenticate"] = _BASIC if is_browser(http) else "Bearer"
        if failure.retry_after:
            headers["Retry-After"] = str(max(round(failure.retry_after), 1))
        dialect = _dialect_of(http.path)
        return whole(dialect.write_error(failure), failure.status, headers)


def _dialect_of(path: str) -> ServerDialect:
    """Tell in whose words a path is answered, also one that does not exist."""
    if path.startswith("/v1/messages"):
        return _ANTHROPIC
    return _OPENAI if path.startswith(("/v1", "/api/v0")) else _OLLAMA
