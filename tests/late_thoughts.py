"""Servers whose model's template opens the thought itself: only its end comes, and late."""

from __future__ import annotations

from typing import Any

from tests import stand_ins
from tests.loopback import LoopbackServer, events, ndjson

THOUGHT, ANSWER = "They ask 1+1.\n", "It is 2."
AS_WRITTEN = f"{THOUGHT}</think>\n\n{ANSWER}"
# The end of the thought is cut in two, and so are the thought and the answer.
_PIECES = ("They ask ", "1+1.\n", "</thi", "nk>\n\nIt ", "is 2.")
PLAIN = ("It ", "is 2.")


def ollama(model: str, pieces: tuple[str, ...] = _PIECES) -> LoopbackServer:
    said = [stand_ins.ollama_says(content=piece) for piece in pieces]
    return stand_ins.ollama(model, POST__api_chat=ndjson(*said, stand_ins.OLLAMA_DONE))


def openai(model: str, pieces: tuple[str, ...] = _PIECES) -> LoopbackServer:
    said: list[Any] = [stand_ins.openai_says(content=piece) for piece in pieces]
    end = (stand_ins.openai_says("stop"), stand_ins.OPENAI_USAGE, b"[DONE]")
    return stand_ins.openai(model, POST__v1_chat_completions=events(*said, *end))


KINDS = (ollama, openai)
THINKER, NOBODY_KNOWS = "deepseek-r1:8b", "tiny"
