"""What is wrong with a machine's model servers, judged from facts, and what repairs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Literal
from urllib.parse import urlsplit

from localmix.cli import repairs
from localmix.cli.output import size
from localmix.embedded.engine import INSTALL, URL
from localmix.errors import LocalMixError
from localmix.settings import LMSTUDIO_PORT, OLLAMA_PORT, Settings
from localmix.settings.addresses import loopback
from localmix.types import ModelInfo, Server
from localmix.types.names import nearest, split_pin

# Less is soon full: agents and retrieval send prompts of several thousand tokens.
_ENOUGH_TOKENS = 8192
_GOOD_TOKENS = 16_384
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_GET = {
    "ollama": "localmix pull ollama/qwen3:4b",
    "lmstudio": "lms get qwen/qwen3-4b",
    "embedded": "put a chat model's .gguf file into a folder of `localmix config get models_path`",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """State one thing: `good`, `advice`, or `trouble` with the command that repairs it."""

    level: Literal["good", "advice", "trouble"]
    what: str
    repair: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out.

    Attributes:
        servers: Where localmix looks, with the verdicts.
        models: What they hold.
        elsewhere: Servers that answer where localmix does not look.
        is_lmstudio_asleep: Whether LM Studio runs, and its server does not.
        lost: Why requests for a model of the settings would fail, by the model's name.
        exposed: Servers of this machine, at addresses at which others can use them too.
        memory: Bytes of memory of this machine; `None` where that is not known.
        other_hosts: Addresses of this machine, other than loopback, at which somebody listens on a
            port of a model server.
        programs: Which of `ollama` and `lms` are installed.
        is_engine_installed: Whether the embedded engine could run models.
        proxies: Proxy variables that hold for this machine's own servers too.
        exceptions: What the variable says for which no proxy is used.
    """

    settings: Settings
    servers: tuple[Server, ...] = ()
    models: tuple[ModelInfo, ...] = ()
    elsewhere: tuple[Server, ...] = ()
    is_lmstudio_asleep: bool = False
    lost: Mapping[str, LocalMixError] = field(default_factory=dict)
    exposed: tuple[Server, ...] = ()
    memory: int | None = None
    other_hosts: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    is_engine_installed: bool = False
    proxies: tuple[str, ...] = ()
    exceptions: str = ""

    @property
    def usable(self) -> list[Server]:
        """The servers that can be used."""
        return [server for server in self.servers if server.kind]


def diagnose(facts: Facts) -> list[Finding]:
    """Judge the facts; the first trouble is the one to repair first."""
    findings = [*_servers(facts)]
    if facts.usable:
        findings += [*_models(facts), *_default_model(facts), *_windows(facts)]
        findings += [*_too_large(facts), *_differing(facts), *_exposed(facts)]
    return [*findings, *_proxies(facts)]


def _servers(facts: Facts) -> Iterator[Finding]:
    for server in facts.usable:
        what = " ".join(filter(None, (server.kind, server.version)))
        yield Finding("good", f"{what} answers at {server.url}. {server.note}".strip())
    hinted = _hinted(facts.settings)
    for server in facts.servers:
        if server.url == URL and server.problem:
            yield Finding("trouble", server.problem.partition(":")[0] + ".", INSTALL)
        elif re.search(r"token|HTTP 40[13]", server.problem):
            yield Finding(
                "trouble",
                f"{server.url} needs a token, or a different one: it {server.problem}",
                repairs.give_token(facts.settings, server.url),
            )
        elif "not as a model server" in server.problem and server.url not in hinted:
            what = f"A program that is not a model server is at {server.url}: {server.problem}"
            yield Finding("trouble", what, repairs.elsewhere(server.url))
        elif server.problem and _is_named(server, facts):
            yield from _silent(server, facts)
    yield from _stale_hint(facts)
    if not facts.usable:
        yield from _absent(facts)


def _is_named(server: Server, facts: Facts) -> bool:
    return facts.settings.is_named(server.url)


def _hinted(settings: Settings) -> list[str]:
    """List the addresses that only LM Studio's own file names."""
    usual = loopback(LMSTUDIO_PORT)
    return [each.url for each in settings.candidates() if each.only_kind and each.url not in usual]


def _stale_hint(facts: Facts) -> Iterator[Finding]:
    """LM Studio is not where its own file says; if it is off, the file may be right."""
    hinted = [each for each in facts.servers if each.url in _hinted(facts.settings)]
    there = next((each for each in facts.usable if each.kind == "lmstudio"), None)
    strangers = [each for each in hinted if each.kind or "not as a model" in each.problem]
    if not hinted or there in hinted or not (there or strangers):
        return
    what = f"LM Studio's own file says that it is at {hinted[0].url}, where it is not."
    if there:
        what = f"{what} It answers at {there.url}."
    yield Finding("advice", what, repairs.forget_hint(facts.settings, there, facts.programs))


def _silent(server: Server, facts: Facts) -> Iterator[Finding]:
    """A server that the user named does not answer."""
    source = facts.settings.sources[facts.settings.named_by(server.url)]
    what = f"{server.url} is named in your settings ({source}) but cannot be used: it"
    what = f"{what} {server.problem}"
    if facts.elsewhere:
        there = facts.elsewhere[0]
        use = repairs.use(facts.settings, there, facts.usable, server.url)
        yield Finding("trouble", f"{what} {there.kind} answers at {there.url}.", use)
    elif (urlsplit(server.url).hostname or "") in _THIS_MACHINE:
        yield Finding("trouble", what, repairs.start(facts.settings, server.url, facts.programs))
    else:
        host = urlsplit(server.url).hostname
        what = f"{what} If it runs, have it listen for other machines; on {host}:"
        yield Finding("trouble", what, repairs.listen(facts.settings, server.url))


