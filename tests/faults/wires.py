"""How each kind of server puts an answer on the wire, so that a fault can spoil it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests import stand_ins
from tests.either import Either
from tests.loopback import LoopbackServer

Purpose = Literal["chat", "stream", "complete", "embed"]
PURPOSES: tuple[Purpose, ...] = ("chat", "stream", "complete", "embed")


@dataclass(frozen=True)
class Wire:
    """Hold one kind of server: how it is made, where it is asked, how it says a piece of text."""

    make: Callable[..., LoopbackServer]
    paths: dict[str, str]
    stream_type: str
    say: Callable[[str], Any]
    before: bytes
    after: bytes

    def route(self, purpose: Purpose) -> str:
        return "POST " + self.paths[purpose]

    def frame(self, said: str) -> bytes:
        """Write one streamed piece of a chat, with every character as itself."""
        return self.before + json.dumps(self.say(said), ensure_ascii=False).encode() + self.after

    def server(self) -> LoopbackServer:
        """Make a server that is well and holds `tiny` and `embed`."""
        return self.make("tiny", "embed", loaded=("tiny", "embed"))


WIRES = {
    "ollama": Wire(
        make=stand_ins.ollama,
        paths={
            "chat": "/api/chat",
            "stream": "/api/chat",
            "complete": "/api/generate",
            "embed": "/api/embed",
        },
        stream_type="application/x-ndjson",
        say=lambda said: stand_ins.ollama_says(content=said),
        before=b"",
        after=b"\n",
    ),
    "lmstudio": Wire(
        make=stand_ins.lmstudio,
        paths={
            "chat": "/v1/chat/completions",
            "stream": "/v1/chat/completions",
            "complete": "/v1/completions",
            "embed": "/v1/embeddings",
        },
        stream_type="text/event-stream",
        say=lambda said: stand_ins.openai_says(content=said),
        before=b"data: ",
        after=b"\n\n",
    ),
}


@dataclass(frozen=True)
class Answer:
    """Hold what a caller got: something to compare, and the route it came by."""

    said: Any
    route: Any


# What a server that is well answers, whatever its kind.
RIGHT: dict[Purpose, Any] = {
    "chat": "Hi.",
    "stream": "Hi.",
    "complete": "Hi.",
    "embed": [[1.0, 0.0]],
}


def ask(client: Either, purpose: Purpose) -> Answer:
    """Ask in one of the ways in which a caller can."""
    if purpose == "stream":
        deltas = client.stream("hello", model="tiny")
        return Answer("".join(delta.content for delta in deltas), deltas[-1].route)
    if purpose == "embed":
        vectors = client.embed("hello", model="embed")
        return Answer(vectors.vectors, vectors.route)
    whole = client.complete if purpose == "complete" else client.chat
    result = whole("hello", model="tiny")
    return Answer(result.content, result.route)
