"""A terminal of its own for a command: typed into, read from, interrupted."""

from __future__ import annotations

import codecs
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.cli.conftest import without_colours

_PATIENCE = 30.0
# prompt_toolkit draws what differs from a blank screen: the space is a step to the right.
_PROMPT_AS_DRAWN = ">\x08\x1b[2C"


@dataclass
class Terminal:
    """Hold a running command and what it has written."""

    process: subprocess.Popen[bytes]
    keyboard: int
    written: str = ""
    _seen: int = 0
    _text: codecs.IncrementalDecoder = field(
        # Ctrl-C makes a terminal forget what it has not shown yet, also half a letter.
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def wait_for(self, text: str) -> str:
        """Read until a text has come since the last one; give what came up to there."""
        while text not in self.written[self._seen :]:
            assert self._read(), f"no {text!r} in {self.written!r}"
        begin, self._seen = self._seen, self.written.index(text, self._seen) + len(text)
        return self.written[begin : self._seen]

    def type(self, line: str) -> None:
        os.write(self.keyboard, line.encode() + b"\n")

    def paste(self, text: str) -> None:
        """Hand over a text as terminals do that were asked to say what is pasted."""
        os.write(self.keyboard, b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def press_ctrl_c(self) -> None:
        os.write(self.keyboard, b"\x03")

    def press_ctrl_d(self) -> None:
        os.write(self.keyboard, b"\x04")

    def end(self) -> int:
        """Read the rest, and give the exit code."""
        while self._read():
            pass
        return self.process.wait(_PATIENCE)

    def _read(self) -> bool:
        """Read what comes; tell whether anything did before patience or the command ended."""
        if not select.select([self.keyboard], [], [], _PATIENCE)[0]:
            return False
        try:
            data = os.read(self.keyboard, 65536)
        except OSError:  # the other side is closed
            return False
        text = self._text.decode(data).replace(_PROMPT_AS_DRAWN, "> ")
        self.written += without_colours(text.replace("\r\n", "\n"))
        return bool(data)


@contextmanager
def terminal(*words: str, kind: str = "xterm") -> Iterator[Terminal]:
    """Run `localmix` with some words at a terminal of 80 columns."""
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "localmix.cli", *words],
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509  (it only makes system calls)
        env={**os.environ, "COLUMNS": "80", "TERM": kind, "PROMPT_TOOLKIT_NO_CPR": "1"},
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)
        os.close(keyboard)


def _take_terminal() -> None:
    """Make the terminal the process's own, so that Ctrl-C reaches it, and means something."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs the tests in the background ignores it
