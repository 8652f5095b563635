"""What is wrong with a machine's model servers, judged from facts, and what repairs it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from localmix.embedded.engine import INSTALL, URL
from localmix.settings import LMSTUDIO_PORT, OLLAMA_PORT, Settings
from localmix.settings.addresses import loopback
from localmix.types import ModelInfo, Server
from localmix.types.names import nearest, split_pin

# Less is soon full: agents and retrieval send prompts of several thousand tokens.
_ENOUGH_TOKENS = 8192
_GOOD_TOKENS = 16_384
_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")
_START = {"ollama": "ollama serve", "lms": "lms server start"}
_GET = {"ollama": "localmix pull ollama/qwen3:4b", "lmstudio": "lms get qwen/qwen3-4b"}


@dataclass(frozen=True, slots=True)
class Finding:
    """State one thing: `good`, `advice`, or `trouble` with the command that repairs it."""

    level: Literal["good", "advice", "trouble"]
    what: str
    repair: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what was found out.

    Attributes:
        servers: Where localmix looks, with the verdicts.
        models: What they hold.
        elsewhere: Servers that answer where localmix does not look.
        is_lmstudio_asleep: Whether LM Studio runs, and its server does not.
        other_hosts: Addresses of this machine, other than loopback, at which somebody listens on a
            port of a model server.
        programs: Which of `ollama` and `lms` are installed.
        proxies: Proxy variables that hold for this machine's own servers too.
    """

    settings: Settings
    servers: tuple[Server, ...] = ()
    models: tuple[ModelInfo, ...] = ()
    elsewhere: tuple[Server, ...] = ()
    is_lmstudio_asleep: bool = False
    other_hosts: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    proxies: Mapping[str, str] | None = None

    @property
    def usable(self) -> list[Server]:
        """List the servers that can be used."""
        return [server for server in self.servers if server.kind]


def diagnose(facts: Facts) -> list[Finding]:
    """Judge the facts; the first trouble is the one to repair first."""
    findings = [*_servers(facts)]
    if facts.usable:
        findings += [*_models(facts), *_default_model(facts), *_windows(facts)]
    return [*findings, *_proxies(facts)]


def _servers(facts: Facts) -> Iterator[Finding]:
    for server in facts.usable:
        what = " ".join(filter(None, (server.kind, server.version)))
        yield Finding("good", f"{what} answers at {server.url}. {server.note}".strip())
    for server in facts.servers:
        if server.url == URL and server.problem:
            yield Finding("trouble", server.problem.partition(":")[0] + ".", INSTALL)
        elif re.search(r"token|HTTP 40[13]", server.problem):
            repair = facts.settings.how_to_give_a_token(server.url)
            yield Finding("trouble", f"{server.url} wants a token.", repair)
        elif server.problem and _is_named(server, facts.settings):
            yield from _silent(server, facts)
    if not facts.usable:
        yield from _absent(facts)


def _silent(server: Server, facts: Facts) -> Iterator[Finding]:
    """A server that the user named does not answer."""
    what = f"{server.url} is named in your settings, and cannot be used: it {server.problem}"
    host = re.sub(r":\d+$", "", server.url.partition("://")[2])
    if facts.elsewhere:
        there = facts.elsewhere[0]
        yield Finding("trouble", f"{what} {there.kind} answers at {there.url}.", _use(there))
    elif host in _THIS_MACHINE:
        yield Finding("trouble", what, _start(facts))
    else:
        bind = f"on {host}: OLLAMA_HOST=0.0.0.0 ollama serve, or lms server start --bind 0.0.0.0"
        yield Finding("trouble", what, bind)


