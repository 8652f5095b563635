"""What a file of the working folder may say before the user trusts it.

Such a file comes with somebody's repository. It may set what cannot send data elsewhere or load
weights; the rest counts once the user has run `localmix config trust`, until the file changes.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from localmix.errors import ConfigError
from localmix.settings.addresses import is_loopback, ollama_host, read_url, split_name
from localmix.settings.files import SettingsFile, user_folder

_NEVER = frozenset(
    {
        *("models_path", "ollama_api_key", "lm_api_token", "tokens"),
        *("proxy_host", "proxy_token", "proxy_allow_origins", "proxy_allow_hosts"),
        *("proxy_allow_cloud", "proxy_models_file", "proxy_log_requests", "cache"),
    }
)
_ADDRESSES = frozenset({"ollama_base_url", "ollama_host", "lm_studio_base_url"})
_MODELS = frozenset({"model", "aliases", "ollama_model", "lm_studio_model"})
# Ollama's names of models that it sends to its cloud: gpt-oss:120b-cloud, qwen3-coder:480b-cloud.
_CLOUD = re.compile(r"[:-]cloud\s*$", re.IGNORECASE)
_log = logging.getLogger("localmix")
_told: set[tuple[Path, str]] = set()


def trusted_part(file: SettingsFile) -> Mapping[str, object]:
    """Give what a file of the working folder may say; warn once of what it may not."""
    withheld = sorted(needing_trust(file))
    if not withheld or is_trusted(file):
        return file.values
    about = (file.path, file.digest)
    if about not in _told:
        _told.add(about)
        _log.warning(
            "%s is not trusted, so %s in it %s ignored. To allow it, look at the file and run:"
            " localmix config trust",
            file.path,
            ", ".join(withheld),
            "is" if len(withheld) == 1 else "are",
        )
    return {name: value for name, value in file.values.items() if name not in withheld}


def needing_trust(file: SettingsFile) -> list[str]:
    """List the keys by which a file could send data elsewhere or load weights."""
    return [name for name, value in file.values.items() if _reaches_out(name, value)]


def is_trusted(file: SettingsFile) -> bool:
    """Tell whether the user has trusted a file as it is now."""
    return _trusted().get(os.path.realpath(file.path)) == file.digest


def trust(file: SettingsFile) -> None:
    """Remember that the user trusts a file as it is now.

    Raises:
        ConfigError: There is no place to remember it.
    """
    store = _store()
    if store is None:
        raise ConfigError("There is no home folder, so trust cannot be remembered.")
    said = _trusted() | {os.path.realpath(file.path): file.digest}
    new = store.with_suffix(f".{os.getpid()}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(said, indent=2))
        new.replace(store)
    except OSError as error:
        raise ConfigError(f"{store} cannot be written: {error.strerror}") from error


def _store() -> Path | None:
    folder = user_folder()
    return folder / "trusted.json" if folder else None


def _trusted() -> dict[str, str]:
    store = _store()
    with suppress(OSError, ValueError, RecursionError):
        said = json.loads(store.read_text()) if store else {}
        return said if isinstance(said, dict) else {}
    return {}


def _reaches_out(name: str, value: object) -> bool:
    if name in _ADDRESSES:
        return not _stays_here(value, is_ollamas_own=name == "ollama_host")
    if name == "servers":
        servers = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
        return any(map(_is_elsewhere, servers))
    if name in _MODELS:
        return any(map(_CLOUD.search, _texts(value)))
    return name in _NEVER


def _is_elsewhere(server: object) -> bool:
    """Tell whether a server is another machine, or is given something to identify the user."""
    if isinstance(server, Mapping):
        return bool(server.keys() & {"token", "headers"}) or not _stays_here(server.get("url"))
    return not _stays_here(split_name(str(server))[1])


def _stays_here(address: object, *, is_ollamas_own: bool = False) -> bool:
    try:
        read = partial(ollama_host, default_port=80) if is_ollamas_own else read_url
        url, credentials = read(str(address))
    except ConfigError:
        return False
    return is_loopback(url) and not credentials


def _texts(value: object) -> list[str]:
    """List the texts in a value, however deep."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [str(value)]
