"""Listening, and ending: a port, signals, and time for running answers to finish."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from aiohttp import web

from localmix import AsyncClient
from localmix.dialects import KINDS
from localmix.errors import ConfigError, LocalMixError
from localmix.proxy.application import CLIENT, make
from localmix.proxy.refusing import Runner
from localmix.settings import Settings
from localmix.types import Server
from localmix.wire import kin

Tell = Callable[[str, Sequence[Server]], None]
# Seconds for which running answers may go on after the signal to end.
GRACE = 10.0
# Longer than the pools of clients keep a connection: a request must not meet one being closed. It
# also bounds how slowly the head of a request may come.
_KEPT = 75.0
_LINE_BYTES = 8190
_LOOK = 1.0


class Listener:
    """An application on a port of its own; use it in an `async with` block.

    Args:
        settings: Where it listens, who may come in, which servers stand behind it.
        app: The application; made of the settings if it is not given.
        kept: Seconds for which a connection is kept without a request.
        grace: Seconds for which running answers may go on at the end.
    """

    def __init__(
        self,
        settings: Settings,
        app: web.Application | None = None,
        *,
        kept: float = _KEPT,
        grace: float = GRACE,
    ) -> None:
        check(settings)
        self._settings = settings
        self.app = app or make(settings)
        self._runner = Runner(
            self.app,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=kept,
            max_line_size=_LINE_BYTES,
            max_field_size=_LINE_BYTES,
            shutdown_timeout=grace,
        )
        self.port = settings.proxy_port

    @property
    def url(self) -> str:
        """Where it listens."""
        host = self._settings.proxy_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.proxy_host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise await _why(error, self.url) from error
        self.port = site.port
        return self

    async def __aexit__(self, *about: object) -> None:
        await self._runner.cleanup()


def check(settings: Settings) -> None:
    """Refuse to be open to other machines without a token.

    Raises:
        ConfigError: It would be.
    """
    if not _is_loopback(settings.proxy_host) and settings.proxy_token is None:
        raise ConfigError(
            f"Anyone who can reach {settings.proxy_host} could use every model without a token.",
            hint="Set one: --token, or LOCALMIX_PROXY_TOKEN; or listen on 127.0.0.1.",
        )


def run_until_stopped(settings: Settings, tell: Tell | None = None) -> None:
    """Serve until a signal comes; `tell` is given the address and the servers behind it."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(settings, tell))


async def _run(settings: Settings, tell: Tell | None) -> None:
    kin.begin()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stopped.set)
    async with Listener(settings) as listener:
        if tell:
            tell(listener.url, await listener.app[CLIENT].servers())
        gc.freeze()  # what is there now stays: no need to look through it again and again
        await stopped.wait()
        with suppress(NotImplementedError):
            for each in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(each)  # a second one ends it at once


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _why(error: OSError, url: str) -> ConfigError:
    """Say why an address could not be had, and who has it."""
    if error.errno == errno.EADDRINUSE:
        holder = await _holder(url)
        return ConfigError(
            f"{holder} is already listening on {url}.", hint="Use another port: --port 11435."
        )
    return ConfigError(f"Cannot listen on {url}: {error.strerror}.", hint="See --host and --port.")


async def _holder(url: str) -> str:
    """Find out what answers at an address."""
    client = AsyncClient([url], named_probe_timeout=_LOOK, probe_timeout=_LOOK)
    try:
        async with client:
            (server,) = await client.servers()
    except LocalMixError:
        return "Another program"
    if server.note.startswith(kin.PROXY):
        return "Another localmix"
    return KINDS[server.kind].title if server.kind else "Another program"
