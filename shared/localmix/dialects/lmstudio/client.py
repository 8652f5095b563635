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
from localmix.dialects.dialect import Endpoint, Listing, Target
from localmix.dialects.openai.client import OpenAIDialect, json_schema_format
from localmix.dialects.reading import Facts, Record, is_name
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
    Purpose,
    ThinkLevel,
)
from localmix.types.names import looks_like_embedding
from localmix.wire.flows import Flow, Request, send

_LISTS = ("/api/v1/models", "/api/v0/models", "/v1/models")


class LMStudioDialect(OpenAIDialect):
    """LM Studio's API."""

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

    def list_models(self, endpoint: Endpoint) -> Flow[Listing]:
        """Read the best listing that this version has."""
        problem: LocalMixError | None = None
        for path in _LISTS:
            try:
                response = yield from send(endpoint.get(path))
                reply = failures.checked(response, endpoint.url)
                return _listing(reply, "models" if path == _LISTS[0] else "data", endpoint.url)
            except AuthenticationError:
                raise  # the other listings would want the token as well
            except LocalMixError as error:
                problem = error
        raise cast("LocalMixError", problem)

    def embed_request(self, target: Target, request: EmbedRequest) -> Request:
        """Build a request for `/v1/embeddings`, which cuts long texts without a sign."""
        if request.dimensions is not None:
            raise self._cannot(target, "shorten vectors (dimensions)")
        window = target.model.loaded_context_length or target.model.context_length
        for text in request.texts:
            words = len(text.split())
            if window and words > window:  # a word is at least one token
                raise ContextLengthError(
                    f"A text has {words} words; {target.model.name} at {target.url} reads"
                    f" {window} tokens and would truncate it silently.",
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
            what = f"accept keep_alive={seconds:g} in a request"
            raise self._cannot(target, what, "keep_alive")
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
                f"{target.url} was asked for {asked!r}, but {answering!r} answered.",
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


def _listing(reply: Record, key: str, url: str) -> Listing:
    if key not in reply:
        raise reply.wrong(key, "a list")
    entries = reply.values(key)
    named = [entry for entry in map(Facts, entries) if is_name(_name(entry))]
    models = [_model_info(entry, url) for entry in named]
    return Listing(models, unread=len(entries) - len(models))


def _name(entry: Facts) -> str:
    return entry.text("key") or entry.text("id")


def _model_info(entry: Facts, url: str) -> ModelInfo:
    """Read an entry of any of the three listings."""
    instances = entry.each("loaded_instances")
    config = instances[0].facts("config") if instances else Facts({})
    name = _name(entry)
    purpose, guessed = _purpose(entry.text("type"), name)
    return ModelInfo(
        name=name,
        server=url,
        kind="lmstudio",
        purpose=purpose,
        guessed=guessed,
        loaded=bool(instances) or entry.text("state") == "loaded",
        context_length=entry.count("max_context_length"),
        loaded_context_length=(
            config.count("context_length") or entry.count("loaded_context_length")
        ),
        capabilities=_capabilities(entry, purpose),
        unsaid=_unsaid(entry),
        size_bytes=entry.count("size_bytes"),
        family=entry.text("architecture") or entry.text("arch"),
        parameters=entry.text("params_string"),
        quantization=entry.text("quantization") or entry.facts("quantization").text("name"),
        aliases=tuple(filter(is_name, (instance.text("id") for instance in instances))),
        variants=tuple(filter(is_name, entry.texts("variants") or ())),
        details=entry.said,
    )


def _purpose(said: str, name: str) -> tuple[Purpose, frozenset[str]]:
    """Read `embedding` (v1), `embeddings` (v0), or the name.

    Quirk (lmstudio 0.3, 0.4; bug-tracker 66): some models that only embed are listed as `llm`, so
    there the name says more, and is marked as a guess.
    """
    if said.startswith("embedding"):
        return "embedding", frozenset()
    if name.startswith("text-embedding-") or looks_like_embedding(name):
        return "embedding", frozenset({"purpose"})
    return "chat", frozenset() if said else frozenset({"purpose"})


def _unsaid(entry: Facts) -> frozenset[Capability]:
    """Only 0.4's listing tells of thinking, and only where the model's package says something."""
    tells = "reasoning" in entry.facts("capabilities")
    return frozenset({"insert"} if tells else {"insert", "thinking"})


def _capabilities(entry: Facts, purpose: Purpose) -> frozenset[Capability] | None:
    """Read what a listing says; `/v1/models` says nothing, v0 lists words, v1 has switches.

    Every chat model can be given tools: without a template of its own for them LM Studio uses a
    prompt of its own. `trained_for_tool_use` only marks the better ones.
    """
    if not entry.text("type"):
        return None
    said = entry.facts("capabilities")
    found: set[Capability] = set()
    if purpose == "chat":
        found.add("tools")
    if entry.text("type") == "vlm" or said.flag("vision"):
        found.add("vision")
    if said.flag("reasoning") or said.facts("reasoning"):
        found.add("thinking")
    return frozenset(found)
