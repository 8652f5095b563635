"""OpenAI's endpoints, and LM Studio's older ones, which differ in their listings alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from localmix.dialects.asking import Asked
from localmix.dialects.lmstudio import listings as lmstudio
from localmix.dialects.openai import writer as openai
from localmix.dialects.serving import Listed
from localmix.proxy.answering import Stage, whole
from localmix.proxy.routes import READ, USE, Route
from localmix.types import EmbedRequest, GenerationRequest

_ASKS = ("chat/completions", "completions", "embeddings")


class OpenAIEndpoints:
    """The calls of OpenAI's API under one root, `/v1` or LM Studio's `/api/v0`, answered."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._service = stage.service

    def routes(self) -> Sequence[Route]:
        """List the endpoints, with the right that each one takes."""
        return [
            *self._under("/v1", openai.write_models, openai.write_model),
            *self._under("/api/v0", lmstudio.write_models, lmstudio.write_model),
        ]

    def _under(
        self,
        root: str,
        write_all: Callable[[Sequence[Listed]], bytes],
        write_one: Callable[[Listed], bytes],
    ) -> list[Route]:
        async def models(_: web.Request, __: Asked) -> web.StreamResponse:
            return whole(write_all(await self._service.inventory.models()))

        async def model(http: web.Request, _: Asked) -> web.StreamResponse:
            return whole(write_one(await self._service.show(http.match_info["name"])))

        return [
            Route("GET", f"{root}/models", READ, models),
            Route("GET", f"{root}/models/{{name:.+}}", READ, model),
            *(Route("POST", f"{root}/{name}", USE, self._ask, has_body=True) for name in _ASKS),
        ]

    async def _ask(self, http: web.Request, said: Asked) -> web.StreamResponse:
        ask = self._stage.dialect.read(http.path, said)
        if isinstance(ask.wanted, EmbedRequest):
            return await self._stage.embed(ask, ask.wanted, openai.write_vectors)
        assert isinstance(ask.wanted, GenerationRequest)  # noqa: S101  (it reads nothing else)
        return await self._stage.generate(http, ask, ask.wanted)
