"""A model server that answers at once with what was canned: `python canned_server.py ollama`.

The prompt says how many pieces a stream shall have, and how far apart: `<<50 0.02>>`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

TEXT = "All rivers run to the sea, and the sea is never full, said the model. " * 5
PIECE = "river "
ORDER = re.compile(rb"<<(\d+) ([\d.]+)>>")


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


class Ollama:
    stream_type = b"application/x-ndjson"
    done = {
        "model": "canned:latest",
        "created_at": "2026-11-25T07:28:08.123456Z",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "total_duration": 1_000_000,
        "load_duration": 1_000,
        "prompt_eval_count": 60,
        "prompt_eval_duration": 1_000,
        "eval_count": 90,
        "eval_duration": 900_000,
    }
    whole = encoded({**done, "message": {"role": "assistant", "content": TEXT}})
    piece = (
        encoded({**dict(list(done.items())[:2]), "message": {"role": "assistant", "content": PIECE},
                 "done": False}) + b"\n"
    )  # fmt: skip
    end = encoded(done) + b"\n"
    entry = {
        "name": "canned:latest",
        "model": "canned:latest",
        "modified_at": "2026-11-25T07:28:08.123456Z",
        "size": 1,
        "digest": "0" * 64,
        "details": {"family": "llama", "parameter_size": "1B", "quantization_level": "Q4_0"},
        "capabilities": ["completion"],
    }
    gets = {
        b"/": (b"text/plain", b"Ollama is running"),
        b"/api/version": (b"application/json", encoded({"version": "0.32.15"})),
        b"/api/tags": (b"application/json", encoded({"models": [entry]})),
        b"/api/ps": (b"application/json", encoded({"models": [{**entry, "context_length": 4096}]})),
    }


class OpenAI:
    stream_type = b"text/event-stream"
    usage = {"prompt_tokens": 60, "completion_tokens": 90, "total_tokens": 150}
    head = {"id": "chatcmpl-1", "created": 1, "model": "canned"}
    whole = encoded(
        {
            **head,
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": TEXT},
                    "finish_reason": "stop",
                }
            ],
            "usage": usage,
        }
    )
    piece = (
        b"data: "
        + encoded(
            {
                **head,
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": PIECE}, "finish_reason": None}],
            }
        )
        + b"\n\n"
    )
    end = (
        b"data: "
        + encoded({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        + b"\n\ndata: "
        + encoded({**head, "choices": [], "usage": usage})
        + b"\n\ndata: [DONE]\n\n"
    )
    gets = {
        b"/v1/models": (
            b"application/json",
            encoded({"object": "list", "data": [{"id": "canned", "object": "model"}]}),
        )
    }


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Canned(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, kind: type[Ollama | OpenAI]) -> None:
        self.kind = kind
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, there, rest = self.buffer.partition(b"\r\n\r\n")
        if not there:
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        body, self.buffer = rest[:size], rest[size:]
        self.answer(head.split(b" ", 2)[1], body)

    def answer(self, path: bytes, body: bytes) -> None:
        if not body:
            kind, said = self.kind.gets.get(path, (b"text/plain", b"404 page not found"))
            self.reply(200 if path in self.kind.gets else 404, kind, said)
        elif re.search(rb'"stream": ?true', body):
            self.streaming = asyncio.ensure_future(self.stream(body))
        else:
            self.reply(200, b"application/json", self.kind.whole)

    def reply(self, status: int, kind: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % (status, kind, len(body)) + body)

    async def stream(self, body: bytes) -> None:
        order = ORDER.search(body)
        pieces, pause = (int(order[1]), float(order[2])) if order else (50, 0.0)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.transport.write(head % self.kind.stream_type)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for place in range(pieces):
            if pause:
                await asyncio.sleep(began + place * pause - loop.time())
            self.transport.write(chunk(self.kind.piece))
        self.transport.write(chunk(self.kind.end) + b"0\r\n\r\n")


async def serve(kind: type[Ollama | OpenAI]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Canned(kind), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Ollama if sys.argv[1] == "ollama" else OpenAI))
