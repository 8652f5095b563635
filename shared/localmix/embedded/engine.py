"""The embedded engine: llama.cpp's server, started when it is needed.

One process for each model file, shared by the whole program, on a free loopback port and with a
random key. What it speaks is the `openai` dialect, like any server.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from localmix.embedded import gguf
from localmix.errors import ConfigError, ModelCrashedError, ModelNotFoundError
from localmix.types import ModelInfo

URL = "embedded:"
INSTALL = 'pip install "localmix[embedded]"'
_SLOTS = 2
_GRACE_SECONDS = 2.0
# A model this small waits for its threads longer than it computes, above all on a busy machine.
_SMALL_BYTES = 64 * 1024 * 1024
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}$")  # llama.cpp finds these from the first
_NO_MODELS = {"clip"}  # the image reader of another model
_SERVE = Path(__file__).with_name("serve.py")


@dataclass(slots=True)
class _Served:
    """Hold a running process and what is needed to talk to it."""

    process: subprocess.Popen[str]
    log: IO[str]
    url: str
    key: str
    window: int | None
    owner: int = field(default_factory=os.getpid)

    def differs(self, window: int | None) -> bool:
        """Tell whether another window is wanted than the one that is served."""
        return window not in (None, self.window)

    def stop(self) -> None:
        if self.owner != os.getpid():
            return  # a fork must not stop what its parent uses
        for pipe in (self.process.stdin, self.process.stdout, self.log):
            if pipe:
                pipe.close()  # the process ends with its input
        try:
            self.process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_served: dict[Path, _Served] = {}
_loading: dict[Path, threading.Lock] = {}


@atexit.register
def stop_all() -> None:
    """Stop every engine of this program."""
    while _served:
        _served.popitem()[1].stop()


@dataclass(frozen=True, slots=True)
class Engine:
    """Serve the GGUF files of some folders.

    Attributes:
        folders: Where the files are; a model is called by its file's name without the ending.
        window: The most tokens to reserve for each request.
    """

    folders: tuple[Path, ...]
    window: int = 8192

    @staticmethod
    def is_installed() -> bool:
        """Tell whether the extra `embedded` is installed."""
        return importlib.util.find_spec("xllamacpp") is not None

    def models(self) -> list[ModelInfo]:
        """List the models; files that cannot be read are passed over here."""
        found = []
        for name, path in self._files().items():
            try:
                model = self._describe(name, path)
            except ModelCrashedError:
                continue
            if model.family not in _NO_MODELS:
                found.append(model)
        return found

    def start(self, name: str, window: int | None = None) -> tuple[str, dict[str, str]]:
        """Serve a model if it is not yet served; return its base URL and headers.

        Args:
            name: Name of the model.
            window: The most tokens to reserve for a request; another window than the one it is
                served with starts it anew. Without one, what is served is good.

        Raises:
            ConfigError: The extra is not installed.
            ModelNotFoundError: No file has this name.
            ModelCrashedError: The file cannot be loaded; the error names it.
        """
        if not self.is_installed():
            raise ConfigError("The embedded engine is not installed.", hint=f"Run: {INSTALL}")
        path = self._files().get(name)
        if path is None:
            raise ModelNotFoundError(
                f"No file {name}.gguf is in {', '.join(map(str, self.folders)) or 'any folder'}.",
                server=URL,
                hint="Set LOCAL_MODELS_PATH to the folder that holds it.",
            )
        with _loading.setdefault(path, threading.Lock()):
            served = _served.get(path)
            if served is None or served.process.poll() is not None or served.differs(window):
                self._drop(path)
                served = _served[path] = _launch(path, self._describe(name, path, window))
        return served.url, {"Authorization": f"Bearer {served.key}"}

    def stop(self, name: str) -> None:
        """Take a model out of memory, if it is there."""
        if path := self._files().get(name):
            with _loading.setdefault(path, threading.Lock()):
                self._drop(path)

    @staticmethod
    def _drop(path: Path) -> None:
        if served := _served.pop(path, None):
            served.stop()

    def _files(self) -> dict[str, Path]:
        """Find the files by name; of two with one name, the first folder's counts."""
        files: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob("*.gguf")):
                if not _LATER_PART.search(path.stem):
                    files.setdefault(path.stem, path.absolute())
        return files

    def _describe(self, name: str, path: Path, window: int | None = None) -> ModelInfo:
        head = gguf.read_head(path)
        family = head.get("general.architecture", "")
        trained = head.get(f"{family}.context_length")
        # Only models made for embedding say how to pool.
        embeds = f"{family}.pooling_type" in head
        served, window = _served.get(path), window or self.window
        return ModelInfo(
            name=name,
            server=URL,
            kind="embedded",
            purpose="embedding" if embeds else "chat",
            loaded=served is not None,
            context_length=trained,
            loaded_context_length=served.window if served else min(trained or window, window),
            embedding_length=head.get(f"{family}.embedding_length"),
            size_bytes=path.stat().st_size,
            family=family,
            parameters=head.get("general.size_label", ""),
            quantization=gguf.QUANTIZATIONS.get(head.get("general.file_type", -1), ""),
            details={"path": str(path), **head},
        )


def _launch(path: Path, model: ModelInfo) -> _Served:
    key = secrets.token_urlsafe(32)
    log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    # -P: the script's folder must not be searched for modules.
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and script)
        [sys.executable, "-P", str(_SERVE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        encoding="utf-8",
    )
    served = _Served(process, log, "", key, model.loaded_context_length)
    order = {
        "path": str(path),
        "name": model.name,
        "key": key,
        "embedding": model.purpose == "embedding",
        "window": model.loaded_context_length,
        "slots": _SLOTS,
        "threads": 1 if path.stat().st_size < _SMALL_BYTES else 0,
    }
    try:
        answer = _ask(process, order)
        if "url" not in answer:
            raise ModelCrashedError(
                f"The embedded engine could not load {path}: {_reason(log) or answer['error']}",
                server=URL,
                hint="Download the file again, or take a smaller model.",
            )
    except BaseException:
        served.stop()
        raise
    served.url = answer["url"]
    return served


def _ask(process: subprocess.Popen[str], order: dict[str, Any]) -> dict[str, Any]:
    """Hand over the order and wait for the answer."""
    try:
        cast("IO[str]", process.stdin).write(json.dumps(order) + "\n")
        cast("IO[str]", process.stdin).flush()
        answer: dict[str, Any] = json.loads(cast("IO[str]", process.stdout).readline())
    except (OSError, ValueError):
        return {"error": f"the process ended with code {process.wait()}."}
    return answer


def _reason(log: IO[str]) -> str:
    """Find llama.cpp's first complaint: `0.00.004 E where: what`."""
    log.seek(0)
    complaints = (line.partition(" E ")[2].strip() for line in log if " E " in line)
    return next(complaints, "")
