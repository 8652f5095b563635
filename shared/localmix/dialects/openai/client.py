"""The API of OpenAI, as llama.cpp, vLLM and many others speak it.

Shape of the conversation: `POST /v1/chat/completions` and `/v1/completions` take JSON and answer
with one object, or with server-sent events that hold one object each. `finish_reason` ends the
text, then comes a frame with `usage` and no choices, then `data: [DONE]`, which marks the end. An
error is an object with `error`, with a status or inside a 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Listing, Target
from localmix.dialects.openai.decoder import OpenAIDecoder, read_usage
from localmix.dialects.parts import vectors
from localmix.dialects.parts.answer import whole_answer
from localmix.dialects.parts.mustcall import must_call
from localmix.dialects.parts.passing import (
    EVENTS,
    EventFrames,
    PassedResult,
    PassedVectors,
    Relay,
    verbatim_of,
)
from localmix.dialects.parts.toolcalls import tool_definition, tool_name_of
from localmix.dialects.reading import Facts, is_name
from localmix.errors import ConfigError, UnsupportedFeatureError
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Kind,
    Message,
    ModelInfo,
    ThinkLevel,
    Tool,
)
from localmix.types.names import looks_like_embedding
from localmix.types.requests import calls_once
from localmix.wire.flows import Decoder, Flow, Request, Response, send

_CHAT, _COMPLETIONS = "/v1/chat/completions", "/v1/completions"
_EMBEDDINGS = "/v1/embeddings"


class OpenAIDialect:
    """OpenAI's API, with llama.cpp's additions."""

    kind: ClassVar[Kind] = "openai"
    options: ClassVar[Mapping[str, str]] = {
        "temperature": "temperature",
        "top_p": "top_p",
        "top_k": "top_k",
        "min_p": "min_p",
        "typical_p": "typical_p",
        "seed": "seed",
        "max_tokens": "max_tokens",
        "repeat_penalty": "repeat_penalty",
        "repeat_last_n": "repeat_last_n",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
        "logit_bias": "logit_bias",
        "num_keep": "n_keep",
        "logprobs": "logprobs",
        "top_logprobs": "top_logprobs",
    }

    def list_models(self, endpoint: Endpoint) -> Flow[Listing]:
        """List `/v1/models`; llama.cpp adds facts under `meta`."""
        response = yield from send(endpoint.get("/v1/models"))
        entries = failures.checked(response, endpoint.url).values("data")
        named = [entry for entry in map(Facts, entries) if is_name(entry.text("id"))]
        models = [self._model_info(entry, endpoint.url) for entry in named]
        return Listing(models, unread=len(entries) - len(models))

    def show(self, target: Target) -> Flow[ModelInfo]:
        """Find the model in the list again: there is no better source."""
        models = (yield from self.list_models(target.endpoint)).models
        return next((model for model in models if model.name == target.model.name), target.model)

    def generation_request(
        self, target: Target, request: GenerationRequest, *, stream: bool
    ) -> Request:
        """Build a request for `/v1/chat/completions` or `/v1/completions`."""
        path = _path_of(request)
        if said := verbatim_of(request, path, stream=stream):
            return target.endpoint.post_body(path, said.body_for(target.model.name))
        payload: dict[str, Any] = {"model": target.model.name, "stream": stream}
        payload |= self._options(target, request) | self._keep_alive(target, request.keep_alive)
        if request.extra.keys() & {"n", "best_of"}:
            raise ConfigError(
                "localmix reads one answer per request: `extra` cannot contain `n` or `best_of`.",
                hint="Ask several times instead.",
            )
        if stream:
            payload["stream_options"] = {"include_usage": True}
        if isinstance(request, CompletionRequest):
            payload["prompt"] = request.prompt
            if request.suffix:
                payload["suffix"] = request.suffix
            if request.logprobs:
                payload["logprobs"] = request.top_logprobs or 1
        elif isinstance(request, ChatRequest):
            payload |= self._chat_fields(request)
        return target.endpoint.post(path, payload | request.extra)

    def generation_decoder(self, target: Target, request: GenerationRequest) -> Decoder[Delta]:
        """Make the decoder of a streamed answer."""
        decoder = self._decoder(target, request, is_whole=False)
        if verbatim_of(request, _path_of(request), stream=True):
            return Relay(target.url, EventFrames(), decoder, EVENTS)
        return decoder

    def _decoder(
        self, target: Target, request: GenerationRequest, *, is_whole: bool
    ) -> OpenAIDecoder:
        chat = request if isinstance(request, ChatRequest) else None
        return OpenAIDecoder(
            target.url,
            is_chat=chat is not None,
            is_whole=is_whole,
            tools=[tool.name for tool in chat.tools] if chat else (),
            one_call=calls_once(request),
            wants_json=chat is not None and chat.response_format is not None,
            wants_call=must_call(request),
            check_model=partial(self._check_model, target),
        )

    def parse_generation(
        self, target: Target, request: GenerationRequest, response: Response
    ) -> ChatResult:
        """Read a reply that was not streamed."""
        decoder = self._decoder(target, request, is_whole=True)
        result = whole_answer(response, decoder, target.url)
        if verbatim_of(request, _path_of(request), stream=False):
            return PassedResult.of(result, response.body)
        return result

    def embed_request(self, target: Target, request: EmbedRequest) -> Request:
        """Build a request for `/v1/embeddings`."""
        if said := verbatim_of(request, _EMBEDDINGS, stream=False):
            return target.endpoint.post_body(_EMBEDDINGS, said.body_for(target.model.name))
        if request.truncate:
            raise self._cannot(target, "truncate texts that are too long (truncate)", "truncate")
        payload: dict[str, Any] = {
            "model": target.model.name,
            "input": list(request.texts),
            # Clients that ask for base64, OpenAI's default, get floats from LM Studio all the same.
            "encoding_format": "float",
        }
        if request.dimensions is not None:
            payload["dimensions"] = request.dimensions
        return target.endpoint.post(
            _EMBEDDINGS, payload | self._keep_alive(target, request.keep_alive)
        )

    def parse_embed(self, target: Target, request: EmbedRequest, response: Response) -> EmbedResult:
        """Read the vectors, in the order of the texts."""
        reply = failures.checked(response, target.url)
        if answering := reply.facts.text("model"):
            self._check_model(target, answering)
        found = vectors.in_order(reply.records("data"), target.url)
        result = EmbedResult(
            vectors=vectors.checked(found, request.texts, target.url),
            model=answering,
            usage=read_usage(reply.facts.facts("usage")),
        )
        if verbatim_of(request, _EMBEDDINGS, stream=False):
            return PassedVectors.of(result, response.body)
        return result

    def _check_model(self, target: Target, answering: str) -> None:
        """Accept whoever answers: servers of one model often give it another name."""

    def _chat_fields(self, request: ChatRequest) -> dict[str, Any]:
        fields = prompt_fields(request)
        tools, choice = _chosen_tools(request)
        if tools and choice != "auto":
            fields["tool_choice"] = choice
        if tools and request.parallel_tool_calls is not None:
            fields["parallel_tool_calls"] = request.parallel_tool_calls
        if request.response_format == "json":
            fields["response_format"] = self._json_format()
        elif request.response_format:
            fields["response_format"] = json_schema_format(request.response_format)
        if request.think is not None:
            fields |= self._think(request.think)
        return fields

    def _options(self, target: Target, request: GenerationRequest) -> dict[str, Any]:
        """Name the sampling options as the server does; refuse what it would ignore."""
        asked = request.model_dump(include={*OpenAIDialect.options}, exclude_defaults=True)
        unknown = sorted(set(asked) - set(self.options))
        if unknown:
            raise self._cannot(target, f"accept {', '.join(unknown)}", *unknown)
        window = target.model.loaded_context_length or target.model.context_length or 0
        if request.num_ctx and request.num_ctx > window:
            what = f"accept num_ctx, and its window is {window or 'not known'}"
            raise self._cannot(target, what, "num_ctx")
        wire = {self.options[name]: value for name, value in asked.items()}
        return wire | ({"stop": list(request.stop)} if request.stop else {})

    def _keep_alive(self, target: Target, seconds: float | None) -> dict[str, Any]:
        """Llama.cpp keeps its model for ever: only an unloading cannot be had."""
        if seconds == 0:
            raise self._cannot(target, "unload a model (keep_alive=0)", "keep_alive")
        return {}

    def _json_format(self) -> dict[str, Any]:
        return {"type": "json_object"}

    def _think(self, think: bool | ThinkLevel) -> dict[str, Any]:
        """Switch thinking in the model's template (llama.cpp, vLLM) and by OpenAI's word."""
        if isinstance(think, bool):
            template = {"enable_thinking": think}
            return {"chat_template_kwargs": template} | (
                {} if think else {"reasoning_effort": "none"}
            )
        return {
            "chat_template_kwargs": {"enable_thinking": True, "reasoning_effort": think},
            "reasoning_effort": think,
        }

    def _model_info(self, entry: Facts, url: str) -> ModelInfo:
        meta, name = entry.facts("meta"), entry.text("id")
        parameters, longest = meta.count("n_params"), entry.count("max_model_len")
        return ModelInfo(
            name=name,
            server=url,
            kind=self.kind,
            # The API does not tell: a guess, so that no chat is sent to what only embeds.
            purpose="embedding" if looks_like_embedding(name) else "chat",
            guessed=frozenset({"purpose"}),
            loaded=True,
            context_length=meta.count("n_ctx_train") or longest,
            loaded_context_length=meta.count("n_ctx") or longest,
            embedding_length=meta.count("n_embd"),
            size_bytes=meta.count("size"),
            parameters=f"{parameters / 1e6:.4g}M" if parameters else "",
            quantization=meta.text("ftype"),
            details=entry.said,
        )

    def _cannot(self, target: Target, what: str, *options: str) -> UnsupportedFeatureError:
        return UnsupportedFeatureError(
            f"{target.model.name} at {target.url} ({target.model.kind}) cannot {what}.",
            options=options,
            server=target.url,
            hint="Leave it out, name another server, or send your server's own key in `extra`.",
        )


def prompt_fields(request: ChatRequest) -> dict[str, Any]:
    """Write what a prompt is made of: the messages, and the tools that may be called."""
    fields: dict[str, Any] = {
        "messages": [_message(message, request.messages) for message in request.messages]
    }
    tools, _ = _chosen_tools(request)
    if tools:
        fields["tools"] = [tool_definition(tool, tool.parameters) for tool in tools]
    return fields


def _path_of(request: GenerationRequest) -> str:
    return _CHAT if isinstance(request, ChatRequest) else _COMPLETIONS


def json_schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    """Ask for an answer that follows a schema."""
    title = schema.get("title")
    name = title if title and isinstance(title, str) else "answer"
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }


def _chosen_tools(request: ChatRequest) -> tuple[tuple[Tool, ...], str]:
    """Say a named choice by offering that tool alone.

    Quirk (lmstudio 0.3 to 0.4.25): `tool_choice` as an object is a 400; (llama.cpp b11549): it is
    ignored. The word `required` works on both.
    """
    if request.tool_choice in ("auto", "none", "required"):
        return request.tools, request.tool_choice
    return tuple(tool for tool in request.tools if tool.name == request.tool_choice), "required"


def _message(message: Message, messages: tuple[Message, ...]) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.name:
        wire["name"] = message.name
    if message.reasoning:
        wire["reasoning_content"] = message.reasoning
    if message.tool_calls:
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        wire["tool_call_id"] = message.tool_call_id
        wire["name"] = tool_name_of(message, messages)
    return wire


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.text
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {
            "type": "image_url",
            "image_url": {"url": f"data:{part.media_type};base64,{part.base64}"},
        }
        for part in message.content
    ]
