"""Ollama's own API.

Shape of the conversation: `POST /api/chat` and `/api/generate` take JSON and answer with NDJSON,
one object a line, or with the same object once when it is not streamed; so a whole reply is read
as a stream of one line. `done: true` marks the end and carries the counts. An error is an object
with `error`, with a status before the first line and inside a 200 after it. Durations are
nanoseconds; what is zero is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Listing, Target
from localmix.dialects.ollama import agents
from localmix.dialects.ollama.decoder import OllamaDecoder, seconds
from localmix.dialects.parts import vectors
from localmix.dialects.parts.answer import whole_answer
from localmix.dialects.parts.mustcall import must_call
from localmix.dialects.parts.passing import (
    LINES,
    LineFrames,
    PassedResult,
    PassedVectors,
    Relay,
    verbatim_of,
)
from localmix.dialects.parts.schema import inline_refs
from localmix.dialects.parts.toolcalls import tool_definition, tool_name_of
from localmix.dialects.reading import Facts, is_name
from localmix.errors import LocalMixError, UnsupportedFeatureError
from localmix.types import (
    Capability,
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Message,
    ModelInfo,
    Purpose,
    Timings,
    Tool,
    Usage,
)
from localmix.types.names import looks_like_embedding
from localmix.types.requests import calls_once
from localmix.wire.flows import Decoder, Flow, Request, Response, send

_CHAT, _GENERATE, _EMBED = "/api/chat", "/api/generate", "/api/embed"
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "seed": "seed",
    "max_tokens": "num_predict",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "num_keep": "num_keep",
}
_CAPABILITIES: dict[str, Capability] = {
    "tools": "tools",
    "vision": "vision",
    "thinking": "thinking",
    "insert": "insert",
}
_FOR_EVER = timedelta(days=36_500)
# Architectures that only embed; releases before 0.30 list no capabilities (recorded: 0.12.11).
_EMBEDDING_FAMILIES = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding", "xlm-roberta"}
)


class OllamaDialect:
    """Ollama's own API."""

    def list_models(self, endpoint: Endpoint) -> Flow[Listing]:
        """Join `/api/tags` (what is there) with `/api/ps` (what is loaded).

        Servers that only look like Ollama may lack the second: then nobody knows what is loaded.
        """
        tags, running = yield [endpoint.get("/api/tags"), endpoint.get("/api/ps")]
        entries = _models_of(tags, endpoint.url)
        try:
            loaded = {
                _identity(entry): entry for entry in _named(_models_of(running, endpoint.url))
            }
        except UnsupportedFeatureError:
            loaded = {}
        named = _named(entries)
        models = [_model_info(each, loaded.get(_identity(each)), endpoint.url) for each in named]
        return Listing(models, unread=len(entries) - len(models))

    def show(self, target: Target) -> Flow[ModelInfo]:
        """Ask `/api/show`, the only place where Ollama tells all capabilities."""
        name = target.model.name
        response = yield from send(target.endpoint.post("/api/show", {"model": name}))
        return _shown(target.model, failures.checked(response, target.url).facts)

    def generation_request(
        self, target: Target, request: GenerationRequest, *, stream: bool
    ) -> Request:
        """Build a request for `/api/chat` or `/api/generate`."""
        path = _path_of(request)
        if said := verbatim_of(request, path, stream=stream) or agents.spoken(
            target, request, stream=stream
        ):
            return target.endpoint.post_body(said.path, said.body_for(target.model.name))
        if request.logit_bias:
            raise _cannot(target, "bias single tokens (logit_bias)", "logit_bias")
        payload: dict[str, Any] = {"model": target.model.name, "stream": stream}
        if isinstance(request, ChatRequest):
            payload |= _chat_fields(request)
        else:
            payload |= _completion_fields(request)
        payload |= {
            "options": _options(request) | _window(target, request.num_ctx),
            "keep_alive": request.keep_alive,
            "logprobs": request.logprobs or None,
            "top_logprobs": request.top_logprobs,
        }
        payload = {key: value for key, value in payload.items() if value not in (None, {})}
        return target.endpoint.post(path, _with_extra(payload, request.extra))

    def generation_decoder(self, target: Target, request: GenerationRequest) -> Decoder[Delta]:
        """Make the decoder of a streamed answer."""
        if said := agents.spoken(target, request, stream=True):
            return agents.relay(target, said)
        decoder = self._decoder(target, request, is_whole=False)
        if verbatim_of(request, _path_of(request), stream=True):
            return Relay(target.url, LineFrames(), decoder, LINES)
        return decoder

    def parse_generation(
        self, target: Target, request: GenerationRequest, response: Response
    ) -> ChatResult:
        """Read a reply that was not streamed: the stream's one line."""
        if said := agents.spoken(target, request, stream=False):
            result = whole_answer(response, agents.decoder(target, said), target.url)
            return PassedResult.of(result, response.body)
        result = whole_answer(response, self._decoder(target, request, is_whole=True), target.url)
        if verbatim_of(request, _path_of(request), stream=False):
            return PassedResult.of(result, response.body)
        return result

    @staticmethod
    def _decoder(target: Target, request: GenerationRequest, *, is_whole: bool) -> OllamaDecoder:
        return OllamaDecoder(
            target.url,
            is_chat=isinstance(request, ChatRequest),
            is_whole=is_whole,
            one_call=calls_once(request),
            forced_tool=must_call(request),
        )

    def embed_request(self, target: Target, request: EmbedRequest) -> Request:
        """Build a request for `/api/embed`."""
        if said := verbatim_of(request, _EMBED, stream=False):
            return target.endpoint.post_body(_EMBED, said.body_for(target.model.name))
        payload = {
            "model": target.model.name,
            "input": list(request.texts),
            "truncate": request.truncate,
            "dimensions": request.dimensions,
            "keep_alive": request.keep_alive,
            "options": _window(target, None),
        }
        payload = {key: value for key, value in payload.items() if value not in (None, {})}
        return target.endpoint.post(_EMBED, payload)

    def parse_embed(self, target: Target, request: EmbedRequest, response: Response) -> EmbedResult:
        """Read the vectors, one for each text."""
        reply = failures.checked(response, target.url)
        facts = reply.facts
        tokens = facts.count("prompt_eval_count")
        result = EmbedResult(
            vectors=vectors.checked(reply.values("embeddings"), request.texts, target.url),
            model=facts.text("model"),
            usage=None if tokens is None else Usage(tokens, 0),
            timings=Timings(
                load=seconds(facts, "load_duration"), total=seconds(facts, "total_duration")
            ),
        )
        if verbatim_of(request, _EMBED, stream=False):
            return PassedVectors.of(result, response.body)
        return result


