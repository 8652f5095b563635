"""What whole replies say: answers, vectors and lists of models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from localmix.dialects import KINDS
from localmix.dialects.dialect import Listing
from localmix.errors import (
    AuthenticationError,
    LocalMixError,
    ModelNotFoundError,
    ProtocolError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from localmix.types import EmbedRequest, Kind, ModelInfo, Usage
from localmix.wire.flows import Flow, Outcome, Request, Response
from tests.stand_ins import OLLAMA_DONE
from tests.unit.streams import CHAT, URL, target


def reply(body: Any, status: int = 200) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, data, {"content-type": "application/json"})


def run(flow: Flow[Any], answers: dict[str, Any]) -> Any:
    """Run a flow on answers by path; a path without one is not found."""
    outcomes: Sequence[Outcome] | None = None
    try:
        while True:
            steps = flow.send(outcomes)  # type: ignore[arg-type]  # None starts it
            outcomes = [_answer(step, answers) for step in steps]
    except StopIteration as end:
        return end.value


def _answer(step: Any, answers: dict[str, Any]) -> Outcome:
    assert isinstance(step, Request)
    answer = answers.get(step.url.removeprefix(URL), Response(404, b"404 page not found", {}))
    return answer if isinstance(answer, Response | LocalMixError) else reply(answer)


def models_of(kind: Kind, answers: dict[str, Any]) -> list[ModelInfo]:
    listing: Listing = run(KINDS[kind].dialect.list_models(target(kind).endpoint), answers)
    return listing.models


@pytest.mark.parametrize("kind", ["ollama", "openai", "lmstudio"])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", {"message": 5}, {"choices": 5}, {"choices": []}, {}],
    ids=str,
)
def test_a_reply_of_the_wrong_shape_is_a_typed_error(kind: Kind, body: Any) -> None:
    with pytest.raises((ProtocolError, StreamInterruptedError)):
        KINDS[kind].dialect.parse_generation(target(kind), CHAT, reply(body))


def test_a_load_is_no_answer() -> None:
    body = {**OLLAMA_DONE, "done_reason": "load"}
    with pytest.raises(ProtocolError, match="only did a load"):
        KINDS["ollama"].dialect.parse_generation(target("ollama"), CHAT, reply(body))


def test_a_stream_with_nothing_in_it_is_an_error() -> None:
    """Quirk (lmstudio, bug-tracker 2339): an overflow gives status 200 and no delta."""
    decoder = KINDS["lmstudio"].dialect.generation_decoder(target("lmstudio"), CHAT)
    with pytest.raises(ProtocolError, match="without an answer"):
        decoder.feed(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("answering", "accepted"),
    [
        ("qwen/qwen3-8b", True),
        ("Qwen/Qwen3-8B", True),
        ("qwen/qwen3-8b:2", True),
        ("qwen/qwen3-8b@q4_k_m", True),
        ("my-qwen", True),
        ("qwen/qwen3-4b", False),
        ("google/gemma-3-1b", False),
    ],
)
def test_lmstudio_must_answer_with_the_model_that_was_asked(
    answering: str, *, accepted: bool
) -> None:
    """Quirk (lmstudio 0.4.25): an unknown name is answered by whatever is loaded."""
    asked = target("lmstudio", "qwen/qwen3-8b", aliases=("my-qwen",))
    choice = {"message": {"content": "Hi."}, "finish_reason": "stop"}
    body = reply({"model": answering, "choices": [choice]})
    if accepted:
        result = KINDS["lmstudio"].dialect.parse_generation(asked, CHAT, body)
        assert result.content == "Hi."
    else:
        with pytest.raises(ModelNotFoundError, match="answered"):
            KINDS["lmstudio"].dialect.parse_generation(asked, CHAT, body)


def test_another_quantization_is_another_model() -> None:
    asked = target("lmstudio", "qwen3-8b@q8_0")
    body = reply({"model": "qwen3-8b@q4_k_m", "data": [{"embedding": [1.0], "index": 0}]})
    with pytest.raises(ModelNotFoundError):
        KINDS["lmstudio"].dialect.parse_embed(asked, EmbedRequest(texts=("a",)), body)


class TestVectors:
    TEXTS = EmbedRequest(texts=("a", "b"))

    def test_ollama(self) -> None:
        body = {
            "model": "e",
            "embeddings": [[1, 0.5], [0.0, 1.0]],
            "prompt_eval_count": 4,
            "total_duration": 2_000_000_000,
        }
        result = KINDS["ollama"].dialect.parse_embed(target("ollama"), self.TEXTS, reply(body))
        assert result.vectors == [[1.0, 0.5], [0.0, 1.0]]
        assert result.usage == Usage(4, 0)
        assert result.timings.total == 2.0

    def test_openai_sorts_by_index(self) -> None:
        body = {
            "model": "e",
            "data": [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}],
            "usage": {"prompt_tokens": 0, "total_tokens": 0},
        }
        result = KINDS["openai"].dialect.parse_embed(target("openai"), self.TEXTS, reply(body))
        assert result.vectors == [[1.0], [2.0]]
        assert result.usage is None  # LM Studio's 0 means that it does not know

    @pytest.mark.parametrize(
        ("vectors", "sentence"),
        [
            ([], "0 vectors for 2 texts"),
            ([[1.0]], "1 vectors for 2 texts"),
            ([[1.0], [1.0, 2.0]], "different lengths"),
            ([[], []], "different lengths"),
            ([[1.0], ["x"]], "without numbers"),
            ([[1.0], None], "contain no numbers"),
            ([[1.0], [float("nan")]], "text 1 that is not finite"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, vectors: Any, sentence: str) -> None:
        with pytest.raises(ProtocolError, match=sentence):
            KINDS["ollama"].dialect.parse_embed(
                target("ollama"), self.TEXTS, reply({"embeddings": vectors})
            )

    def test_a_reply_without_vectors_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match="unexpected shape"):
            KINDS["openai"].dialect.parse_embed(
                target("openai"), self.TEXTS, reply({"data": [{}, {}]})
            )


class TestModels:
    def test_ollama_before_0_30_says_little(self) -> None:
        """Shape of ollama 0.12.11's replies: no capabilities, no lengths."""
        details = {"family": "bert", "parameter_size": "586K", "quantization_level": "F16"}
        tags = [
            {"name": "tiny:latest", "digest": "a", "size": 5, "details": {"family": "llama"}},
            {"name": "embed:latest", "digest": "b", "size": 6, "details": details},
            {"name": "gpt-oss:cloud", "digest": "c", "remote_host": "https://x", "details": {}},
        ]
        running = [{"name": "tiny:latest", "digest": "a", "context_length": 4096}]
        answers = {"/api/tags": {"models": tags}, "/api/ps": {"models": running}}

        tiny, embed, cloud = models_of("ollama", answers)
        assert (tiny.name, tiny.purpose, tiny.loaded) == ("tiny:latest", "chat", True)
        assert (tiny.loaded_context_length, tiny.context_length) == (4096, None)
        assert (embed.purpose, embed.loaded, embed.parameters) == ("embedding", False, "586K")
        assert cloud.remote

    def test_two_generations_of_one_name(self) -> None:
        """Quirk (ollama 0.32.15): /api/ps may list an older one under the same name."""
        tags = [{"name": "tiny:latest", "digest": "new", "details": {}}]
        running = [{"name": "tiny:latest", "digest": "old", "context_length": 1}]
        (tiny,) = models_of(
            "ollama", {"/api/tags": {"models": tags}, "/api/ps": {"models": running}}
        )
        assert not tiny.loaded

    def test_ollama_without_models(self) -> None:
        answers = {"/api/tags": {"models": None}, "/api/ps": {"models": []}}
        assert models_of("ollama", answers) == []

    def test_ollama_that_fails(self) -> None:
        with pytest.raises(UnsupportedFeatureError):
            models_of("ollama", {"/api/ps": {"models": []}})
        broken = ProtocolError("no HTTP")
        with pytest.raises(ProtocolError, match="no HTTP"):
            models_of("ollama", {"/api/tags": broken, "/api/ps": broken})
        with pytest.raises(ProtocolError, match="unexpected shape"):
            models_of("ollama", {"/api/tags": {"models": 5}, "/api/ps": {"models": []}})

    def test_ollama_shows_all(self) -> None:
        shown = {
            "capabilities": ["completion", "tools", "thinking", "audio"],
            "model_info": {
                "general.architecture": "llama",
                "llama.context_length": 2048,
                "llama.embedding_length": 192,
            },
            "template": "{{ .Prompt }}",
            "tensors": [1, 2],
        }
        model = run(KINDS["ollama"].dialect.show(target("ollama")), {"/api/show": shown})
        assert model.capabilities == frozenset({"tools", "thinking"})
        assert (model.context_length, model.embedding_length) == (2048, 192)
        assert model.details["template"]
        assert "tensors" not in model.details

    LM_V1: tuple[dict[str, Any], ...] = (
        {
            "type": "llm",
            "key": "qwen/qwen3-4b",
            "architecture": "qwen3",
            "quantization": {"name": "4bit", "bits_per_weight": 4},
            "size_bytes": 2_279_153_300,
            "params_string": "4B",
            "loaded_instances": [{"id": "my-qwen", "config": {"context_length": 4096}}],
            "max_context_length": 262144,
            "capabilities": {"vision": True, "reasoning": {"allowed_options": ["off", "on"]}},
        },
        {
            "type": "embedding",
            "key": "text-embedding-nomic",
            "quantization": None,
            "params_string": None,
            "loaded_instances": [],
            "max_context_length": 2048,
        },
    )

    def test_lmstudio_0_4(self) -> None:
        chat, embed = models_of("lmstudio", {"/api/v1/models": {"models": list(self.LM_V1)}})
        assert (chat.loaded, chat.loaded_context_length, chat.aliases) == (True, 4096, ("my-qwen",))
        assert chat.capabilities == frozenset({"tools", "vision", "thinking"})
        assert (chat.quantization, chat.parameters, chat.family) == ("4bit", "4B", "qwen3")
        assert (embed.purpose, embed.loaded, embed.capabilities) == (
            "embedding",
            False,
            frozenset(),
        )

    def test_lmstudio_0_3(self) -> None:
        unknown = {"error": "Unexpected endpoint or method. (GET /api/v1/models)"}
        data = [
            {
                "id": "gemma-3-4b-it",
                "type": "vlm",
                "arch": "gemma3",
                "quantization": "Q4_K_M",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 4096,
            },
            {"id": "text-embedding-nomic", "type": "embeddings", "state": "not-loaded"},
        ]
        answers = {"/api/v1/models": unknown, "/api/v0/models": {"data": data, "object": "list"}}
        chat, embed = models_of("lmstudio", answers)
        assert (chat.loaded, chat.loaded_context_length) == (True, 4096)
        assert chat.capabilities == frozenset({"tools", "vision"})
        assert embed.purpose == "embedding"

    def test_lmstudio_before_0_3_6(self) -> None:
        unknown = {"error": "Unexpected endpoint or method."}
        data = [{"id": "a", "object": "model"}, {"id": "text-embedding-b", "object": "model"}]
        answers = {
            "/api/v1/models": unknown,
            "/api/v0/models": unknown,
            "/v1/models": {"data": data},
        }
        chat, embed = models_of("lmstudio", answers)
        assert (chat.purpose, chat.capabilities) == ("chat", None)
        assert embed.purpose == "embedding"

    def test_lmstudio_that_wants_a_token_says_so_at_once(self) -> None:
        refused = reply({"error": {"message": "An LM Studio API token is required"}}, 401)
        with pytest.raises(AuthenticationError):
            models_of("lmstudio", {"/api/v1/models": refused})

    def test_lmstudio_without_any_listing(self) -> None:
        with pytest.raises(LocalMixError):
            models_of("lmstudio", {"/v1/models": {"models": []}})

    def test_llama_cpp(self) -> None:
        meta = {"n_ctx": 2048, "n_ctx_train": 4096, "n_embd": 192, "n_params": 2_803_776, "size": 9}
        data = [{"id": "tiny", "meta": {**meta, "ftype": "Q8_0"}}, {"id": "b", "max_model_len": 7}]
        tiny, other = models_of("openai", {"/v1/models": {"data": data}})
        assert (tiny.loaded_context_length, tiny.context_length) == (2048, 4096)
        assert (tiny.parameters, tiny.quantization) == ("2.804M", "Q8_0")
        assert other.loaded_context_length == 7

    def test_openai_shows_what_it_lists(self) -> None:
        answers = {"/v1/models": {"data": [{"id": "tiny", "max_model_len": 7}]}}
        shown = run(KINDS["openai"].dialect.show(target("openai", "tiny")), answers)
        assert shown.context_length == 7
        gone = target("openai", "gone")
        assert run(KINDS["openai"].dialect.show(gone), answers) is gone.model
