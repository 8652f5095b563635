"""What can stand behind a proxy, each with the names of its models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests import stand_ins
from tests.lmstudio.server import CHAT, EMBED, LMStudio
from tests.loopback import Exchange, LoopbackServer, hang_up, serving
from tests.proxy.served import Proxy, proxy
from tests.replay.cassettes import ROOT, read_tape

QUESTION = "What is the capital of France?"
_SCENARIOS = ("chat", "stream", "listing", "show", "vectors")


@dataclass(frozen=True)
class Front:
    """A proxy, and what can be asked for there."""

    proxy: Proxy
    chat: str = CHAT
    embed: str = "localmix-tiny-embed"
    sees: bool = False

    @property
    def url(self) -> str:
        return self.proxy.url


class Replayed(LoopbackServer):
    """Play what a real Ollama said, whatever the question was.

    What the proxy sends is its own business; what comes back is byte for byte the recording's.
    """

    def __init__(self, version: str) -> None:
        super().__init__()
        self._replies: defaultdict[tuple[str, Any], list[dict[str, Any]]] = defaultdict(list)
        for scenario in _SCENARIOS:
            for exchange in read_tape(ROOT / "ollama" / version / f"{scenario}.yaml")["exchanges"]:
                self._replies[_key(exchange["request"], exchange.get("body"))].append(exchange)

    def respond(self, exchange: Exchange) -> None:
        body = exchange.json if exchange.body else None
        found = self._replies.get(_key(f"{exchange.method} {exchange.path}", body))
        if not found:
            exchange.head(404, "text/plain", Content_Length="0")
            return
        data = found[0]["reply"].encode()
        exchange.head(found[0]["status"], found[0]["content-type"], Content_Length=str(len(data)))
        exchange.send(data)


def _key(request: str, body: Any) -> tuple[str, Any]:
    """Tell what decides the shape of a reply: whether it is streamed, how many texts there are."""
    if request in ("POST /api/chat", "POST /api/generate"):
        return request, body.get("stream", True)
    if request != "POST /api/embed":
        return request, None
    return request, 1 if isinstance(body["input"], str) else len(body["input"])


@contextmanager
def lmstudio() -> Iterator[Front]:
    with (
        serving(LMStudio(loaded={CHAT: CHAT}, vision=True)) as server,
        proxy([server.url]) as front,
    ):
        yield Front(front, embed=EMBED, sees=True)


@contextmanager
def embedded() -> Iterator[Front]:
    """The engine in its own process; the test has set where its models are."""
    with proxy() as front:
        yield Front(front)


@contextmanager
def ollama(version: str) -> Iterator[Front]:
    with serving(Replayed(version)) as server, proxy([server.url]) as front:
        yield Front(front)


@contextmanager
def dying() -> Iterator[Front]:
    """An Ollama that hangs up on every question, and another one that answers."""
    models = ("localmix-tiny:latest", "localmix-tiny-embed:latest")
    first = stand_ins.ollama(
        *models, POST__api_chat=hang_up, POST__api_generate=hang_up, POST__api_embed=hang_up
    )
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(each)) for each in (first, Replayed("0.33.0-rc2"))]
        yield Front(stack.enter_context(proxy([server.url for server in servers])))


BEHIND = {
    "lmstudio": lmstudio,
    "embedded": embedded,
    "ollama-0.12.11": lambda: ollama("0.12.11"),
    "ollama-0.33.0-rc2": lambda: ollama("0.33.0-rc2"),
    "dying": dying,
}