def _path_of(request: GenerationRequest) -> str:
    return _CHAT if isinstance(request, ChatRequest) else _GENERATE


def _chat_fields(request: ChatRequest) -> dict[str, Any]:
    tools = () if request.tool_choice == "none" else request.tools
    if must_call(request):
        tools = tuple(tool for tool in tools if request.tool_choice in ("required", tool.name))
    schema: Any = request.response_format
    return {
        "messages": [_message(message, request.messages) for message in request.messages],
        "tools": [tool_definition(tool, inline_refs(tool.parameters)) for tool in tools] or None,
        "format": _forcing_schema(tools) if must_call(request) else schema,
        "think": request.think,
        # Cutting the prompt silently is the default; an error is what we want (since 0.12.6).
        "truncate": False,
    }


def _completion_fields(request: GenerationRequest) -> dict[str, Any]:
    completion = cast("CompletionRequest", request)
    if completion.suffix:
        return {"prompt": completion.prompt, "suffix": completion.suffix}
    # Without `raw` the server would wrap the text in its chat template.
    return {"prompt": completion.prompt, "raw": True}


def _options(request: GenerationRequest) -> dict[str, Any]:
    options = {wire: getattr(request, name) for name, wire in OPTIONS.items()}
    # Quirk (ollama 0.32.15): `stop` as a bare string is a 500, whatever its OpenAPI file says.
    options["stop"] = list(request.stop) or None
    return {wire: value for wire, value in options.items() if value is not None}


def _window(target: Target, wanted: int | None) -> dict[str, int]:
    window = target.window or wanted
    return {"num_ctx": window} if window else {}


def _with_extra(payload: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    merged = payload | extra
    if "options" in payload and "options" in extra:
        merged["options"] = payload["options"] | dict(extra["options"])
    return merged


def _message(message: Message, messages: tuple[Message, ...]) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.images:
        wire["images"] = [image.base64 for image in message.images]
    if message.reasoning:
        wire["thinking"] = message.reasoning
    if message.tool_calls:
        # Arguments must be an object here; a string is a 400.
        wire["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": call.parsed()}}
            for call in message.tool_calls
        ]
    if message.role == "tool":
        wire["tool_call_id"] = message.tool_call_id
        wire["tool_name"] = tool_name_of(message, messages)
    return wire