def _absent(facts: Facts) -> Iterator[Finding]:
    """No server can be used at all."""
    if facts.is_lmstudio_asleep:
        yield Finding("trouble", "LM Studio runs, but its server is off.", _START["lms"])
    for server in facts.elsewhere if not facts.settings.servers else ():
        what = f"{server.kind} answers at {server.url}, where nobody looks."
        yield Finding("trouble", what, _use(server))
    for host in facts.other_hosts:
        what = f"A server listens at {host}, but not on 127.0.0.1: localmix uses what you name."
        yield Finding("trouble", what, f"export LOCALMIX_SERVERS=http://{host}")
    is_explained = facts.is_lmstudio_asleep or facts.elsewhere or facts.other_hosts
    if not is_explained and not any(_is_named(each, facts.settings) for each in facts.servers):
        yield Finding("trouble", "No model server runs.", _start(facts))


def _models(facts: Facts) -> Iterator[Finding]:
    chats = [model for model in facts.models if model.purpose == "chat"]
    get = next((_GET[server.kind] for server in facts.usable if server.kind in _GET), "")
    if not facts.models:
        yield Finding("trouble", "The servers have no model.", get or "see the server's manual")
    elif not chats:
        yield Finding("trouble", "There are only embedding models: nobody can chat.", get)
    else:
        loaded = sum(model.loaded for model in facts.models)
        yield Finding("good", f"{len(facts.models)} models, {loaded} of them loaded.")


def _default_model(facts: Facts) -> Iterator[Finding]:
    """The model of requests that name none must be there, and able to chat."""
    chats = [model.name for model in facts.models if model.purpose == "chat"]
    usual = [facts.settings.model, *facts.settings.usual_models]
    for wanted in filter(None, usual):
        name = split_pin(wanted)[1] if wanted in facts.settings.usual_models else wanted
        known = [m for m in facts.models if name in (m.name, m.name.removesuffix(":latest"))]
        choice = next(iter(nearest(name, chats)), "<model>")
        if not known and name not in facts.settings.aliases:
            yield Finding(
                "trouble",
                f"Your settings name the model {name}, which no server has.",
                f"localmix pull {quote(name)}, or export LOCALMIX_MODEL={_word(choice)}",
            )
        elif known and all(model.purpose == "embedding" for model in known):
            what = f"Your settings name {name} for chats, but it is an embedding model."
            yield Finding("trouble", what, f"export LOCALMIX_MODEL={_word(choice)}")


def _windows(facts: Facts) -> Iterator[Finding]:
    for model in facts.models:
        window, trained = model.loaded_context_length, model.context_length
        if not (model.loaded and model.purpose == "chat" and window and trained):
            continue
        if window < min(_ENOUGH_TOKENS, trained):
            yield Finding(
                "advice",
                f"{model.name} at {model.server} is loaded for {window:,} tokens of"
                f" {trained:,}: long prompts will be refused.",
                f"localmix load {quote(model.name)} --context {min(_GOOD_TOKENS, trained)}",
            )


def _proxies(facts: Facts) -> Iterator[Finding]:
    for name in facts.proxies or ():
        yield Finding(
            "advice",
            f"{name}_proxy is set, also for this machine: localmix uses no proxy, but other"
            " programs may not reach the servers.",
            "export NO_PROXY=localhost,127.0.0.1,::1",
        )


def _is_named(server: Server, settings: Settings) -> bool:
    """Tell whether the user named this address, rather than that it is one of the usual places."""
    usual = (*loopback(OLLAMA_PORT), *loopback(LMSTUDIO_PORT))
    hinted = [each.url for each in settings.candidates() if each.only_kind]
    return bool(settings.servers) or server.url not in (*usual, *hinted)


def _start(facts: Facts) -> str:
    """Give the commands of the programs that are installed, or say what to install."""
    starts = [_START[program] for program in facts.programs]
    return " or ".join(starts) or "install Ollama (ollama.com/download) or LM Studio (lmstudio.ai)"


def _word(choice: str) -> str:
    """Quote a name for the shell, but not the gap that stands where there is none."""
    return choice if choice == "<model>" else quote(choice)


def _use(server: Server) -> str:
    return f"export LOCALMIX_SERVERS={quote(server.url)}"
