"""A shell in which the programs that `localmix doctor` names are stand-ins, for its commands."""

from __future__ import annotations

import os
import random
import shlex
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from localmix import discovery
from localmix.cli.repairs import TOKEN
from localmix.servers import MEMORY
from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.conftest import TINY_MODELS
from tests.lmstudio import LMStudio
from tests.loopback import LoopbackServer


@dataclass
class Sandbox:
    """Carry out what `doctor` prints.

    Attributes:
        token: What a person puts in where it says `YOUR_TOKEN`.
        ollama: What `ollama serve` starts; a person ends it first where it runs.
        lmstudio: What `lms` is about.
    """

    run: Run
    start: Start
    patch: pytest.MonkeyPatch
    token: str = ""
    ollama: LoopbackServer = field(default_factory=stand_ins.ollama)
    lmstudio: LMStudio = field(default_factory=LMStudio)

    def until_silent(self, *options: str) -> list[str]:
        """Apply the first command that doctor prints, again and again; give the commands."""
        applied: list[str] = []
        while left := [
            each for each in self.run("doctor", "--json", *options).json if each["level"] != "good"
        ]:
            assert len(applied) < 5, left
            applied.append(left[0]["repair"])
            self.apply(applied[-1])
            MEMORY.forget()
            discovery._directories.clear()
            options = ()  # a variable says from now on what `-s` said
        return applied

    def apply(self, command: str) -> None:
        """Do what a shell would."""
        for part in _filled(command, self.token).split(" && "):
            words = shlex.split(part)
            with self.patch.context() as patch:
                while "=" in words[0]:
                    patch.setenv(*words.pop(0).split("=", 1))
                self._carry_out(words)

    def _carry_out(self, words: list[str]) -> None:
        match words:
            case ["export", *pairs]:
                for pair in pairs:
                    self.patch.setenv(*pair.split("=", 1))
            case ["localmix", *rest]:
                ended = self.run(*rest)
                assert ended.code == 0, ended
            case ["ollama", "serve"]:
                self._listen(self.ollama, os.environ.get("OLLAMA_HOST", f"127.0.0.1:{usual()[0]}"))
            case ["lms", *rest]:
                self._lms(rest)
            case ["pip", "install", "localmix[embedded]"]:
                set_engine(self.patch, is_installed=True)
            case ["rm", path]:
                Path(path).unlink()
            case _:
                raise AssertionError(f"nobody knows {words}")

    def _lms(self, words: list[str]) -> None:
        match words:
            case ["server", "start", *rest]:
                port = rest[rest.index("--port") + 1] if "--port" in rest else usual()[1]
                self._listen(self.lmstudio, f"127.0.0.1:{port}")
            case ["server", "stop"]:
                self.lmstudio.stop()
            case ["unload", model]:
                del self.lmstudio.loaded[model]
            case ["load", model, "--context-length", window]:
                self.lmstudio.loaded[model] = model
                self.lmstudio.windows[model] = int(window)
            case _:
                raise AssertionError(f"lms knows no {words}")

    def _listen(self, server: LoopbackServer, place: str) -> None:
        server.stop()
        server.url = f"http://{place}"
        self.start(server)


def _filled(command: str, token: str) -> str:
    return command.replace(TOKEN, token).replace("FOLDER_WITH_GGUF_FILES", str(TINY_MODELS))


def usual() -> tuple[int, int]:
    """Give the usual ports of Ollama and LM Studio, as the test has set them."""
    from localmix import settings

    return settings.OLLAMA_PORT, settings.LMSTUDIO_PORT


def set_usual(patch: pytest.MonkeyPatch, ollama: int = 9, lmstudio: int = 9) -> None:
    """Set the usual ports, so that no server of this machine decides a test."""
    for room in ("settings", "cli.diagnosis", "cli.repairs"):
        patch.setattr(f"localmix.{room}.OLLAMA_PORT", ollama)
        patch.setattr(f"localmix.{room}.LMSTUDIO_PORT", lmstudio)


def set_engine(patch: pytest.MonkeyPatch, *, is_installed: bool) -> None:
    """Have the extra `embedded` installed, or not."""
    found = staticmethod(lambda: is_installed)
    patch.setattr("localmix.embedded.engine.Engine.is_installed", found)


def free_port() -> int:
    """Give a port at which nobody listens, nor at the next; no connection takes one of these."""
    while True:
        port = random.randrange(20_000, 30_000)  # connections of Linux begin at 32768
        try:
            for each in (port, port + 1):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port
