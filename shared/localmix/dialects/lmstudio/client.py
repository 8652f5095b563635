"""LM Studio: OpenAI's API with its own listings, and less of the options.

Shape of the conversation: as `openai.py`. Models are listed by `/api/v1/models` (0.4 and later),
`/api/v0/models` (0.3.6 and later) or `/v1/models`. An unknown path is answered with status 200 and
an `error`, so every listing is judged by its shape. Facts: LM Studio's documentation and public
recordings, versions 0.3.14 to 0.4.25.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Target
from localmix.dialects.openai.client import OpenAIDialect, json_schema_format
from localmix.errors import (
    AuthenticationError,
    ContextLengthError,
    LocalMixError,
    ModelNotFoundError,
)
from localmix.types import (
    Capability,
    EmbedRequest,
    Kind,
    ModelInfo,
    ThinkLevel,
)
from localmix.wire.flows import Flow, Request, send

_LISTS = ("/api/v1/models", "/api/v0/models", "/v1/models")


class LMStudioDialect(OpenAIDialect):
    """Speak LM Studio's API."""

    kind: ClassVar[Kind] = "lmstudio"
    # What its documentation lists for chat/completions; other keys are ignored without a word.
    options: ClassVar[Mapping[str, str]] = {
        name: OpenAIDialect.options[name]
        for name in (
            "temperature",
            "top_p",
            "top_k",
            "seed",
            "max_tokens",
            "repeat_penalty",
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
        )
    }

    def list_models(self, endpoint: Endpoint) -> Flow[list[ModelInfo]]:
        """Read the best listing that this version has."""
        problem: LocalMixError | None = None
        for path in _LISTS:
            try:
                response = yield from send(endpoint.get(path))
                reply = failures.checked_object(response, endpoint.url)
                with failures.reading(endpoint.url):
                    entries = reply["models" if path == _LISTS[0] else "data"]
                    return [_model_info(entry, endpoint.url) for entry in entries]
            except AuthenticationError:
                raise  # the other listings would want the token as well
            except LocalMixError as error:
                problem = error
        raise cast("LocalMixError", problem)

    def embed_request(self, target: Target, request: EmbedRequest) -> Request:
        """Build a request for `/v1/embeddings`, which cuts long texts without a sign."""
        if request.dimensions is not None:
            raise self._cannot(target, "cut vectors (dimensions)")
        window = target.model.loaded_context_length or target.model.context_length
        for text in request.texts:
            words = len(text.split())
            if window and words > window:  # a word is at least one token
                raise ContextLengthError(
                    f"A text has {words} words; {target.model.name} at {target.url} reads"
                    f" {window} tokens and would cut it silently.",
                    server=target.url,
                    hint="Split the text, or load the model with a larger context window.",
                    context_length=window,
                )
        return super().embed_request(target, request)

    def _keep_alive(self, target: Target, seconds: float | None) -> dict[str, Any]:
        """Say how long a model that this request loads should stay."""
        if seconds is None:
            return {}
        if seconds <= 0:
            raise self._cannot(target, f"be told keep_alive={seconds:g} in a request")
        return {"ttl": round(seconds) or 1}

    def _check_model(self, target: Target, answering: str) -> None:
        """Refuse the answer of another model than the one that was asked.

        Quirk (lmstudio 0.3.14 to 0.4.25): with one model loaded, a name that it does not know is
        answered by that model, with status 200; only the reply's `model` tells. An instance may
        answer under its own name: `key:2`, `key@quantization`, or an identifier from the listing.
        """
        asked = target.model.name
        if not any(_is_instance_of(answering, name) for name in (asked, *target.model.aliases)):
            raise ModelNotFoundError(
                f"{target.url} was asked for {asked!r}, and {answering!r} answered.",
                server=target.url,
                hint="Load the model in LM Studio, or ask for the one that is loaded.",
                available=(answering,),
            )

    def _json_format(self) -> dict[str, Any]:
        """Quirk (lmstudio, all): `json_object` is a 400; any object is what it means."""
        return json_schema_format({"type": "object"})

    def _think(self, think: bool | ThinkLevel) -> dict[str, Any]:
        """Quirk (lmstudio 0.4.20): `reasoning_effort` counts, `chat_template_kwargs` does not."""
        if isinstance(think, bool):
            return {"reasoning_effort": "medium" if think else "none"}
        return {"reasoning_effort": think}


def _is_instance_of(answering: str, asked: str) -> bool:
    name, at, quantization = re.sub(r":\d+$", "", answering.casefold()).partition("@")
    wanted, wanted_at, wanted_quantization = asked.casefold().partition("@")
    same_weights = not at or not wanted_at or quantization == wanted_quantization
    return name == wanted and same_weights


def _model_info(entry: dict[str, Any], url: str) -> ModelInfo:
    """Read an entry of any of the three listings."""
    instances = entry.get("loaded_instances") or []
    config = (instances[0].get("config") or {}) if instances else {}
    quantization = entry.get("quantization") or ""
    if isinstance(quantization, dict):
        quantization = quantization.get("name") or ""
    name = entry.get("key") or entry["id"]
    return ModelInfo(
        name=name,
        server=url,
        kind="lmstudio",
        purpose=_purpose(entry, name),
        guessed=frozenset() if "type" in entry else frozenset({"purpose"}),
        loaded=bool(instances) or entry.get("state") == "loaded",
        context_length=entry.get("max_context_length"),
        loaded_context_length=config.get("context_length") or entry.get("loaded_context_length"),
        capabilities=_capabilities(entry),
        unsaid=_unsaid(entry),
        size_bytes=entry.get("size_bytes"),
        family=entry.get("architecture") or entry.get("arch") or "",
        parameters=entry.get("params_string") or "",
        quantization=quantization,
        aliases=tuple(instance["id"] for instance in instances),
        details=entry,
    )


def _purpose(entry: dict[str, Any], name: str) -> Any:
    """Read `embedding` (v1), `embeddings` (v0), or the prefix that LM Studio gives such models."""
    embeds = str(entry.get("type", "")).startswith("embedding")
    return "embedding" if embeds or name.startswith("text-embedding-") else "chat"


def _unsaid(entry: dict[str, Any]) -> frozenset[Capability]:
    """Only 0.4's listing tells of thinking, and only where the model's package says something."""
    said = entry.get("capabilities")
    tells = isinstance(said, dict) and "reasoning" in said
    return frozenset({"insert"} if tells else {"insert", "thinking"})


def _capabilities(entry: dict[str, Any]) -> frozenset[Capability] | None:
    """Read what a listing says; `/v1/models` says nothing, v0 lists words, v1 has switches.

    Every chat model can be given tools: without a template of its own for them LM Studio uses a
    prompt of its own. `trained_for_tool_use` only marks the better ones.
    """
    if "type" not in entry:
        return None
    said = entry.get("capabilities") or {}
    found: set[Capability] = set()
    if _purpose(entry, "") == "chat":
        found.add("tools")
    if entry["type"] == "vlm" or (isinstance(said, dict) and said.get("vision")):
        found.add("vision")
    if isinstance(said, dict) and said.get("reasoning"):
        found.add("thinking")
    return frozenset(found)
