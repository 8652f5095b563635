"""`localmix doctor`: what is wrong, and the command that repairs it."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import typer

from localmix import Client
from localmix.cli import exits
from localmix.cli.arguments import Json, Servers, open_client
from localmix.cli.diagnosis import Facts, Finding, diagnose
from localmix.cli.output import say, write_json
from localmix.embedded import Engine
from localmix.errors import (
    AuthenticationError,
    LocalMixError,
    NoServerError,
    UnsupportedFeatureError,
)
from localmix.types import ModelInfo, Server

# Ollama, LM Studio, llama.cpp, vLLM.
USUAL_PORTS = (11434, 1234, 8080, 8000)
# Where LM Studio itself listens, whether its server is on or not (lmstudio-js, August 2026).
LMSTUDIO_APP_PORTS = (41343, 52993, 16141, 39414, 22931)
_PATIENCE = 0.5
# An address for documentation (RFC 5737), which nobody has.
_NOBODYS = "192.0.2.1"
_SIGNS = {"good": ("ok", "green"), "advice": ("advice", "yellow"), "trouble": ("TROUBLE", "red")}


def doctor(servers: Servers = None, as_json: Json = False) -> None:
    """Find out what is wrong with the model servers, and how to repair it."""
    with open_client(servers) as client:
        findings = diagnose(examine(client))
    if as_json:
        write_json(findings)
    else:
        for finding in findings:
            _write(finding)
    if any(finding.level == "trouble" for finding in findings):
        raise typer.Exit(exits.TROUBLE)


def examine(client: Client) -> Facts:
    """Find out the facts; only this machine and what the user named is asked."""
    servers = client.servers()
    models: list[ModelInfo] = []
    try:
        models = [_with_window(client, model) for model in client.models_by_server()]
    except (NoServerError, AuthenticationError):  # what is left serves only what is pinned to it
        servers = [server for server in servers if not server.kind]
    is_usable = any(server.kind for server in servers)
    is_whole = is_usable and not any(server.problem for server in servers)
    return Facts(
        settings=client.settings,
        servers=tuple(servers),
        models=tuple(models),
        elsewhere=() if is_whole else tuple(_elsewhere(servers)),
        is_lmstudio_asleep=not is_usable and any(map(_is_lmstudio, LMSTUDIO_APP_PORTS)),
        other_hosts=() if is_usable else tuple(_listening(USUAL_PORTS)),
        lost=_lost(client, models) if is_usable else {},
        exposed=tuple(_exposed(servers)),
        memory=_memory(),
        programs=tuple(program for program in ("ollama", "lms") if shutil.which(program)),
        is_engine_installed=Engine.is_installed(),
        proxies=_proxies(),
        exceptions=urllib.request.getproxies().get("no", ""),
    )


def _with_window(client: Client, model: ModelInfo) -> ModelInfo:
    """Ask for what a model was trained for, where the listing of its server leaves it out."""
    if model.loaded and model.purpose == "chat" and not model.context_length:
        with suppress(LocalMixError):
            shown = client.show(f"{model.kind}/{model.name}")
            return replace(model, context_length=shown.context_length)
    return model


def _lost(client: Client, models: Sequence[ModelInfo]) -> dict[str, LocalMixError]:
    """Try where requests for the models of the settings would go."""
    lost: dict[str, LocalMixError] = {}
    embedding = {(each.server, each.name) for each in models if each.purpose == "embedding"}
    usual = filter(None, (client.settings.model, *client.settings.usual_models))
    for wanted in usual:
        try:
            found = client.route(wanted)
            if (found.server.url, found.model) in embedding:
                lost[wanted] = UnsupportedFeatureError(f"{found.model} is an embedding model.")
        except NoServerError:
            continue  # its kind of server is away, which is told by itself
        except LocalMixError as error:
            lost[wanted] = error
    return lost


def _exposed(servers: Sequence[Server]) -> Iterator[Server]:
    """List servers that were found at loopback, where they serve others too without a token."""
    for server in servers:
        url = urlsplit(server.url)
        if server.kind and url.port and url.hostname == "127.0.0.1":
            there = [f"http://{each}" for each in _listening([url.port])]
            yield from (replace(server, url=each) for each in there if _serves_anybody(each))


def _serves_anybody(url: str) -> bool:
    with Client([url], tokens={}, probe_timeout=_PATIENCE, named_probe_timeout=_PATIENCE) as client:
        try:
            client.models_by_server()
        except LocalMixError:
            return False
    return True


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a Unix
        return None


def _write(finding: Finding) -> None:
    sign, style = _SIGNS[finding.level]
    say(f"{sign}: {finding.what}", style)
    if finding.repair:
        say(f"    {finding.repair}", "bold", is_command=True)


def _elsewhere(known: Sequence[Server]) -> list[Server]:
    """Look for servers at the usual ports that are not among the known ones."""
    urls = [f"http://127.0.0.1:{port}" for port in USUAL_PORTS]
    asked = [url for url in urls if url not in {server.url for server in known}]
    with Client(asked or None, probe_timeout=_PATIENCE, named_probe_timeout=_PATIENCE) as client:
        return [server for server in client.servers() if server.kind and server.url in asked]


def _is_lmstudio(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/lmstudio-greeting")
        return b'"lmstudio"' in connection.getresponse().read(100)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listening(ports: Sequence[int]) -> Iterator[str]:
    """List where somebody listens on one of the ports at another address of this machine."""
    for address in own_addresses():
        for port in ports:
            try:
                socket.create_connection((address, port), timeout=_PATIENCE).close()
            except OSError:
                continue
            yield f"{address}:{port}"


def own_addresses() -> list[str]:
    """List the addresses of this machine other than loopback, as far as they are to be had."""
    addresses: list[str] = []
    with suppress(OSError):
        addresses += socket.gethostbyname_ex(socket.gethostname())[2]
    # The address that it would send from; to connect a datagram socket sends nothing.
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect((_NOBODYS, 9))
        addresses.append(out.getsockname()[0])
    return [each for each in dict.fromkeys(addresses) if not each.startswith("127.")]


def _proxies() -> tuple[str, ...]:
    """List the proxies that programs use even for 127.0.0.1."""
    if urllib.request.proxy_bypass("127.0.0.1"):
        return ()
    found = urllib.request.getproxies()
    return tuple(name for name in found if name in ("http", "https", "all"))
