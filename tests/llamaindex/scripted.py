"""Stand-ins of both kinds that answer chats turn by turn, as a script says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, Reply, events, ndjson, whole
from tests.stand_ins import OLLAMA_DONE, OPENAI_USAGE, either_way, ollama_says, openai_says

KINDS = ("ollama", "lmstudio")
PATHS = {"ollama": "POST /api/chat", "lmstudio": "POST /v1/chat/completions"}


@dataclass(frozen=True)
class Turn:
    """Hold what the model says in one turn; text is streamed word by word."""

    text: str = ""
    thought: str = ""
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = field(default=())  # id, name, arguments
    finish: str = "stop"

    @property
    def words(self) -> list[str]:
        return [word for word in self.text.replace(" ", "\0 ").split("\0") if word]


def scripted(kind: str, *turns: Turn) -> LoopbackServer:
    """Be a server of a kind whose model says these turns, one for each request."""
    script = iter(turns)
    write = _ollama if kind == "ollama" else _openai
    make = stand_ins.ollama if kind == "ollama" else stand_ins.lmstudio
    server = make("tiny", loaded=("tiny",))
    server.routes[PATHS[kind]] = _next(script, write)
    return server


def sent(server: LoopbackServer) -> list[dict[str, Any]]:
    """List the bodies of the chats that were asked for."""
    paths = set(PATHS.values())
    return [each.json for each in server.requests if f"{each.method} {each.path}" in paths]


def _next(script: Iterator[Turn], write: Any) -> Reply:
    def reply(exchange: Exchange) -> None:
        turn = next(script, None)
        assert turn, "the script is at its end"
        write(turn)(exchange)

    return reply


def _ollama(turn: Turn) -> Reply:
    calls = [
        {"id": id_, "function": {"index": place, "name": name, "arguments": arguments}}
        for place, (id_, name, arguments) in enumerate(turn.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": turn.text, "thinking": turn.thought}
    done = {**OLLAMA_DONE, "done_reason": turn.finish}
    frames = [ollama_says(thinking=turn.thought)] if turn.thought else []
    frames += [ollama_says(content=word) for word in turn.words]
    if calls:
        frames.append(ollama_says(tool_calls=calls))
        message["tool_calls"] = calls
    return either_way(ndjson(*frames, done), whole({**done, "message": message}))


def _openai(turn: Turn) -> Reply:
    calls = [
        {
            "index": place,
            "id": id_,
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for place, (id_, name, arguments) in enumerate(turn.calls)
    ]
    message = {"role": "assistant", "content": turn.text, "reasoning_content": turn.thought}
    choice = {"message": {**message, "tool_calls": calls}, "finish_reason": turn.finish}
    frames = [openai_says(reasoning_content=turn.thought)] if turn.thought else []
    frames += [openai_says(content=word) for word in turn.words]
    frames += [openai_says(tool_calls=[call]) for call in calls]
    return either_way(
        events(*frames, openai_says(turn.finish), OPENAI_USAGE, b"[DONE]"),
        whole({"model": "tiny", "choices": [choice], "usage": OPENAI_USAGE["usage"]}),
    )
