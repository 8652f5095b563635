"""The embedded engine: llama.cpp's server, started when it is needed.

One process for each model file, shared by the whole program, on a free loopback port and with a
random key. What it speaks is the `openai` dialect, like any server.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from localmix.dialects.reading import Facts
from localmix.embedded import gguf
from localmix.errors import ConfigError, ModelCrashedError, ModelNotFoundError
from localmix.types import ModelInfo
from localmix.wire.forks import after_fork
from localmix.wire.gate import Gate

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
class Served:
    """A process that serves a model, or is about to, and what is needed to talk to it.

    Attributes:
        ready: Opens when the model is loaded, or has failed to load.
    """

    process: subprocess.Popen[str]
    path: Path
    log: IO[str]
    key: str
    window: int | None
    ready: Gate = field(default_factory=Gate)
    answer: dict[str, Any] = field(default_factory=dict)
    _listening: threading.Thread | None = None

    def ask(self, order: dict[str, Any]) -> None:
        """Hand over the order, and listen for the answer; nobody has to wait for it."""
        with suppress(OSError):  # it has ended already: the answer will say so
            cast("IO[str]", self.process.stdin).write(json.dumps(order) + "\n")
            cast("IO[str]", self.process.stdin).flush()
        self._listening = threading.Thread(target=self._listen, name="localmix", daemon=True)
        self._listening.start()

    def address(self) -> tuple[str, dict[str, str]]:
        """Give the base URL and the headers, once it is ready.

        Raises:
            ModelCrashedError: The model could not be loaded.
        """
        if "url" not in self.answer:
            _drop(self.path, self)
            raise ModelCrashedError(
                f"The embedded engine could not load {self.path}: {self.answer['error']}",
                server=URL,
                hint="Download the file again, or use a smaller model.",
            )
        return str(self.answer["url"]), {"Authorization": f"Bearer {self.key}"}

    def is_fit_for(self, window: int | None) -> bool:
        """Tell whether it runs, with the window that is wanted, if any is."""
        return self.process.poll() is None and window in (None, self.window)

    def stop(self) -> None:
        """End the process."""
        with suppress(OSError):
            cast("IO[str]", self.process.stdin).close()  # the process ends with its input
        try:
            self.process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._listening and self._listening.ident:
            self._listening.join()
        cast("IO[str]", self.process.stdout).close()
        self.log.close()

    def _listen(self) -> None:
        try:
            self.answer = self._hear()
        finally:
            self.ready.open()

    def _hear(self) -> dict[str, Any]:
        """Wait for the answer; the log is read now, as `stop` closes it after this thread."""
        try:
            answer: dict[str, Any] = json.loads(cast("IO[str]", self.process.stdout).readline())
        except (OSError, ValueError):
            answer = {"error": f"the process ended with code {self.process.wait()}."}
        return answer if "url" in answer else {"error": _reason(self.log) or answer["error"]}


_served: dict[Path, Served] = {}
_locks: dict[Path, threading.Lock] = {}
# What a forked child has of its parent's engines: kept, so that nothing of it is ever closed.
_of_the_parent: list[Served] = []


@atexit.register
def stop_all() -> None:
    """Stop every engine of this program."""
    while _served:
        _served.popitem()[1].stop()


@after_fork
def _leave_to_the_parent() -> None:
    _of_the_parent.extend(_served.values())
    _served.clear()
    _locks.clear()


def _drop(path: Path, served: Served | None = None) -> None:
    """Stop what serves a file, or only if it is a certain process."""
    if served is None or _served.get(path) is served:
        served = _served.pop(path, None)
        if served:
            served.stop()


@dataclass(frozen=True, slots=True)
class Engine:
    """The server of the GGUF files of some folders.

    Attributes:
        folders: Where the files are; a model is called by its file's name without the ending.
        window: The most tokens to reserve for each request.
    """

    folders: tuple[Path, ...]
    window: int = 8192

    @staticmethod
    def is_installed() -> bool:
        """Tell whether the extra `embedded` is installed."""
        try:
            return importlib.util.find_spec("xllamacpp") is not None
        except OSError:  # no descriptor is left to look with: whoever starts it is told so
            return True

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
        """Serve a model, wait until it is loaded, and return its base URL and headers."""
        loaded = threading.Event()
        served = self.begin(name, window)
        served.ready.when_open(loaded.set)
        loaded.wait()
        return served.address()

    def begin(self, name: str, window: int | None = None) -> Served:
        """Serve a model if it is not yet served, without waiting until it is loaded.

        Args:
            name: Name of the model.
            window: The most tokens to reserve for a request; another window than the one it is
                served with starts it anew. Without one, what is served is good.

        Raises:
            ConfigError: The extra is not installed.
            ModelNotFoundError: No file has this name.
            ModelCrashedError: The file is no model, or no process can be started.
        """
        if not self.is_installed():
            raise ConfigError("The embedded engine is not installed.", hint=f"Run: {INSTALL}")
        path = self._files().get(name)
        if path is None:
            raise ModelNotFoundError(
                f"No file {name}.gguf is in {', '.join(map(str, self.folders)) or 'any folder'}.",
                server=URL,
                hint="Set LOCAL_MODELS_PATH to the folder that contains it.",
            )
        with _locks.setdefault(path, threading.Lock()):
            served = _served.get(path)
            if served is None or not served.is_fit_for(window):
                _drop(path)
                served = _served[path] = _launch(path, self._describe(name, path, window))
        return served

    def stop(self, name: str) -> None:
        """Take a model out of memory, if it is there."""
        if path := self._files().get(name):
            with _locks.setdefault(path, threading.Lock()):
                _drop(path)

    def _files(self) -> dict[str, Path]:
        """Find the files by name; of two with one name, the first folder's counts.

        Raises:
            ModelCrashedError: A folder cannot be looked into.
        """
        files: dict[str, Path] = {}
        for folder in self.folders:
            try:
                found = sorted(folder.rglob("*.gguf"))
            except OSError as error:  # no descriptor is left, or the disk is gone
                raise ModelCrashedError(
                    f"The embedded engine cannot look into {folder}: {error.strerror}",
                    server=URL,
                    hint="Check the folder, and close files that the program does not need.",
                ) from error
            for path in found:
                # Whatever else is called so (a pipe, a folder) might never end when it is read.
                if path.is_file() and not _LATER_PART.search(path.stem):
                    files.setdefault(path.stem, path.absolute())
        return files

    def _describe(self, name: str, path: Path, window: int | None = None) -> ModelInfo:
        head = gguf.read_head(path)
        facts = Facts(head)
        family = facts.text("general.architecture")
        trained = facts.count(f"{family}.context_length") or None
        file_type = facts.count("general.file_type")
        # Only models made for embedding say how to pool.
        embeds = f"{family}.pooling_type" in head
        served, window = _served.get(path), window or self.window
        return ModelInfo(
            name=name,
            server=URL,
            kind="embedded",
            purpose="embedding" if embeds else "chat",
            loaded=served is not None and served.ready.is_open,
            context_length=trained,
            loaded_context_length=served.window if served else min(trained or window, window),
            embedding_length=facts.count(f"{family}.embedding_length") or None,
            size_bytes=path.stat().st_size,
            modified_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            family=family,
            parameters=facts.text("general.size_label"),
            quantization="" if file_type is None else gguf.QUANTIZATIONS.get(file_type, ""),
            details={"path": str(path), **head},
        )


def _launch(path: Path, model: ModelInfo) -> Served:
    key = secrets.token_urlsafe(32)
    order = {
        "path": str(path),
        "name": model.name,
        "key": key,
        "embedding": model.purpose == "embedding",
        "window": model.loaded_context_length,
        "slots": _SLOTS,
        "threads": 1 if (model.size_bytes or 0) < _SMALL_BYTES else 0,
    }
    try:
        process, log = _spawn()
    except OSError as error:  # no temporary folder, no descriptor, no memory
        raise ModelCrashedError(
            f"The embedded engine could not be started: {error}.",
            server=URL,
            hint="It needs a temporary folder, some free descriptors and memory.",
        ) from error
    served = Served(process, path, log, key, model.loaded_context_length)
    served.ask(order)
    return served


def _spawn() -> tuple[subprocess.Popen[str], IO[str]]:
    """Start the process that will serve, and the file that its complaints go to."""
    log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    try:
        # -P: the script's folder must not be searched for modules.
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and script)
            [sys.executable, "-P", str(_SERVE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
        )
    except BaseException:
        log.close()
        raise
    return process, log


def _reason(log: IO[str]) -> str:
    """Find llama.cpp's first complaint: `0.00.004 E where: what`."""
    log.seek(0)  # the process writes at its own end of the file
    complaints = (line.partition(" E ")[2].strip() for line in log if " E " in line)
    return next(complaints, "")
