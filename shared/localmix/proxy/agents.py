"""The endpoints of agents: Anthropic's messages, and OpenAI's responses."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from localmix.dialects.anthropic.server import AnthropicServer
from localmix.dialects.anthropic.writer import write_count
from localmix.dialects.asking import Asked
from localmix.proxy.answering import Stage, whole
from localmix.proxy.failures import RefusedError
from localmix.proxy.routes import READ, USE, Route
from localmix.types import ChatRequest


class AgentEndpoints:
    """The calls of programs that speak neither Ollama's API nor OpenAI's chats, answered."""

    def __init__(self, anthropic: AnthropicServer, messages: Stage, responses: Stage) -> None:
        self._anthropic = anthropic
        self._messages = messages
        self._responses = responses

    def routes(self) -> Sequence[Route]:
        """List the endpoints, with the right that each one takes."""
        return [
            Route("POST", "/v1/messages", USE, self._message, has_body=True),
            Route("POST", "/v1/messages/count_tokens", USE, self._count, has_body=True),
            Route("POST", "/v1/responses", USE, self._respond, has_body=True),
            Route("GET", "/v1/responses", READ, _no_socket),
        ]

    async def _message(self, http: web.Request, said: Asked) -> web.StreamResponse:
        return await _answered(self._messages, http, said)

    async def _respond(self, http: web.Request, said: Asked) -> web.StreamResponse:
        return await _answered(self._responses, http, said)

    async def _count(self, http: web.Request, said: Asked) -> web.StreamResponse:
        """Count by the server's own tokens, else by what was learned; a program may ask for any.

        Claude Code also names models that nobody has here, and gives up at an error.
        """
        wanted = self._anthropic.read(http.path, said).wanted
        assert isinstance(wanted, ChatRequest)  # noqa: S101  (it reads nothing else)
        told = await self._messages.service.count(wanted)
        return whole(write_count(self._anthropic.yardstick.count(wanted, told)))


async def _no_socket(_: web.Request, __: Asked) -> web.StreamResponse:
    """Send whoever wants a websocket back to HTTP: at 426 Codex goes there at once."""
    raise RefusedError(426, "Responses come over HTTP here, not over a websocket: use POST.")


async def _answered(stage: Stage, http: web.Request, said: Asked) -> web.StreamResponse:
    ask = stage.dialect.read(http.path, said)
    assert isinstance(ask.wanted, ChatRequest)  # noqa: S101  (it reads nothing else)
    return await stage.generate(http, ask, ask.wanted)