def _absent(facts: Facts) -> Iterator[Finding]:
    """No server can be used at all."""
    if facts.is_lmstudio_asleep:
        yield Finding("trouble", "LM Studio is running, but its server is off.", "lms server start")
    for server in facts.elsewhere if not facts.settings.servers else ():
        what = f"{server.kind} answers at {server.url}, where localmix does not look."
        yield Finding("trouble", what, repairs.use(facts.settings, server, facts.usable))
    for host in facts.other_hosts:
        what = f"A server listens at {host}, but not on 127.0.0.1: name it, and localmix uses it."
        there = Server(f"http://{host}", "ollama" if host.endswith(f":{OLLAMA_PORT}") else None)
        yield Finding("trouble", what, repairs.use(facts.settings, there, facts.usable))
    is_explained = facts.is_lmstudio_asleep or facts.elsewhere or facts.other_hosts
    told = [each for each in facts.servers if each.url == URL or _is_named(each, facts)]
    if not is_explained and not told:
        looked = ", ".join(dict.fromkeys(each.url for each in facts.servers))
        what = f"No model server is running; looked at {looked}."
        yield Finding("trouble", what, repairs.start(facts.settings, "", facts.programs))
        yield Finding(
            "advice",
            "Without a server, localmix can run models by itself.",
            repairs.run_here(facts.is_engine_installed),
        )


def _models(facts: Facts) -> Iterator[Finding]:
    chats = [model for model in facts.models if model.purpose == "chat"]
    kinds = [server.kind for server in facts.usable]
    get = next((_GET[kind] for kind in kinds if kind in _GET), "see the server's manual")
    if not facts.models:
        yield Finding("trouble", "No server has a model.", get)
    elif not chats:
        yield Finding("trouble", "There are only embedding models, and no chat model.", get)
    else:
        loaded = sum(model.loaded for model in facts.models)
        yield Finding("good", f"{len(facts.models)} models, {loaded} of them loaded.")


def _default_model(facts: Facts) -> Iterator[Finding]:
    """A request for a model of the settings must go somewhere."""
    chats = [model.name for model in facts.models if model.purpose == "chat"]
    for wanted, error in facts.lost.items():
        setting = next(
            each
            for each in ("model", "ollama_model", "lm_studio_model")
            if getattr(facts.settings, each) in (wanted, split_pin(wanted)[1])
        )
        choice = next(iter(nearest(wanted, chats)), chats[0] if chats else "")
        repair = repairs.change(facts.settings, setting, choice) if choice else ""
        what = f"Chats go to {wanted} ({facts.settings.sources[setting]}). {error.message}"
        yield Finding("trouble", what, repair or f"localmix pull {quote(wanted)}")


def _windows(facts: Facts) -> Iterator[Finding]:
    for model in facts.models:
        window, trained = model.loaded_context_length, model.context_length
        if not (model.loaded and model.purpose == "chat" and window and trained):
            continue
        if window < min(_ENOUGH_TOKENS, trained):
            yield Finding(
                "advice",
                f"{model.name} at {model.server} is loaded with a context window of"
                f" {window:,} of {trained:,} tokens: long prompts will be refused.",
                repairs.widen(model, _pinned(facts, model), min(_GOOD_TOKENS, trained)),
            )


def _too_large(facts: Facts) -> Iterator[Finding]:
    for model in facts.models:
        is_here = urlsplit(model.server).hostname in _THIS_MACHINE or model.server == URL
        if is_here and facts.memory and (model.size_bytes or 0) > facts.memory:
            yield Finding(
                "advice",
                f"{model.name} takes {size(model.size_bytes)}, and this machine has"
                f" {size(facts.memory)} of memory: it will be very slow, or fail.",
                repairs.delete(model, _pinned(facts, model)),
            )


def _differing(facts: Facts) -> Iterator[Finding]:
    """Two servers have models of one name that are not the same."""
    first: dict[str, ModelInfo] = {}
    for model in facts.models:
        name = model.name.removesuffix(":latest")
        other = first.setdefault(name, model)
        is_pinned = {name, model.name} & {*facts.settings.digests}
        if other.digest and model.digest and other.digest != model.digest and not is_pinned:
            pin = json.dumps({**facts.settings.digests, other.name: other.digest[-64:]})
            yield Finding(
                "advice",
                f"{name} is not the same model at {other.server} ({other.digest[:12]}) and at"
                f" {model.server} ({model.digest[:12]}).",
                repairs.change(facts.settings, "digests", pin),
            )


def _exposed(facts: Facts) -> Iterator[Finding]:
    for server in facts.exposed:
        yield Finding(
            "advice",
            f"Anyone who can reach {server.url} can use the server there without a token. Stop it,"
            " and start it again for this machine alone:",
            repairs.hide(server),
        )


def _proxies(facts: Facts) -> Iterator[Finding]:
    for name in facts.proxies:
        yield Finding(
            "advice",
            f"{name}_proxy is set, also for this machine: localmix ignores it, but other"
            " programs may not reach the servers.",
            repairs.bypass(facts.exceptions),
        )


def _pinned(facts: Facts, model: ModelInfo) -> str:
    labels = {server.url: server.name for server in facts.servers}
    return f"{labels.get(model.server) or model.kind}/{model.name}"
