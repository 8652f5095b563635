"""The stand-in's server: routes, models that are loaded or not, and the quirks as switches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from localmix.embedded import Engine
from tests.lmstudio import envelopes
from tests.lmstudio.envelopes import LMStudioError, model_error, native_error, plain_error
from tests.loopback import Exchange, LoopbackServer

TINY_MODELS = Path(__file__).parents[2] / "examples" / "tiny-model"
CHAT, EMBED = "localmix-tiny", "text-embedding-localmix-tiny-embed"
FILES = {CHAT: "localmix-tiny", EMBED: "localmix-tiny-embed"}

# What the documentation lists for chat/completions; other keys are ignored without a word.
_PASSED = (
    *("messages", "temperature", "top_p", "top_k", "max_tokens", "stream", "stop"),
    *("presence_penalty", "frequency_penalty", "logit_bias", "repeat_penalty", "seed"),
    *("tools", "tool_choice", "response_format", "prompt"),
)

Quirk = Literal[
    "empty stream on overflow",  # bug-tracker 2339: status 200, no delta, no error
    "frames spliced",  # two frames of a stream without a blank line between them
    "schema answered as reasoning",  # fact sheet, trap 9: content empty, JSON in the reasoning
    "reasoning in the text",  # App Settings > Developer, 0.3.9 and later: separation switched off
    "error event in the stream",  # fact sheet 6.2: `event: error`, then the socket closes
    "no [DONE]",  # fact sheet, trap 7
    "model crashes",  # "The model has crashed without additional information." with a 400
]


@dataclass
class LMStudio(LoopbackServer):
    """Answer as LM Studio does.

    Attributes:
        generation: `0.4` has `/api/v1`, `0.3` (0.3.6 and later) only `/api/v0`.
        loaded: Instances in memory, by the name they answer under.
        jit: Whether a model is loaded when it is asked for, and listed when it is not loaded.
        token: The API token that is wanted; empty means none.
        quirks: What goes wrong.
        window: Tokens that a loaded chat model has.
        vision: Whether it says of its chat model that it sees images; they are put aside, since
            the real model behind it does not.
        catalogue: Models to download, with their sizes.
        download_status: What a look at a download says; empty for its way to the end.
    """

    generation: Literal["0.3", "0.4"] = "0.4"
    loaded: dict[str, str] = field(default_factory=dict)
    jit: bool = True
    token: str = ""
    quirks: frozenset[Quirk] = frozenset()
    window: int = 2048
    vision: bool = False
    catalogue: dict[str, int] = field(default_factory=dict)
    download_status: str = ""
    downloaded: dict[str, int] = field(default_factory=dict)
    windows: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A process of its own, like every engine: shared with whoever uses these models.
        self._engine = Engine((TINY_MODELS,))
        self._http = httpx.Client(verify=False, trust_env=False, timeout=60)

    def close(self) -> None:
        """Close the connections to the engine."""
        self._http.close()

    def respond(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            self._authorize(exchange)
            self._route(exchange)(exchange)
        except LMStudioError as problem:
            body = json.dumps(problem.body, separators=(",", ":")).encode()
            self._send(exchange, body, problem.status)

    def _authorize(self, exchange: Exchange) -> None:
        """0.4.0 and later; the greeting answers all the same."""
        if not self.token or exchange.path == "/lmstudio-greeting":
            return
        offered = exchange.headers.get("authorization", "").removeprefix("Bearer ")
        if not offered:
            raise native_error(
                "An LM Studio API token is required to make requests to this server, but none was"
                " provided using the Authorization header using the 'Bearer' scheme.",
                "invalid_api_key",
                401,
            )
        if offered != self.token:
            raise native_error(
                f"Malformed LM Studio API token provided: {offered[:10]}***"
                " Ensure you are using a valid token.",
                "invalid_api_key",
                401,
            )

    def _route(self, exchange: Exchange) -> Callable[[Exchange], None]:
        routes: dict[str, Callable[[Exchange], None]] = {
            "GET /lmstudio-greeting": lambda e: self._send(e, b'{"lmstudio":true}'),
            "GET /v1/models": lambda e: self._reply(e, self._list_openai()),
            "GET /api/v0/models": lambda e: self._reply(e, self._list_v0()),
            "POST /v1/chat/completions": self._chat,
            "POST /v1/completions": self._complete,
            "POST /v1/embeddings": self._embed,
        }
        if self.generation == "0.4":
            routes |= {
                "GET /api/v1/models": lambda e: self._reply(e, self._list_v1()),
                "POST /api/v1/models/load": self._load,
                "POST /api/v1/models/unload": self._unload,
                "POST /api/v1/models/download": self._download,
            }
            if exchange.path.startswith("/api/v1/models/download/status/"):
                return self._download_status
        return routes.get(f"{exchange.method} {exchange.path}", self._unexpected)

    def _unexpected(self, exchange: Exchange) -> None:
        """Unknown paths are answered with status 200 (recorded, 0.3.14: r03; all versions)."""
        said = f"Unexpected endpoint or method. ({exchange.method} {exchange.path})"
        self._send(exchange, json.dumps({"error": said}, separators=(",", ":")).encode())

    # Models

    def _listed(self) -> list[str]:
        """With JIT off only loaded models are listed (bug-tracker 726, 816)."""
        return [key for key in FILES if self.jit or key in self.loaded.values()]

    def _instances(self, key: str) -> list[str]:
        return [name for name, loaded in self.loaded.items() if loaded == key]

    def _list_openai(self) -> dict[str, Any]:
        owner = {"object": "model", "owned_by": "organization_owner"}
        return {"data": [{"id": key, **owner} for key in self._listed()], "object": "list"}

    def _list_v0(self) -> dict[str, Any]:
        data = []
        for key in self._listed():
            entry: dict[str, Any] = {
                "id": key,
                "object": "model",
                "type": "embeddings" if key == EMBED else "llm",
                "publisher": "localmix",
                "arch": "bert" if key == EMBED else "llama",
                "compatibility_type": "gguf",
                "quantization": "F16" if key == EMBED else "Q8_0",
                "state": "loaded" if self._instances(key) else "not-loaded",
                "max_context_length": 512 if key == EMBED else 2048,
            }
            if self._instances(key):
                entry["loaded_context_length"] = self._window_of(key)
            if key != EMBED:
                entry["capabilities"] = ["tool_use"]
            data.append(entry)
        return {"data": data, "object": "list"}

    def _list_v1(self) -> dict[str, Any]:
        entries = []
        for key in FILES:  # also what is not loaded, whatever JIT says
            config = {"context_length": self._window_of(key), "parallel": 4}
            entry: dict[str, Any] = {
                "type": "embedding" if key == EMBED else "llm",
                "publisher": "localmix",
                "key": key,
                "display_name": key,
                "quantization": {"name": "F16" if key == EMBED else "Q8_0", "bits_per_weight": 8},
                "size_bytes": 3_034_688,
                "params_string": None if key == EMBED else "2.8M",
                "loaded_instances": [
                    {"id": name, "config": config} for name in self._instances(key)
                ],
                "max_context_length": 512 if key == EMBED else 2048,
                "format": "gguf",
            }
            if key != EMBED:
                entry["architecture"] = "llama"
                entry["capabilities"] = {
                    "vision": self.vision,
                    "trained_for_tool_use": True,
                    "reasoning": {"allowed_options": ["off", "on"], "default": "on"},
                }
            entries.append(entry)
        return {"models": entries}

    def _window_of(self, key: str) -> int:
        return self.windows.get(key, 512 if key == EMBED else self.window)

    def _load(self, exchange: Exchange) -> None:
        """Recorded, 2026-03: r41."""
        order = exchange.json
        unknown = set(order) - {"model", "context_length", "flash_attention", "echo_load_config"}
        if unknown:
            names = ", ".join(f"'{name}'" for name in sorted(unknown))
            raise native_error(f"Unrecognized key(s) in object: {names}", "unrecognized_keys")
        key = self._known(order.get("model"))
        if key is None:
            raise native_error(f"Model {order.get('model')} not found", "model_not_found", 404)
        self.windows[key] = order.get("context_length", self._window_of(key))
        self.loaded[key] = key
        kind = "embedding" if key == EMBED else "llm"
        loaded = {"type": kind, "instance_id": key, "load_time_seconds": 0.1, "status": "loaded"}
        self._reply(exchange, loaded)

    def _unload(self, exchange: Exchange) -> None:
        """Recorded, 2026-03: r42."""
        instance = exchange.json.get("instance_id")
        key = self.loaded.pop(instance, None)
        if key is None:
            raise native_error(f"Model {instance} is not loaded", "model_not_found", 404)
        self.windows.pop(key, None)
        self._reply(exchange, {"instance_id": instance})

    def _download(self, exchange: Exchange) -> None:
        """Documentation: d04; what is there already: recorded, 2026-03, r43."""
        name = exchange.json["model"]
        if self._known(name):
            self._reply(exchange, {"status": "already_downloaded"})
            return
        if name not in self.catalogue:
            raise native_error(f"Model {name} not found", "model_not_found", 404)
        self.downloaded.setdefault(name, 0)
        self._reply(exchange, self._job(name, "downloading"))

    def _download_status(self, exchange: Exchange) -> None:
        """Documentation: d05; each look finds a quarter more."""
        name = exchange.path.rpartition("/job_")[2]
        size = self.catalogue[name]
        self.downloaded[name] = min(self.downloaded[name] + size // 4, size)
        status = self.download_status or (
            "completed" if self.downloaded[name] == size else "downloading"
        )
        self._reply(exchange, self._job(name, status) | {"downloaded_bytes": self.downloaded[name]})

    def _job(self, name: str, status: str) -> dict[str, Any]:
        return {
            "job_id": f"job_{name}",
            "status": status,
            "total_size_bytes": self.catalogue[name],
            "started_at": "2025-10-03T15:33:23.496Z",
        }

    def _known(self, name: Any) -> str | None:
        """A key matches in any case (rlmstudio M049, 0.4.25)."""
        return next((key for key in FILES if key == str(name).lower()), None)

    def _resolve(self, name: Any) -> tuple[str, str]:
        """Choose (key, instance) as measured on 0.4.25: another model may answer."""
        if name in self.loaded:
            return self.loaded[name], name
        chats = [instance for instance, key in self.loaded.items() if key == CHAT]
        key = self._known(name)
        if key and (instances := self._instances(key)):
            return key, instances[0]
        if key and self.jit:
            self.loaded[key] = key
            return key, key
        if len(chats) == 1:  # recorded, 0.4.25: r50
            return CHAT, chats[0]
        if not self.loaded and not self.jit:
            raise model_error(
                "No models loaded. Please load a model in the developer page or use the 'lms load'"
                " command.",
                code=None,
            )
        raise model_error(
            f'Invalid model identifier "{name}". Please specify a valid downloaded model'
            f" (e.g., {', '.join(FILES)})."
        )

    # Answers

    def _chat(self, exchange: Exchange) -> None:
        asked = self._json(exchange)
        self._check_chat(asked)
        key, instance = self._resolve(asked.get("model"))
        if "model crashes" in self.quirks:
            raise plain_error(
                "The model has crashed without additional information. (Exit code: null)"
            )
        order = {name: asked[name] for name in _PASSED if name in asked}
        if self.vision:
            order["messages"] = envelopes.without_images(order["messages"])
        # Measured on 0.4.20: reasoning_effort counts, chat_template_kwargs does not.
        thinks = asked.get("reasoning_effort") != "none"
        order["chat_template_kwargs"] = {"enable_thinking": thinks}
        order["reasoning_format"] = "none" if "reasoning in the text" in self.quirks else "deepseek"
        if asked.get("stream"):
            self._stream(exchange, "/v1/chat/completions", key, instance, order)
            return
        engine = self._ask(key, "/v1/chat/completions", order)
        thought = engine["choices"][0]["message"].get("reasoning_content") or ""
        reply = envelopes.chat_reply(engine, instance, self._count(key, thought))
        if "schema answered as reasoning" in self.quirks and "response_format" in asked:
            message = reply["choices"][0]["message"]
            message["reasoning_content"], message["content"] = message["content"], ""
        self._reply(exchange, reply)

    def _check_chat(self, asked: dict[str, Any]) -> None:
        """Sources: recorded error bodies (r30), each with its thread."""
        if "messages" not in asked:
            raise plain_error("'messages' field is required")
        results = [m for m in asked["messages"] if m.get("role") == "tool"]
        if any(not message.get("tool_call_id") for message in results):  # bug-tracker 830
            raise plain_error(
                "Invalid 'messages' in payload. Please check the structure of your 'messages' and"
                " try again"
            )
        if isinstance(asked.get("tool_choice"), dict):  # bug-tracker 670
            raise plain_error(
                "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
            )
        kind = (asked.get("response_format") or {}).get("type", "text")
        if kind not in ("json_schema", "text"):  # bug-tracker 189
            raise plain_error("'response_format.type' must be 'json_schema' or 'text'")

    def _complete(self, exchange: Exchange) -> None:
        asked = self._json(exchange)
        key, instance = self._resolve(asked.get("model"))
        order = {name: asked[name] for name in _PASSED if name in asked}
        if asked.get("stream"):
            self._stream(exchange, "/v1/completions", key, instance, order)
            return
        engine = self._ask(key, "/v1/completions", order)
        self._reply(exchange, envelopes.completion_reply(engine, instance))

    def _embed(self, exchange: Exchange) -> None:
        """Strings only; a text that is too long is cut without a sign (rlmstudio M048, 0.4.25)."""
        asked = self._json(exchange)
        given = asked.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise plain_error("'input' field must be a string or an array of strings")
        key, instance = self._resolve(asked.get("model"))
        if key != EMBED:
            text = f'Failed to load model "{asked["model"]}". Error: Model is not embedding.'
            raise model_error(text, code=None)
        vectors = [self._vector(key, text) for text in texts]
        self._reply(exchange, envelopes.embeddings_reply(vectors, instance))

    def _vector(self, key: str, text: str) -> list[float]:
        while True:
            try:
                reply = self._ask(key, "/v1/embeddings", {"input": text})
            except LMStudioError:
                text = text[: len(text) // 2]
                continue
            vector: list[float] = reply["data"][0]["embedding"]
            return vector

    def _stream(
        self, exchange: Exchange, path: str, key: str, instance: str, order: dict[str, Any]
    ) -> None:
        """Headers come with the first frame; an error after that comes inside status 200."""
        include_usage = (exchange.json.get("stream_options") or {}).get("include_usage", False)
        wrap = envelopes.chat_frames if path.startswith("/v1/chat") else envelopes.completion_frames
        order["stream_options"] = {"include_usage": True}
        frames = wrap(self._frames(key, path, order), instance, include_usage=include_usage)
        exchange.head(200, "text/event-stream", Transfer_Encoding="chunked")
        try:
            self._send_frames(exchange, frames)
        except LMStudioError as problem:
            if "empty stream on overflow" not in self.quirks:
                message = problem.body["error"]
                said = {"error": {"message": message}, "message": message}
                exchange.chunk(b"event: error\ndata: " + json.dumps(said).encode() + b"\n\n")
                exchange.chunk(b"")
                return
        if "no [DONE]" not in self.quirks:
            exchange.chunk(b"data: [DONE]\n\n")
        exchange.chunk(b"")

    def _send_frames(self, exchange: Exchange, frames: Iterator[dict[str, Any]]) -> None:
        joint = b"\n" if "frames spliced" in self.quirks else b"\n\n"
        for count, frame in enumerate(frames):
            if "schema answered as reasoning" in self.quirks and frame["choices"]:
                delta = frame["choices"][0].get("delta", {})
                if "content" in delta:
                    delta["reasoning_content"] = delta.pop("content")
            data = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
            exchange.chunk(b"data: " + data + (joint if count % 2 == 0 else b"\n\n"))
            if "error event in the stream" in self.quirks and count == 1:
                raise plain_error("Model unloaded.")

    # The engine behind

    def _ask(self, key: str, path: str, order: dict[str, Any]) -> Any:
        url, headers = self._engine.start(FILES[key])
        response = self._http.post(url + path, json=order, headers=headers)
        if response.status_code != httpx.codes.OK:
            raise self._problem(response.json()["error"])
        return response.json()

    def _frames(self, key: str, path: str, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        url, headers = self._engine.start(FILES[key])
        with self._http.stream("POST", url + path, json=order, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise self._problem(response.json()["error"])
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))

    def _problem(self, error: dict[str, Any]) -> LMStudioError:
        """Say llama.cpp's complaint as LM Studio does."""
        if error.get("type") != "exceed_context_size_error":
            if "schema" in error["message"]:  # bug-tracker 2227
                return plain_error("Failed to initialize samplers: failed to parse grammar")
            return plain_error(error["message"])
        tokens, window = error["n_prompt_tokens"], error["n_ctx"]
        if self.generation == "0.3":  # dyad 925; bug-tracker 237, 546
            return plain_error(
                f"Trying to keep the first {tokens} tokens when context the overflows. However, the"
                f" model is loaded with context length of only {window} tokens, which is not"
                " enough. Try to load the model with a larger context length, or provide a shorter"
                " input"
            )
        return plain_error(  # openclaude 353, 2026-04
            "The number of tokens to keep from the initial prompt is greater than the context"
            f" length (n_keep: {tokens}>= n_ctx: {window}). Try to load the model with a larger"
            " context length, or provide a shorter input."
        )

    def _count(self, key: str, text: str) -> int:
        return len(self._ask(key, "/tokenize", {"content": text})["tokens"]) if text else 0

    def _json(self, exchange: Exchange) -> dict[str, Any]:
        try:
            asked: dict[str, Any] = exchange.json
        except ValueError as error:
            raise plain_error("invalid JSON") from error
        return asked

    def _reply(self, exchange: Exchange, body: Any) -> None:
        self._send(exchange, envelopes.pretty(body))

    def _send(self, exchange: Exchange, body: bytes, status: int = 200) -> None:
        length = str(len(body))
        exchange.head(status, "application/json; charset=utf-8", Content_Length=length)
        exchange.send(body)
