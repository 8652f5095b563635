"""A real browser at the page, which notes what it asks for and what it complains of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.proxy.served import Proxy

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
PATIENCE = 20_000  # milliseconds, also for a machine that is busy with something else


@dataclass
class Visit:
    """A page that is open.

    Attributes:
        asked: The addresses that it asked for.
        complaints: What stands in its console as an error, and what it threw.
    """

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def section(self, name: str) -> Any:
        return self.page.get_by_role("region", name=name)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run the system's Chromium; as root it has no sandbox."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@contextmanager
def visit(
    browser: Browser, front: Proxy, path: str = "/localmix", *, width: int = 1280, **context: Any
) -> Iterator[Visit]:
    """Open the page until the block ends."""
    opened = browser.new_context(viewport={"width": width, "height": 900}, **context)
    page = opened.new_page()
    page.set_default_timeout(PATIENCE)
    seen = Visit(page)
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: seen.complaints.append(said.text) if said.type == "error" else None,
    )
    page.goto(front.url + path)
    try:
        yield seen
    finally:
        opened.close()
