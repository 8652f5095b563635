"""Take the pictures of the site in docs/images: `make docs`, then `python -m tests.site`.

A page that asks another host for anything is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Request

from tests.page.browsing import browser

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
FOLDER = ROOT / "docs" / "images"
# Where a window ends, how it is coloured, and what it shows.
PICTURES = {1280: ("light", "index.html"), 390: ("dark", "errors.html")}


class Quiet(SimpleHTTPRequestHandler):
    """Serve files without a word."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    with served(SITE) as url, browser() as chromium:
        for width, (colours, path) in PICTURES.items():
            page = chromium.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if colours == "dark" else "light",
            )
            asked: list[str] = []
            page.on("request", partial(_note, asked))
            page.goto(f"{url}/{path}", wait_until="networkidle")
            assert [each for each in asked if not each.startswith((url, "data:"))] == []
            picture = FOLDER / f"site-{width}.png"
            page.screenshot(path=picture)
            print(picture)


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


if __name__ == "__main__":
    main()