def _forcing_schema(tools: tuple[Tool, ...]) -> dict[str, Any]:
    """Write the schema of a call to one of the tools.

    Quirk (ollama 0.12.11, 0.32.15): `tool_choice` is ignored, so the call is forced by a grammar.
    0.32.15 sorts the keys of an object: `name` must come before what depends on it, which is why
    the arguments are called `parameters`.
    """
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": [tool.name]},
                "parameters": inline_refs(tool.parameters),
            },
            "required": ["name", "parameters"],
        }
        for tool in tools
    ]
    return calls[0] if len(calls) == 1 else {"anyOf": calls}


def _models_of(outcome: object, url: str) -> list[Any]:
    if isinstance(outcome, LocalMixError):
        raise outcome
    return failures.checked(cast("Response", outcome), url).values("models")


def _named(entries: list[Any]) -> list[Facts]:
    """Leave out entries that are none, or have no name to ask for."""
    found = map(Facts, entries)
    return [each for each in found if is_name(each.text("name"))]


def _identity(entry: Facts) -> tuple[str, str]:
    # Quirk (ollama 0.32.15): /api/ps may list two generations of one name; the digest tells.
    return entry.text("name"), entry.text("digest")


def _model_info(entry: Facts, running: Facts | None, url: str) -> ModelInfo:
    details, name = entry.facts("details"), entry.text("name")
    now = running or Facts({})
    purpose, guessed = _purpose(entry.texts("capabilities"), details.text("family"), name)
    return ModelInfo(
        name=name,
        server=url,
        kind="ollama",
        purpose=purpose,
        guessed=guessed,
        loaded=running is not None,
        context_length=details.count("context_length"),
        loaded_context_length=now.count("context_length"),
        embedding_length=details.count("embedding_length"),
        size_bytes=entry.count("size"),
        family=details.text("family"),
        parameters=details.text("parameter_size"),
        quantization=details.text("quantization_level"),
        digest=entry.text("digest"),
        memory_bytes=now.count("size"),
        gpu_bytes=now.count("size_vram"),
        unload_at=_unload_at(now.text("expires_at")),
        modified_at=_moment(entry.text("modified_at")),
        remote=bool(entry.text("remote_host")) or name.endswith((":cloud", "-cloud")),
    )


def _purpose(said: list[str] | None, family: str, name: str) -> tuple[Purpose, frozenset[str]]:
    """Tell what a model is for; where nobody says it, its name is all there is."""
    if said:
        return "embedding" if "embedding" in said else "chat", frozenset()
    if family in _EMBEDDING_FAMILIES:
        return "embedding", frozenset()
    return "embedding" if looks_like_embedding(name) else "chat", frozenset({"purpose"})


def _unload_at(said: str) -> datetime | None:
    """Read when a model will be unloaded; one that stays for ever is given some 292 years."""
    at = _moment(said)
    return at if at and at - datetime.now(at.tzinfo) < _FOR_EVER else None


def _moment(said: str) -> datetime | None:
    """Read a time; one without an offset could be anybody's."""
    try:
        at = datetime.fromisoformat(said)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else None


def _shown(model: ModelInfo, reply: Facts) -> ModelInfo:
    facts = reply.facts("model_info")
    family = facts.text("general.architecture") or model.family
    said = reply.texts("capabilities")
    purpose, guessed = _purpose(said, family, model.name)
    # Releases before 0.6.4, and servers that only look like Ollama, say nothing: not known.
    capabilities = None if said is None else frozenset(_known(said))
    return replace(
        model,
        purpose=purpose if said else model.purpose,
        guessed=guessed if said else model.guessed,
        capabilities=capabilities,
        unsaid=frozenset(_known(reply.texts("unsaid") or [])),  # by our own proxy
        context_length=facts.count(f"{family}.context_length") or model.context_length,
        own_context_length=_own_window(reply.text("parameters")),
        embedding_length=facts.count(f"{family}.embedding_length") or model.embedding_length,
        family=family,
        details={key: value for key, value in reply.said.items() if key != "tensors"},
    )


def _own_window(parameters: str) -> int | None:
    """Read the window that a Modelfile asks for, in the list of its parameters."""
    found = re.search(r"^num_ctx\s+(\d{1,9})$", parameters, re.MULTILINE)
    return int(found[1]) or None if found else None


def _known(said: list[str]) -> Iterator[Capability]:
    return (_CAPABILITIES[word] for word in said if word in _CAPABILITIES)


def _cannot(target: Target, what: str, *options: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        f"Ollama at {target.url} cannot {what}.",
        options=options,
        server=target.url,
        hint="Leave it out, or name a server of another kind.",
    )
