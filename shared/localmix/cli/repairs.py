"""The commands that repair, each where the setting that is wrong was made."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from shlex import quote
from urllib.parse import urlsplit

from localmix.embedded.engine import INSTALL as EXTRA
from localmix.settings import LMSTUDIO_PORT, OLLAMA_PORT, Settings
from localmix.settings.sources import variables
from localmix.types import ModelInfo, Server

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


def start(settings: Settings, url: str, programs: Sequence[str]) -> str:
    """Give the command that has a server listen at an address, or say what to install.

    Args:
        settings: What is said now.
        url: Where; empty for the usual place of whatever is installed.
        programs: Which of `ollama` and `lms` are installed.
    """
    wanted = "lms" if _is_lmstudios(settings, url) else "ollama"
    port = urlsplit(url).port
    match wanted if wanted in programs else next(iter(programs), ""):
        case "ollama":
            return f"{_ollama_host(url)}ollama serve"
        case "lms":
            return f"lms server start --port {port}" if port else "lms server start"
        case _:
            return INSTALL


def run_here(is_engine_installed: bool) -> str:
    """Give the command after which the embedded engine runs models."""
    use_folder = "localmix config set models_path FOLDER_WITH_GGUF_FILES"
    return use_folder if is_engine_installed else f"{EXTRA} && {use_folder}"


def listen(settings: Settings, url: str) -> str:
    """Give the command that has a server on another machine listen for this one."""
    port = urlsplit(url).port or OLLAMA_PORT
    if _is_lmstudios(settings, url):
        return f"lms server start --bind 0.0.0.0 --port {port}"
    return f"OLLAMA_HOST=0.0.0.0:{port} ollama serve"


def hide(server: Server) -> str:
    """Give the command that starts a server for this machine alone."""
    if server.kind == "lmstudio":
        return "lms server stop && lms server start --bind 127.0.0.1"
    here = f"127.0.0.1:{urlsplit(server.url).port}"
    if server.kind == "ollama":
        return f"OLLAMA_HOST={here} ollama serve"
    return "add --host 127.0.0.1 to the command that starts it"


def forget_hint(settings: Settings, there: Server | None, programs: Sequence[str]) -> str:
    """Give the command after which LM Studio is looked for where it is, or not at all."""
    if there:
        return change(settings, "lm_studio_base_url", there.url)
    if "lms" in programs:
        return f"lms server start --port {LMSTUDIO_PORT}"
    return change(settings, "use_lm_studio", "false")


def widen(model: ModelInfo, pinned: str, window: int) -> str:
    """Give the command that loads a model for more tokens."""
    # Versions of LM Studio before 0.4 name no instances, and only `lms` tells them a window.
    if model.kind == "lmstudio" and not model.aliases:
        name = quote(model.name)
        return f"lms unload {name} && lms load {name} --context-length {window}"
    return f"localmix load {quote(pinned)} --num-ctx {window}"


def delete(model: ModelInfo, pinned: str) -> str:
    """Give the command that takes a model off the disk, or say how a person does it."""
    if model.kind == "embedded":
        return f"rm {quote(str(model.details['path']))}"
    if model.kind == "lmstudio":
        return "delete it in LM Studio under My Models"
    return f"localmix rm {quote(pinned)}"


def bypass(exceptions: str) -> str:
    """Give the command after which no program uses a proxy for this machine."""
    hosts = ",".join(filter(None, (exceptions, "localhost,127.0.0.1,::1")))
    return f"export NO_PROXY={quote(hosts)} no_proxy={quote(hosts)}"


def elsewhere(url: str) -> str:
    """Give the command that starts Ollama beside a port that is taken."""
    port = (urlsplit(url).port or OLLAMA_PORT) + 1
    here = f"127.0.0.1:{port}"
    return f"localmix config set ollama_base_url http://{here} && OLLAMA_HOST={here} ollama serve"


def _written(name: str, url: str) -> str:
    return f"{name}={url}" if name else url


def _is_lmstudios(settings: Settings, url: str) -> bool:
    named = settings.named_by(url) == "lm_studio_base_url"
    return named or urlsplit(url).port == LMSTUDIO_PORT


def _ollama_host(url: str) -> str:
    """Write the variable that has Ollama listen at an address; nothing for its usual one."""
    there = urlsplit(url)
    return f"OLLAMA_HOST={there.netloc} " if url and there.port != OLLAMA_PORT else ""
