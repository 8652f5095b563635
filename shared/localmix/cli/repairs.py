"""The commands that repair, each where the setting that is wrong was made."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from shlex import quote
from urllib.parse import urlsplit

from localmix.settings import Settings
from localmix.settings.sources import variables
from localmix.types import Server

_START = {"ollama": "ollama serve", "lms": "lms server start"}
INSTALL = "install Ollama (ollama.com/download) or LM Studio (lmstudio.ai)"
TOKEN = "YOUR_TOKEN"  # noqa: S105  (stands for one)
_TOKENS = {
    "LM_API_TOKEN": ("lm_studio_base_url", "lm_api_token"),
    "OLLAMA_API_KEY": ("ollama_base_url", "ollama_api_key"),
}
_ENVIRONMENT = "environment "


def change(settings: Settings, name: str, value: str | Sequence[str]) -> str:
    """Give the command that changes a setting where it counts.

    What a variable says can only be changed there; all else is weaker than the user's own file.
    """
    source = settings.sources[name]
    values = [value] if isinstance(value, str) else [*value]
    if source.startswith(_ENVIRONMENT):
        return f"export {source.removeprefix(_ENVIRONMENT)}={quote(','.join(values))}"
    if source == "argument":
        return f"export {variables(name)[0]}={quote(','.join(values))}"
    return " ".join(["localmix config set", name, *map(quote, values)])


def use(settings: Settings, server: Server, usable: Sequence[Server], instead_of: str = "") -> str:
    """Give the command after which localmix looks at a server as well, and loses no other.

    Args:
        settings: What is said now.
        server: The server that answers.
        usable: The servers that can be used already.
        instead_of: The address that it replaces.
    """
    if settings.servers:
        named = [_written(each.name, each.url) for each in settings.servers]
        wanted = _written("", instead_of)
        places = [server.url if wanted in each else each for each in named]
        return change(settings, "servers", list(dict.fromkeys([*places, server.url])))
    if server.kind == "ollama":
        is_host = settings.ollama_host and not settings.ollama_base_url
        return change(settings, "ollama_host" if is_host else "ollama_base_url", server.url)
    if server.kind == "lmstudio":
        return change(settings, "lm_studio_base_url", server.url)
    return change(settings, "servers", [*(each.url for each in usable), server.url])


def give_token(settings: Settings, url: str) -> str:
    """Give the command that sets the token of a server, where its address stands."""
    wanted = r"LOCALMIX_TOKEN_\w+|OLLAMA_API_KEY|LM_API_TOKEN"
    said = re.search(wanted, settings.how_to_give_a_token(url))
    if not said:  # an address that nobody named gets no token of Ollama's
        return f"export OLLAMA_BASE_URL={quote(url)} OLLAMA_API_KEY={TOKEN}"
    address, name = _TOKENS.get(said[0], ("servers", "tokens"))
    if address == "ollama_base_url" and not settings.ollama_base_url:
        address = "ollama_host"
    if settings.sources[address].startswith((_ENVIRONMENT, "argument", "default")):
        return f"export {said[0]}={TOKEN}"
    labels = [each.label for each in settings.servers if each.url == url]
    value = TOKEN if name != "tokens" else quote(json.dumps(dict.fromkeys(labels, TOKEN)))
    return f"localmix config set {name} {value}"


def start(programs: Sequence[str]) -> str:
    """Give the commands of the programs that are installed, or say what to install."""
    return " or ".join(_START[program] for program in programs) or INSTALL


def elsewhere(url: str) -> str:
    """Give the command that starts Ollama beside a port that is taken."""
    port = (urlsplit(url).port or 11434) + 1
    here = f"127.0.0.1:{port}"
    return f"localmix config set ollama_base_url http://{here} && OLLAMA_HOST={here} ollama serve"


def _written(name: str, url: str) -> str:
    return f"{name}={url}" if name else url
