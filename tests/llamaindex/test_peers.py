"""Arguments that people bring from LlamaIndex's other integrations."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from llamaindex_localmix import LocalMix, LocalMixEmbedding
from llamaindex_localmix._arguments import EmbedModelArguments, LLMArguments
from localmix.errors import ConfigError
from localmix.types.arguments import Alias, Elsewhere
from tests import stand_ins
from tests.llamaindex.endpoints import ENDPOINTS, SYNC, acall, call

NAMES = LocalMix.also_called
OWN = set(LocalMix._own_names())


def embedding_peers() -> Iterator[type[Any]]:
    yield pytest.importorskip("llama_index.embeddings.ollama").OllamaEmbedding
    yield pytest.importorskip("llama_index.embeddings.openai_like").OpenAILikeEmbedding


def peers() -> Iterator[type[Any]]:
    yield pytest.importorskip("llama_index.llms.ollama").Ollama
    yield pytest.importorskip("llama_index.llms.openai_like").OpenAILike
    yield pytest.importorskip("llama_index.llms.lmstudio").LMStudio


def test_every_argument_of_the_peers_is_known() -> None:
    for peer in peers():
        named = {*peer.model_fields, *inspect.signature(peer.__init__).parameters}
        assert named - {"self", "args", "kwargs"} <= {*OWN, *NAMES}, peer


def test_every_argument_of_the_embedding_peers_is_known() -> None:
    known = {*LocalMixEmbedding._own_names(), *LocalMixEmbedding.also_called}
    for peer in embedding_peers():
        named = {*peer.model_fields, *inspect.signature(peer.__init__).parameters}
        assert named - {"self", "args", "kwargs"} <= known, peer


@pytest.mark.parametrize("name", sorted(n for n, m in NAMES.items() if isinstance(m, Elsewhere)))
def test_what_cannot_be_taken_is_named_with_the_word_to_use(name: str) -> None:
    meant: Any = NAMES[name]
    given: Any = {name: "x"}
    with pytest.raises(ConfigError, match=f"{name} is not an argument") as caught:
        LocalMix(**given)
    assert caught.value.hint == meant.hint
    LocalMix(**{name: meant.needless})


def test_type_checkers_know_the_same_names_as_the_fields() -> None:
    for kind, arguments in ((LocalMix, LLMArguments), (LocalMixEmbedding, EmbedModelArguments)):
        names = kind.also_called.items()
        taken = {name for name, meant in names if isinstance(meant, Alias)}
        own = set(kind._own_names())
        assert set(get_type_hints(arguments)) == (own | taken) - {"given_client"}


def test_the_peers_arguments_for_type_checkers(start: Any) -> None:
    """This is also read by mypy, which must accept each name."""
    server = start(stand_ins.ollama())
    llm = LocalMix(
        model_name="tiny",
        api_base=server.url,
        request_timeout=30.0,
        json_mode=True,
        thinking=False,
        keep_alive="10m",
        max_tokens=-1,
    )
    llm.complete("hello")
    body = server.last("POST /api/chat").json
    assert (body["format"], body["keep_alive"], body["think"]) == ("json", 600, False)
    assert llm.timeout == 30


def test_the_call_wins_under_any_name(start: Any) -> None:
    server = start(stand_ins.ollama())
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    llm = LocalMix(base_url=server.url, think=True, response_format=schema, max_tokens=50)
    llm.complete("hello", reasoning_effort="none", format="json", num_predict=7)
    body = server.last("POST /api/chat").json
    assert (body["think"], body["format"], body["options"]) == (False, "json", {"num_predict": 7})


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_call_takes_the_names_too(start: Any, endpoint: str) -> None:
    server = start(stand_ins.ollama())
    llm = LocalMix(base_url=server.url, max_tokens=50)
    options: Any = {"num_predict": 7, "json_mode": True, "reasoning_effort": "none", "stop": None}
    if endpoint in SYNC:
        call(llm, endpoint, **options)
    else:
        asyncio.run(acall(llm, endpoint, **options))
    body = server.last("POST /api/chat").json
    assert (body["options"], body["format"], body["think"]) == ({"num_predict": 7}, "json", False)
    with pytest.raises(ConfigError, match="n is not an argument here"):
        call(llm, "complete", n=2)


def test_the_embedding_peers_arguments_for_type_checkers(start: Any) -> None:
    """This is also read by mypy, which must accept each name."""
    model = LocalMixEmbedding(
        model_name="embed",
        api_base=start(stand_ins.ollama()).url,
        request_timeout=30.0,
        keep_alive="10m",
        embed_batch_size=10,
    )
    assert model.get_text_embedding("hello") == [1.0, 0.0]
    assert (model.model, model.timeout, model.keep_alive) == ("embed", 30, 600)


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (LocalMix, {"timout": 3}, r"Did you mean timeout\?"),
        (LocalMix, {"json_mod": True}, r"Did you mean json_mode\?"),
        (LocalMix, {"client": object()}, "client is not a localmix.Client"),
        (LocalMix, {"thinking": "turbo"}, "Wrong think"),
        (LocalMix, {"pydantic_program_mode": "x"}, "Wrong pydantic_program_mode"),
        (LocalMixEmbedding, {"dimension": 3}, r"Did you mean dimensions\?"),
        (LocalMixEmbedding, {"thinking": True}, "thinking is not an argument"),
        (LocalMixEmbedding, {"ollama_additional_kwargs": {"a": 1}}, "Use dimensions, truncate"),
        (LocalMixEmbedding, {"embed_batch_size": 0}, "Wrong embed_batch_size"),
    ],
)
def test_every_mistake_at_construction_is_ours(kind: Any, given: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        kind(**given)
