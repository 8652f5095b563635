"""`localmix serve`: one address for every tool."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from localmix import proxy
from localmix.cli import level
from localmix.cli.arguments import Json, Servers
from localmix.cli.output import say, write_json_line, write_table
from localmix.settings import Settings
from localmix.types import Server


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Host = Annotated[
    str | None,
    typer.Option("--host", help="Where to listen; beyond this machine with a token."),
]
Port = Annotated[
    int | None, typer.Option("--port", "-p", min=0, max=65535, help="Port; 0 means any free one.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Token that callers must send; better: LOCALMIX_PROXY_TOKEN."),
]
Origins = Annotated[
    list[str] | None,
    typer.Option("--allow-origin", metavar="ORIGIN", help="A web page that may use it."),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Another host name of this machine."),
]
Cloud = Annotated[
    bool | None, typer.Option("--allow-cloud", help="Pass requests on to cloud models.")
]
ReadOnly = Annotated[
    bool | None, typer.Option("--read-only", help="Let nobody unload or change models.")
]
Quiet = Annotated[bool | None, typer.Option("--quiet", "-q", help="Print only errors.")]
Level = Annotated[LogLevel | None, typer.Option("--log-level", help="How much to log.")]
LogRequests = Annotated[
    Path | None,
    typer.Option("--log-requests", metavar="FILE", help="Write prompts and answers to a file."),
]


def serve(
    host: Host = None,
    port: Port = None,
    servers: Servers = None,
    token: Token = None,
    origins: Origins = None,
    hosts: Hosts = None,
    allow_cloud: Cloud = None,
    read_only: ReadOnly = None,
    quiet: Quiet = None,
    log_level: Level = None,
    log_requests: LogRequests = None,
    as_json: Json = False,
) -> None:
    """Serve the APIs of Ollama, OpenAI and Anthropic, in front of all model servers."""
    settings = Settings.load(
        servers=servers or None,
        proxy_host=host,
        proxy_port=port,
        proxy_token=token,
        proxy_allow_origins=origins or None,
        proxy_allow_hosts=hosts or None,
        proxy_allow_cloud=allow_cloud,
        proxy_read_only=read_only,
        proxy_quiet=quiet,
        proxy_log_level=log_level.value if log_level else None,
        proxy_log_requests=log_requests,
    )
    key = "the token" if settings.proxy_token else "anything"
    tell = _tell_a_program if as_json else partial(_tell_a_person, key)
    with _logging_to_stderr(settings.proxy_log_level):
        proxy.run(settings, None if settings.proxy_quiet else tell)


def _tell_a_program(url: str, servers: Sequence[Server]) -> None:
    write_json_line({"url": url, "servers": servers})


def _tell_a_person(key: str, url: str, servers: Sequence[Server]) -> None:
    say(f"The APIs of Ollama, OpenAI and Anthropic are at {url} (Ctrl-C ends it).")
    usable = [server for server in servers if server.kind]
    if usable:
        say("Behind it:")
        rows = [(each.url, each.kind or "", each.version, each.note) for each in usable]
        write_table(("SERVER", "KIND", "VERSION", "NOTE"), rows)
    else:
        say("No model server answers yet; localmix looks again with every request.")
    say("Point a program at it:")
    say(f"  one that knows Ollama:  {url}", is_command=True)
    say(f"  one that knows OpenAI:  {url}/v1, as key {key}", is_command=True)
    say(f"  a browser, to see it:   {url}/localmix", is_command=True)
    sys.stdout.flush()


@contextmanager
def _logging_to_stderr(least: str) -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("localmix")
    log.addHandler(handler)
    try:
        # Of each request the proxy has a line of its own.
        requests = logging.DEBUG if least == LogLevel.DEBUG else logging.WARNING
        with level("localmix", least.upper()), level("localmix.requests", requests):
            yield
    finally:
        log.removeHandler(handler)
