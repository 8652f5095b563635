"""Addresses as users write them."""

from __future__ import annotations

import base64
import ipaddress
import re
from urllib.parse import SplitResult, unquote, urlsplit

from localmix.errors import ConfigError

# An address that means "every interface" is reached over loopback.
_UNSPECIFIED = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_LOOPBACK = ("127.0.0.1", "[::1]")
_NAME_AND_ADDRESS = re.compile(r"\s*([\w.-]+)=(.+)", re.DOTALL)
# What people paste: the endpoint that they called, rather than the base URL before it.
_ENDPOINT = re.compile(
    r"(/api/v[01]|/v1|/api)"
    r"(/(chat|chat/completions|completions|responses|messages|embeddings|models"
    r"|generate|embed|tags|ps|show|version|pull))?$"
)


def read_url(
    text: str, *, default_port: int | None = None, lenient: bool = False
) -> tuple[str, dict[str, str]]:
    """Read an address into (base URL, headers for `user:password`).

    A missing scheme means http, and brings the default port; a scheme brings its own; slashes and
    the path of an endpoint (`/v1`, `/api/chat`) are dropped, what comes before it is kept. With
    `lenient`, a bad port is replaced by the default one, as Ollama does with `OLLAMA_HOST`.

    Raises:
        ConfigError: It is no address of an HTTP server.
    """
    parts, has_scheme = _split(text)
    port = _port(parts, text, default_port if lenient else None)
    if port is None and not has_scheme:
        port = default_port
    host = _UNSPECIFIED.get(parts.hostname or "", parts.hostname or "")
    shown_host = f"[{host}]" if ":" in host else host
    path = _ENDPOINT.sub("", parts.path.rstrip("/"))
    headers = {}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    return f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{path}", headers


def ollama_host(text: str, default_port: int) -> tuple[str, dict[str, str]]:
    """Read `OLLAMA_HOST` by Ollama's own rules (envconfig.Host, 0.33.0).

    Blanks and quotes around it are dropped; http means port 80 and https 443; a bad port means the
    default one; ollama.com alone is reached by https.
    """
    cleaned = text.strip().strip("\"'")
    if cleaned == "ollama.com":  # since 0.12.6
        cleaned = "https://ollama.com"
    return read_url(cleaned, default_port=default_port, lenient=True)


def split_name(text: str) -> tuple[str, str]:
    """Split `gpu=https://box:11434` into the name of a server, which may be empty, and the rest."""
    match = _NAME_AND_ADDRESS.fullmatch(text)
    return (match[1], match[2]) if match else ("", text)


def loopback(port: int) -> list[str]:
    """Give both addresses of a port of this machine."""
    return [f"http://{host}:{port}" for host in _LOOPBACK]


def is_loopback(url: str) -> bool:
    """Tell whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(re.fullmatch(r"([\w-]+\.)*localhost", host, re.ASCII))


def _split(text: str) -> tuple[SplitResult, bool]:
    cleaned = text.strip().strip("\"'")
    scheme, has_scheme, rest = cleaned.partition("://")
    if not has_scheme:
        scheme, rest = "http", cleaned
    if rest.count(":") > 1 and "[" not in rest and "@" not in rest:
        rest = f"[{rest}]"  # a bare IPv6 address
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
    except ValueError as error:
        raise _no_address(text) from error
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise _no_address(text)
    return parts, bool(has_scheme)


def _port(parts: SplitResult, text: str, instead: int | None) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        if instead is not None:
            return instead
        raise _no_address(text) from error


def _no_address(text: str) -> ConfigError:
    """Refuse an address, and show of it only what is surely no secret."""
    shown = re.sub(r"(^|//).*@", r"\1***@", re.sub(r"[?#].*", "?***", text), flags=re.DOTALL)
    shown = re.sub(r":(?!//)(?!\d+(/|$))[^:/\]@]+(?=/|\?|$)", ":***", shown)
    return ConfigError(
        f"{shown!r} is not the address of a server.",
        hint="Write it like http://127.0.0.1:11434.",
    )
