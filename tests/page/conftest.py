"""The browser is started once for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from tests.page import browsing

    if not browsing.CHROMIUM:
        pytest.skip("no Chromium on this machine: make test-page")
    with browsing.browser() as started:
        yield started
