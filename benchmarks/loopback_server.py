"""A canned model server in a process of its own: an Ollama or an LM Studio, without a model.

Run as a program, it prints its address and serves until its input ends. With a number as argument
it lists so many models more; with `lmstudio` after that it is an LM Studio. A third argument is how
many milliseconds a text takes to embed: then it works on one request after the other, as a graphics
card does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from functools import cache
from typing import Any

CHUNKS = 1001
WORD = " word"
_END = {
    "model": "bench:latest",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 1,
    "prompt_eval_count": 10,
    "eval_count": CHUNKS,
    "eval_duration": 1,
}
_MODEL = {"name": "bench:latest", "model": "bench:latest", "digest": "0", "details": {}}
_MORE = [
    _MODEL | {"name": f"{family}{version}:{size}b-instruct-q4_K_M"}
    for family in ("llama", "qwen", "gemma", "phi", "granite")
    for version in range(1, 6)
    for size in range(1, 9)
][: int(sys.argv[1]) if len(sys.argv) > 1 else 0]
_VECTOR = [round(index / 768 - 0.5, 6) for index in range(768)]


def _ollama_frame(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"model": "bench:latest", "created_at": "2026-11-21T11:34:59.456716215Z"} | {
        "message": message,
        "done": False,
    }


def _openai_frame(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    about = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return about | {"system_fingerprint": "bench", "choices": [choice]}


def _events(*frames: Any) -> bytes:
    texts = [json.dumps(frame).encode() for frame in frames]
    return b"".join(b"data: " + text + b"\n\n" for text in [*texts, b"[DONE]"])


def _lines(*frames: Any) -> bytes:
    return b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)


STREAM = _lines(*[_ollama_frame(WORD)] * CHUNKS, _END)
WHOLE = json.dumps(_END | {"message": {"role": "assistant", "content": WORD * 70}}).encode()
_USAGE = {"prompt_tokens": 10, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 10}
_FRAMES = [*[_openai_frame(content=WORD)] * CHUNKS, _openai_frame("stop")]
OPENAI_STREAM = _events(*_FRAMES)
OPENAI_STREAM_WITH_USAGE = _events(*_FRAMES, _openai_frame() | {"choices": [], "usage": _USAGE})
_SAID = {"role": "assistant", "content": WORD * 70}
OPENAI_WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [{"index": 0, "message": _SAID, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
).encode()
_LOADED = {"config": {"context_length": 4096}}
_LISTED = [
    {"type": kind, "key": key, "loaded_instances": [_LOADED | {"id": key}], "format": "gguf"}
    | {"max_context_length": 4096}
    for kind, key in (("llm", "bench"), ("embedding", "bench-embed"))
]
_LMSTUDIO: dict[str, bytes] = {
    "GET /lmstudio-greeting": b'{"lmstudio": true}',
    "GET /api/v1/models": json.dumps({"models": _LISTED}).encode(),
}
_OLLAMA: dict[str, bytes] = {
    "GET /api/version": json.dumps({"version": "0.32.15"}).encode(),
    "GET /api/tags": json.dumps({"models": [_MODEL, *_MORE]}).encode(),
    "GET /api/ps": json.dumps({"models": [_MODEL | {"context_length": 4096}]}).encode(),
    "POST /api/show": json.dumps({"capabilities": ["completion"], "model_info": {}}).encode(),
}
_REPLIES = _LMSTUDIO if sys.argv[2:3] == ["lmstudio"] else _OLLAMA
_SECONDS = float(sys.argv[3]) / 1000 if sys.argv[3:] else 0.0
_card = asyncio.Lock()


# Written once for each count, so that what is measured is the client.
@cache
def _ollama_vectors(count: int) -> bytes:
    return json.dumps({"model": "bench", "embeddings": [_VECTOR] * count}).encode()


@cache
def _openai_vectors(count: int) -> bytes:
    vectors = [
        {"object": "embedding", "index": index, "embedding": _VECTOR} for index in range(count)
    ]
    usage = {"prompt_tokens": 10, "total_tokens": 10}
    reply = {"object": "list", "data": vectors, "model": "bench-embed", "usage": usage}
    return json.dumps(reply).encode()


def _reply(route: str, body: bytes) -> tuple[str, bytes]:
    if route == "POST /api/chat":
        streamed = json.loads(body).get("stream", True)
        return ("application/x-ndjson", STREAM) if streamed else ("application/json", WHOLE)
    if route == "POST /api/embed":
        return "application/json", _ollama_vectors(len(json.loads(body)["input"]))
    if route == "POST /v1/embeddings":
        return "application/json", _openai_vectors(len(json.loads(body)["input"]))
    if route == "POST /v1/chat/completions":
        asked = json.loads(body)
        if not asked.get("stream"):
            return "application/json", OPENAI_WHOLE
        has_usage = asked.get("stream_options", {}).get("include_usage")
        return "text/event-stream", OPENAI_STREAM_WITH_USAGE if has_usage else OPENAI_STREAM
    return "application/json", _REPLIES.get(route, b"{}")


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):  # some clients hang up in the middle of a reply
        await _answer(reader, writer)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        method, path = head[0].split()[:2]
        lengths = [int(line.split(":")[1]) for line in head if line.lower().startswith("content-l")]
        body = await reader.readexactly(lengths[0]) if lengths else b""
        content_type, data = _reply(f"{method} {path}", body)
        if _SECONDS and path == "/api/embed":
            async with _card:
                await asyncio.sleep(_SECONDS * len(json.loads(body)["input"]))
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
        )
        writer.write(data)
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> list[str]:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return []


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
