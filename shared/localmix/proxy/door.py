"""Who may come in: the same checks for every path, before anything of a request is read.

First the Host, since a page that has rebound its name has an origin that equals it; then the
Origin; then the token; then whether there is such a route, and whether this caller may use it. What
is refused for its Host or Origin is told nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

# Ollama's own list (0.32): pages of this machine, and of programs that are no browsers.
_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d{1,5})?", re.ASCII)
_PROGRAMS = ("app://", "file://", "tauri://", "vscode-webview://", "vscode-file://")
_LOCAL = re.compile(r"([\w-]+\.)*(localhost|local)\.?", re.ASCII)
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?", re.ASCII)

_METHODS = "GET, POST, DELETE, HEAD, OPTIONS"
_HEADERS = (
    *("Authorization", "Content-Type", "User-Agent", "Accept", "X-Requested-With", "OpenAI-Beta"),
    *("x-api-key", "anthropic-version", "anthropic-beta"),
    "anthropic-dangerous-direct-browser-access",
    *("x-stainless-arch", "x-stainless-async", "x-stainless-custom-poll-interval"),
    *("x-stainless-helper-method", "x-stainless-lang", "x-stainless-os"),
    *("x-stainless-package-version", "x-stainless-poll-helper", "x-stainless-retry-count"),
    *("x-stainless-runtime", "x-stainless-runtime-version", "x-stainless-timeout"),
)


@dataclass(frozen=True, slots=True)
class Door:
    """What decides who comes in.

    Attributes:
        token: What callers must show; empty for nothing.
        origins: Pages beside Ollama's own list; `*` at the end stands for anything.
        hosts: Names of this machine beside its own.
    """

    token: str
    origins: Sequence[str] = ()
    hosts: Sequence[str] = ()

    def knows_host(self, host: str) -> bool:
        """Tell whether a Host header names this machine, which no name of a stranger does."""
        match = _HOST.fullmatch(host)
        name = match[1].casefold() if match else ""
        if not name:
            return False
        if _is_address(name.strip("[]")):
            return True  # nobody can make an address point elsewhere
        own = socket.gethostname().casefold()
        return bool(_LOCAL.fullmatch(name)) or name in (own, *map(str.casefold, self.hosts))

    def knows_origin(self, origin: str, host: str) -> bool:
        """Tell whether a page may ask; a caller that is no page has no origin."""
        if not origin or urlsplit(origin).netloc == host or _PAGES.fullmatch(origin):
            return True
        return origin.startswith(_PROGRAMS) or any(_fits(origin, each) for each in self.origins)

    def knows_token(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a caller shows the token, in whichever way programs do."""
        if not self.token:
            return True
        shown = [headers.get("x-api-key", ""), *_shown(headers)]
        # As bytes: text that is not ASCII would raise.
        wanted = self.token.encode()
        fits = [hmac.compare_digest(each.encode("utf-8", "replace"), wanted) for each in shown]
        return any(fits)

    def lets_manage(self, address: str) -> bool:
        """Tell whether a caller may change models: one of this machine, or who knows the token."""
        try:
            return bool(self.token) or ipaddress.ip_address(address).is_loopback
        except ValueError:
            return True  # a socket of this machine has no address

    def answer_headers(self, origin: str) -> dict[str, str]:
        """Let the page of a known origin read the answer."""
        if not origin:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def preflight_headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        """Say what a page of a known origin may send."""
        names = [*_HEADERS, *_open_webui(asked.get("Access-Control-Request-Headers", ""))]
        headers = {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": ", ".join(names),
            "Access-Control-Max-Age": "43200",
        }
        if asked.get("Access-Control-Request-Private-Network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return headers


@lru_cache(maxsize=256)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _fits(origin: str, allowed: str) -> bool:
    if allowed.endswith("*"):
        return origin.startswith(allowed[:-1])
    return origin == allowed


def _shown(headers: Mapping[str, str]) -> list[str]:
    """List what an Authorization header may hold: a token, or it as a name or a password.

    A browser that was given a password sends it by itself, whichever page asks: then it counts from
    the proxy's own page alone.
    """
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return [rest.strip()]
    origin = headers.get("Origin", "")
    is_foreign = origin and urlsplit(origin).netloc != headers.get("Host", "")
    if scheme.casefold() != "basic" or is_foreign:
        return []
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return []
    return [user, password]


def _open_webui(asked: str) -> list[str]:
    """Let Open WebUI name its user."""
    names = [name.strip() for name in asked.casefold().split(",")]
    return [name for name in names if re.fullmatch(r"x-openwebui-[a-z-]{1,40}", name)][:20]
