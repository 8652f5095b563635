"""The command line, with the extra `cli`. It uses `Client` and nothing below it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Run `localmix`; without the extra, say what to install."""
    try:
        from localmix.cli.app import app

        with level("localmix.requests", logging.ERROR):  # not into a conversation
            app()
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "prompt_toolkit"):
            raise
        sys.stderr.write('The command line is an extra. Run: pip install "localmix[cli]"\n')
        sys.exit(1)
    except KeyboardInterrupt:  # so early or so late that no command is there to end
        sys.exit(130)


@contextmanager
def level(name: str, least: int | str) -> Iterator[None]:
    """Have a logger write what is at least of this level, for a while."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(least)
    try:
        yield
    finally:
        log.setLevel(before)
