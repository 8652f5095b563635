"""The files of the page, and how they are sent: nothing in them may come from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiohttp import web

from localmix.dialects.asking import Asked
from localmix.proxy.routes import Handler

PAGE = "/localmix"
_HEADERS = {
    # Nothing from elsewhere, no script but the page's own, and no page around it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FILES = {
    PAGE: ("page.html", "text/html"),
    f"{PAGE}/page.css": ("page.css", "text/css"),
    f"{PAGE}/page.js": ("page.js", "text/javascript"),
    f"{PAGE}/plot.js": ("plot.js", "text/javascript"),
    f"{PAGE}/icon.svg": ("icon.svg", "image/svg+xml"),
}


def is_browser(http: web.Request) -> bool:
    """Tell whether a person looks: programs that want to know who is there ask for no page.

    Quirk (Java's HttpURLConnection): it asks for text/html by default; XHTML only browsers ask for.
    """
    return "application/xhtml+xml" in http.headers.get("Accept", "")


def welcome() -> web.Response:
    """Greet a person where programs ask who is there."""
    return _response("welcome.html", "text/html")


def file(name: str, content_type: str) -> Handler:
    """Make the endpoint of a file."""

    async def answer(_: web.Request, __: Asked) -> web.StreamResponse:
        return _response(name, content_type)

    return answer


def _response(name: str, content_type: str) -> web.Response:
    return web.Response(
        body=_read(name), content_type=content_type, charset="utf-8", headers=_HEADERS
    )


@cache
def _read(name: str) -> bytes:
    return files("localmix.proxy.page").joinpath(name).read_bytes()
