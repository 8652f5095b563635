"""What long answers cost us: our own work for twenty times as many deltas, as a ratio in one run.

Frames are made beforehand and no socket is used: decoder and fold alone are measured, by the CPU
time of this thread, the best of three. Linear is 20; what copies all that came before with each
delta is far above, though the allocator may hide some of it. Absolute times say nothing about
another machine.
"""

from __future__ import annotations

import json
import time
from typing import Any

from localmix.dialects import KINDS, Endpoint, Target
from localmix.types import ChatRequest, Kind, Message, ModelInfo
from localmix.types.fold import Fold
from localmix.wire.flows import Timeouts

FEW, MANY, ROUNDS = 5_000, 100_000, 3
CHAT = ChatRequest(messages=(Message(role="user", content="Hello"),))


def main() -> None:
    print(__doc__)
    print(f"{'':28}{FEW:>10,}{MANY:>10,}   ratio")
    for name, (kind, message) in ANSWERS.items():
        few, many = (best(kind, frame(kind, message), count) for count in (FEW, MANY))
        print(f"{name:28}{few:>9.3f}s{many:>9.3f}s{many / few:>8.1f}")


ANSWERS: dict[str, tuple[Kind, dict[str, Any]]] = {
    "Ollama, text": ("ollama", {"content": "ten letter"}),
    "Ollama, thoughts": ("ollama", {"thinking": "ten letter"}),
    "OpenAI, text": ("openai", {"content": "ten letter"}),
    "OpenAI, one tool call": (
        "openai",
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "ten"}}]},
    ),
}


def frame(kind: Kind, message: dict[str, Any]) -> bytes:
    """Write one frame as a server of this kind does."""
    if kind == "ollama":
        return json.dumps({"message": message}).encode() + b"\n"
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": message}]}).encode() + b"\n\n"


def best(kind: Kind, data: bytes, count: int) -> float:
    """Give the seconds of our own work for so many frames."""
    url = "http://127.0.0.1:1"
    target = Target(Endpoint(url, Timeouts.within(1)), ModelInfo(name="m", server=url, kind=kind))
    seconds = []
    for _ in range(ROUNDS):
        decoder, folded = KINDS[kind].dialect.generation_decoder(target, CHAT), Fold()
        began = time.thread_time()
        for _ in range(count):
            for delta in decoder.feed(data):
                folded.add(delta)
        folded.result()
        seconds.append(time.thread_time() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
