"""The vendors that settings of their own name, and what LM Studio leaves on the disk of its port.

Sources: lmstudio-js and lms, August 2026. The vendor calls the folder unstable and says nothing
about whether a server runs, so this is one more place to ask, not evidence.
"""

from __future__ import annotations

import json
from pathlib import Path

from localmix.types import Kind

OLLAMA: Kind = "ollama"
LMSTUDIO: Kind = "lmstudio"


def lmstudio_port(home: Path | None = None) -> int | None:
    """Read the port that LM Studio's server was last started on."""
    try:
        home = home or Path.home()
        config = json.loads(_config_file(home).read_text("utf-8"))
        port = config["port"]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
    ):  # no home, or nothing readable in it
        return None
    return port if isinstance(port, int) and 0 < port < 65536 else None  # noqa: PLR2004


def _config_file(home: Path) -> Path:
    return _lmstudio_home(home) / ".internal" / "http-server-config.json"


def _lmstudio_home(home: Path) -> Path:
    pointer = home / ".lmstudio-home-pointer"
    if pointer.is_file():
        return Path(pointer.read_text().strip())
    old = home / ".cache" / "lm-studio"
    return old if old.is_dir() else home / ".lmstudio"
