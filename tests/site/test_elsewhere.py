"""What a page of the site loads from other hosts is found; what it only links to is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.elsewhere import elsewhere, loads, main

FONT = "https://fonts.example/css"


@pytest.mark.parametrize(
    "page",
    [
        f'<link rel="stylesheet" href="{FONT}">',
        f'<link rel="preconnect" href="{FONT}">',
        f'<script src="{FONT}"></script>',
        f'<img src="{FONT}">',
        f'<iframe src="{FONT}"></iframe>',
        f"<style>@import '{FONT}';</style>",
        f'<p style="background: url({FONT})">',
    ],
)
def test_what_is_loaded_is_found(page: str) -> None:
    assert loads(page) == [FONT]


def test_an_address_without_a_scheme_is_found() -> None:
    assert loads('<script src="//cdn.example/a.js"></script>') == ["//cdn.example/a.js"]


@pytest.mark.parametrize(
    "page",
    [
        f'<a href="{FONT}">',
        f'<link rel="canonical" href="{FONT}">',
        '<link rel="stylesheet" href="assets/main.css">',
        f"<code>@import '{FONT}'</code>",
    ],
)
def test_what_is_not_loaded_is_no_fault(page: str) -> None:
    assert loads(page) == []


def test_a_site_is_searched_through(tmp_path: Path) -> None:
    page, style = tmp_path / "python" / "index.html", tmp_path / "main.css"
    page.parent.mkdir()
    page.write_text(f'<img src="{FONT}">')
    style.write_text(f"body {{ background: url('{FONT}') }}")
    assert list(elsewhere(tmp_path)) == [(page, FONT), (style, FONT)]
    with pytest.raises(SystemExit, match=r"no index\.html"):
        main(tmp_path)
    (tmp_path / "index.html").touch()
    with pytest.raises(SystemExit, match=f"main.css loads {FONT}"):
        main(tmp_path)
