"""Loopback servers that look like Ollama, LM Studio and an OpenAI-compatible server.

Shapes follow recorded exchanges (Ollama 0.12.11 and 0.32.15) and, for LM Studio, its documentation
and public recordings; the words are written by hand. All list the same weights, so that what one
calls as another does is the same model.
"""

from __future__ import annotations

from typing import Any

from tests.loopback import LoopbackServer, Reply, events, ndjson, whole

OLLAMA_DONE = {
    "model": "tiny:latest",
    "created_at": "2026-11-21T11:34:59.456716215Z",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 4_000_000_000,
    "load_duration": 1_000_000_000,
    "prompt_eval_count": 19,
    "prompt_eval_duration": 500_000_000,
    "eval_count": 26,
    "eval_duration": 2_000_000_000,
}


def ollama_says(**message: Any) -> dict[str, Any]:
    """Write one frame of a chat that goes on."""
    said = {"role": "assistant", "content": "", **message}
    return {"model": "tiny:latest", "message": said, "done": False}


def openai_says(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """Write one frame of a streamed chat."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "model": "tiny", "choices": [choice]}


OPENAI_USAGE = {
    "model": "tiny",
    "choices": [],
    "usage": {"prompt_tokens": 19, "completion_tokens": 26, "total_tokens": 45},
}

Routes = dict[str, Reply]


def ollama(*models: str, loaded: tuple[str, ...] = (), **routes: Reply) -> LoopbackServer:
    """Be an Ollama that holds some models and answers `Hi.`."""
    entries = [_ollama_entry(name) for name in models or ("tiny:latest", "embed:latest")]
    running = [entry | {"context_length": 4096} for entry in entries if entry["name"] in loaded]
    hello = [ollama_says(content="H"), ollama_says(content="i."), OLLAMA_DONE]
    return LoopbackServer(
        {
            "GET /": whole(b"Ollama is running", content_type="text/plain"),
            "GET /api/version": whole({"version": "0.32.15"}),
            "GET /api/tags": whole({"models": entries}),
            "GET /api/ps": whole({"models": running}),
            "POST /api/chat": either_way(
                ndjson(*hello),
                whole({**OLLAMA_DONE, "message": {"role": "assistant", "content": "Hi."}}),
                streams=True,
            ),
            "POST /api/generate": either_way(
                ndjson({"response": "H"}, {"response": "i."}, OLLAMA_DONE),
                whole({**OLLAMA_DONE, "response": "Hi."}),
                streams=True,
            ),
            "POST /api/embed": whole({"model": "embed", "embeddings": [[1.0, 0.0]]}),
            **_named(routes),
        }
    )


def lmstudio(*models: str, loaded: tuple[str, ...] = (), **routes: Reply) -> LoopbackServer:
    """Be an LM Studio 0.4 that holds some models and answers `Hi.`."""
    entries = [_lmstudio_entry(name, name in loaded) for name in models or ("tiny",)]
    server = LoopbackServer(
        {
            "GET /lmstudio-greeting": whole({"lmstudio": True}),
            "GET /api/v1/models": whole({"models": entries}),
            "POST /v1/chat/completions": openai_hello(),
            "POST /v1/completions": openai_completion(),
            "POST /v1/embeddings": whole({"model": "embed", "data": [{"embedding": [1.0, 0.0]}]}),
            **_named(routes),
        }
    )
    # Quirk (lmstudio, all): status 200 for whatever it does not know.
    for path in ("/api/version", "/api/ps", "/api/tags", "/v1/models", "/api/v0/models"):
        text = f"Unexpected endpoint or method. (GET {path})"
        server.routes.setdefault(f"GET {path}", whole({"error": text}))
    return server


def openai(*models: str, **routes: Reply) -> LoopbackServer:
    """Be some OpenAI-compatible server that answers `Hi.`."""
    meta = {"size": 3_034_903, "n_params": 2_800_000, "ftype": "Q8_0"}
    entries = [{"id": name, "object": "model", "meta": meta} for name in models or ("tiny",)]
    return LoopbackServer(
        {
            "GET /v1/models": whole({"object": "list", "data": entries}),
            "POST /v1/chat/completions": openai_hello(),
            **_named(routes),
        }
    )


def openai_hello() -> Reply:
    """Answer `Hi.`, streamed or not."""
    choice = {"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    frames = [openai_says(content="H"), openai_says(content="i."), openai_says("stop")]
    return either_way(
        events(*frames, OPENAI_USAGE, b"[DONE]"),
        whole({"model": "tiny", "choices": [choice], "usage": OPENAI_USAGE["usage"]}),
    )


def openai_completion() -> Reply:
    """Continue a text with `Hi.`, streamed or not."""
    pieces = [{"model": "tiny", "choices": [{"text": text}]} for text in ("H", "i.")]
    end = {"model": "tiny", "choices": [{"text": "", "finish_reason": "stop"}]}
    return either_way(
        events(*pieces, end, b"[DONE]"),
        whole({"model": "tiny", "choices": [{"text": "Hi.", "finish_reason": "stop"}]}),
    )


def either_way(streamed: Reply, not_streamed: Reply, *, streams: bool = False) -> Reply:
    """Answer as the request's `stream` says; `streams` is what its absence means."""

    def reply(exchange: Any) -> None:
        (streamed if exchange.json.get("stream", streams) else not_streamed)(exchange)

    return reply


def _named(routes: Routes) -> Routes:
    """Read `POST__api_chat` as `POST /api/chat`."""
    return {name.replace("__", " /").replace("_", "/"): reply for name, reply in routes.items()}


def _ollama_entry(name: str) -> dict[str, Any]:
    embeds = "embed" in name
    return {
        "name": name,
        "model": name,
        "size": 3_034_903,
        "digest": "81fbd01b23a85376",
        "details": {
            "family": "bert" if embeds else "llama",
            "parameter_size": "2.80M",
            "quantization_level": "Q8_0",
            "context_length": 2048,
        },
        "capabilities": ["embedding" if embeds else "completion"],
    }


def _lmstudio_entry(name: str, is_loaded: bool) -> dict[str, Any]:
    instance = {"id": name, "config": {"context_length": 4096, "parallel": 4}}
    return {
        "type": "embedding" if "embed" in name else "llm",
        "publisher": "someone",
        "key": name,
        "architecture": "llama",
        "quantization": {"name": "Q8_0", "bits_per_weight": 8},
        "size_bytes": 3_034_903,
        "params_string": "2.80M",
        "loaded_instances": [instance] if is_loaded else [],
        "max_context_length": 32768,
        "format": "gguf",
        "capabilities": {"vision": False, "trained_for_tool_use": True},
    }
