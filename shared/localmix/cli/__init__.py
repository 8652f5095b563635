"""The command line, with the extra `cli`. It uses `Client` and nothing below it."""

from __future__ import annotations

import logging
import sys


def main() -> None:
    """Run `localmix`; without the extra, say what to install."""
    try:
        from localmix.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.stderr.write('The command line is an extra. Run: pip install "localmix[cli]"\n')
        sys.exit(1)
    logging.getLogger("localmix.requests").setLevel(logging.ERROR)  # not into a conversation
    try:
        app()
    except KeyboardInterrupt:  # so early or so late that no command is there to end
        sys.exit(130)
