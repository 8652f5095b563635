"""Arguments that people bring from LangChain's other integrations."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from langchain_core.exceptions import ModelError

from langchain_localmix import ChatLocalMix, LocalMixEmbeddings, LocalMixLLM
from langchain_localmix._arguments import ChatArguments, CompletionArguments, EmbeddingsArguments
from localmix.errors import ConfigError
from localmix.types.arguments import Alias, Elsewhere
from tests import stand_ins

NAMES = ChatLocalMix.also_called
OWN = set(ChatLocalMix._own_names())


def peers() -> Iterator[tuple[type[Any], Any]]:
    """Pair each peer with our class that takes its place."""
    ollama, openai = (pytest.importorskip(f"langchain_{name}") for name in ("ollama", "openai"))
    yield ollama.ChatOllama, ChatLocalMix
    yield openai.ChatOpenAI, ChatLocalMix
    yield ollama.OllamaLLM, LocalMixLLM
    yield ollama.OllamaEmbeddings, LocalMixEmbeddings
    yield openai.OpenAIEmbeddings, LocalMixEmbeddings


def arguments(peer: type[Any]) -> set[str]:
    """List all that a peer's constructor takes, by name and by alias."""
    fields = peer.model_fields
    named = {*fields, *(field.alias for field in fields.values() if field.alias)}
    signature = set(inspect.signature(peer).parameters)
    return (named | signature) - {"kwargs", "args"}


def test_every_argument_of_the_peers_is_known() -> None:
    for peer, ours in peers():
        assert arguments(peer) <= {*ours._own_names(), *ours.also_called}, peer


def test_another_name_for_an_argument_names_one_that_there_is() -> None:
    for _, ours in peers():
        meant = {m.own for m in ours.also_called.values() if isinstance(m, Alias)}
        assert meant <= {*ours._own_names()}, ours


@pytest.mark.parametrize("name", sorted(n for n, m in NAMES.items() if isinstance(m, Elsewhere)))
def test_what_cannot_be_taken_is_named_with_the_word_to_use(name: str) -> None:
    meant: Any = NAMES[name]
    given: Any = {name: "x"}
    with pytest.raises(ConfigError, match=f"{name} is not an argument") as caught:
        ChatLocalMix(**given)
    assert caught.value.hint == meant.hint
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ModelError)
    ChatLocalMix(**{name: meant.needless})


def test_type_checkers_know_the_same_names_as_the_fields() -> None:
    taken = {name for name, meant in NAMES.items() if isinstance(meant, Alias)}
    assert set(get_type_hints(ChatArguments)) == (OWN | taken) - {"given_client"}
    for kind, typed in (
        (LocalMixLLM, CompletionArguments),
        (LocalMixEmbeddings, EmbeddingsArguments),
    ):
        named, own = set(get_type_hints(typed)), set(kind._own_names()) - {"given_client"}
        assert own <= named <= own | taken


def test_the_peers_arguments_for_type_checkers(start: Any) -> None:
    """This is also read by mypy, which must accept each name."""
    server = start(stand_ins.ollama())
    model = ChatLocalMix(
        model_name="tiny",
        openai_api_base=server.url,
        openai_api_key="secret",
        num_predict=-1,
        stop_sequences=["a"],
        request_timeout=5.0,
        stream_chunk_timeout=2.0,
        format="json",
        extra_body={"x": 1},
        reasoning_effort="minimal",
        keep_alive="5m",
        temperature=0,
    )
    assert (model.model, model.max_tokens, model.stop) == ("tiny", None, ("a",))
    assert (model.timeout, model.between_timeout) == (5.0, 2.0)
    model.invoke("hello")
    body = server.last("POST /api/chat").json
    assert (body["format"], body["keep_alive"], body["think"], body["x"]) == ("json", 300, "low", 1)


@pytest.mark.parametrize("kind", [ChatLocalMix, LocalMixLLM, LocalMixEmbeddings])
def test_a_misspelt_name(kind: Any) -> None:
    with pytest.raises(ConfigError, match=r"timout is not an argument here.*mean timeout\?"):
        kind(timout=3)
    with pytest.raises(ConfigError, match=r"Did you mean base_url\?"):
        kind(baseurl="x")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"temperature": "hot"}, "Wrong temperature"),
        ({"top_p": 2}, "Wrong top_p"),
        ({"servers": ["ftp://x"]}, "ftp://x"),
        ({"reasoning": "turbo"}, "Wrong reasoning"),
        ({"num_predict": 0}, "Wrong max_tokens"),
        ({"model": "a", "model_name": "b"}, "both given"),
        ({"late_system": "robot"}, "Wrong late_system"),
        ({"num_predct": 3}, "Did you mean num_predict"),
        ({"cache": 3}, "Wrong cache"),
    ],
)
def test_every_mistake_at_construction_is_ours(given: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        ChatLocalMix(**given)


def test_what_has_no_name_here_goes_elsewhere() -> None:
    given: Any = {"xyzzy": 1}
    with pytest.raises(ConfigError, match=r"xyzzy is not an argument .*extra=\{\.\.\.\}"):
        ChatLocalMix(**given)
    with pytest.raises(ConfigError, match=r"xyzzy is not an argument .*extra=\{\.\.\.\}"):
        ChatLocalMix(base_url="http://127.0.0.1:9").invoke("hello", **given)
    with pytest.raises(ModelError, match="num_gpu is not an argument"):
        ChatLocalMix(base_url="http://127.0.0.1:9").invoke("hello", num_gpu=1)


def test_json_mode() -> None:
    assert ChatLocalMix(json_mode=True).response_format == "json"
    assert ChatLocalMix(json_mode=False).response_format is None
