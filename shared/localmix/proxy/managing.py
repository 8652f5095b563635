"""Ollama's endpoints that manage models: pulled and deleted by their servers, copied here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from aiohttp import web

from localmix.dialects.asking import Asked
from localmix.dialects.ollama import managing
from localmix.dialects.ollama.listings import with_tag
from localmix.dialects.ollama.writer import write_error
from localmix.errors import ConfigError, LocalMixError, ModelNotFoundError
from localmix.proxy.aliases import Alias
from localmix.proxy.answering import whole
from localmix.proxy.failures import RefusedError, failure_of
from localmix.proxy.routes import MANAGE, Handler, Route
from localmix.proxy.service import Service

_UNUSED = "the template is stored but not used: servers use their own"
_PUSHES = "models are not sent anywhere from here"
_BLOBS = "models are not made from files here"


class ManagingEndpoints:
    """The calls of Ollama's API that change which models there are, answered."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._aliases = service.aliases

    def routes(self) -> Sequence[Route]:
        """List the endpoints."""
        return [
            Route("POST", "/api/pull", MANAGE, self._pull, has_body=True),
            Route("POST", "/api/copy", MANAGE, self._copy, has_body=True),
            Route("POST", "/api/create", MANAGE, self._create, has_body=True),
            Route("DELETE", "/api/delete", MANAGE, self._delete, has_body=True),
            Route("POST", "/api/push", MANAGE, _refuses(_PUSHES)),
            Route("GET", "/api/blobs/{digest}", MANAGE, _refuses(_BLOBS)),
            Route("POST", "/api/blobs/{digest}", MANAGE, _refuses(_BLOBS)),
        ]

    async def _copy(self, _: web.Request, said: Asked) -> web.StreamResponse:
        source, destination = managing.read_copy(said)
        await self._keep(Alias(name=destination, source=source))
        return web.Response()

    async def _create(self, http: web.Request, said: Asked) -> web.StreamResponse:
        alias = Alias(**managing.read_creation(said)._asdict())
        alias.defaults()  # those that cannot be right are refused now

        async def steps() -> AsyncGenerator[bytes]:
            await self._keep(alias)
            if alias.template:
                yield managing.write_status(_UNUSED)

        return await _told(http, said, alias.name, steps())

    async def _keep(self, alias: Alias) -> None:
        """Keep an alias of what there is, under a name that no server has.

        Raises:
            ModelNotFoundError: There is no such model.
            ConfigError: A server has a model of this name, which would be hidden.
        """
        base = self._aliases.get(alias.source)
        place = await self._service.find(alias.source)
        if await self._service.named(alias.name):
            raise ConfigError(f"A server already has a model called {alias.name!r}.")
        await self._aliases.put(alias.over(base or Alias(name="", source=place.name)))
        self._service.inventory.doubt()

    async def _delete(self, _: web.Request, said: Asked) -> web.StreamResponse:
        name = managing.read_name(said)
        if self._aliases.get(name):
            await self._aliases.remove(name)
        else:
            await self._service.client.delete(name)
        self._service.inventory.doubt()
        return web.Response()

    async def _pull(self, http: web.Request, said: Asked) -> web.StreamResponse:
        name = managing.read_pull(said)
        self._service.check_cloud(name)
        return await _told(http, said, name, self._pulled(name))

    async def _pulled(self, name: str) -> AsyncGenerator[bytes]:
        """Fetch what is not there; afterwards it is listed by the name that was asked for."""
        before = {
            (each.server, each.name) for each in await self._service.client.models_by_server()
        }
        if not await self._is_there(name):
            async with self._service.client.pull(name) as steps:
                async for step in steps:
                    if step.status != "done":
                        yield managing.write_pull_step(step)
        self._service.inventory.doubt()
        listed = {model.name for model in await self._service.inventory.models()}
        if with_tag(name) not in listed:
            await self._name(name, before)

    async def _is_there(self, name: str) -> bool:
        try:
            await self._service.find(name)
        except ModelNotFoundError:
            return False
        return True

    async def _name(self, name: str, before: set[tuple[str, str]]) -> None:
        """Make the name that was asked for an alias of what arrived under another one."""
        try:
            arrived = [await self._service.find(name)]
        except ModelNotFoundError:
            listing = await self._service.client.models_by_server()
            arrived = [each for each in listing if (each.server, each.name) not in before]
        if len(arrived) == 1:
            await self._aliases.put(Alias(name=name, source=arrived[0].name))
            self._service.inventory.doubt()


async def _told(
    http: web.Request, said: Asked, model: str, steps: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Tell of steps as they come, or of the success alone."""
    done = managing.write_status(managing.SUCCESS)
    async with aclosing(steps):
        if not said.flag("stream", absent=True):
            async for _ in steps:
                pass
            return whole(done)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        try:
            async for step in steps:
                if not response.prepared:
                    await response.prepare(http)
                await response.write(step + b"\n")
        except LocalMixError as error:
            if not response.prepared:
                raise
            done = write_error(failure_of(error, model))
    if not response.prepared:
        await response.prepare(http)
    await response.write(done + b"\n")
    await response.write_eof()
    return response


def _refuses(reason: str) -> Handler:
    async def refuse(http: web.Request, _: Asked) -> web.StreamResponse:
        raise RefusedError(501, f"localmix does not serve {http.path}: {reason}.")

    return refuse
