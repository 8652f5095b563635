"""Find what the pages of a built site load from other hosts: `python -m tests.site.elsewhere site`.

Links to other hosts are fine; fonts, scripts, styles and images from there would tell a third party
who reads the documentation.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

# Elements whose address a reader follows, if at all; whatever else has one is loaded.
_FOLLOWED = ("a", "form")
# Kinds of `<link>` that only name another page.
_NAMED = {"alternate", "author", "canonical", "license", "next", "prev"}
_ADDRESSES = ("src", "srcset", "href", "data", "poster", "action")
_OTHER_HOST = re.compile(r"\s*(?:[a-z]+:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\s\"')]+)", re.IGNORECASE)


class _Loads(HTMLParser):
    """Collect what a page loads from other hosts.

    Attributes:
        found: The addresses, in the order of the page.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        given = {name: value or "" for name, value in attrs}
        self.found += _IN_STYLE.findall(given.get("style", ""))
        if tag in _FOLLOWED or set(given.get("rel", "").split()) & _NAMED:
            return
        addresses = (given[name] for name in _ADDRESSES if name in given)
        self.found += [each for each in addresses if _OTHER_HOST.match(each)]

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self.found += _IN_STYLE.findall(data)


def loads(page: str) -> list[str]:
    """List what an HTML page loads from other hosts."""
    reader = _Loads()
    reader.feed(page)
    reader.close()
    return reader.found


def elsewhere(folder: Path) -> Iterator[tuple[Path, str]]:
    """List each file of a site with what it loads from another host."""
    for path in sorted(folder.rglob("*.html")):
        yield from ((path, address) for address in loads(path.read_text()))
    for path in sorted(folder.rglob("*.css")):
        yield from ((path, address) for address in _IN_STYLE.findall(path.read_text()))


def main(folder: Path) -> None:
    """Stop with an error that lists what was found."""
    if not (folder / "index.html").is_file():
        sys.exit(f"{folder} is no site: it has no index.html")
    if found := [f"{path} loads {address}" for path, address in elsewhere(folder)]:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
